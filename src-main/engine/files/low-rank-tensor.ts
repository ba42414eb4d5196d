/**
 * A matrix plus a product of two thin ones, W + scale B A, formed when it is read: weights with an adapter in them, also while it trains.
 * Nothing is kept but the parts, and which layers have adapters is not known here.
 */
import { floatsOf } from '../tensor.ts';
import { generationOf, type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';
import { readInto } from './values.ts';

/** The change of a map from `in` to `out` values. */
export interface LowRankChange {
  rank: number;
  scale: number;
  /** [rank, in], as it is at the time it is read. */
  a: Float32Array;
  /** [out, rank] */
  b: Float32Array;
  /** The matrix is [in, out] instead of [out, in]. */
  inputFirst: boolean;
  /** Grows whenever `a` and `b` change. */
  generation(): number;
}

export class LowRankTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly base: WeightTensor;
  readonly change: LowRankChange;
  readonly #first: number;

  /** `first`: where the base is a stretch of the matrix's rows, the first one. */
  constructor(base: WeightTensor, change: LowRankChange, first = 0) {
    this.shape = base.shape;
    this.base = base;
    this.change = change;
    this.#first = first;
  }

  /** That of the change and of what it is put on. */
  get generation(): number {
    return this.change.generation() + generationOf(this.base);
  }

  async fetch(target: Uint8Array): Promise<void> {
    const values = floatsOf(target);
    await readInto(this.base, values);
    this.#addTo(values, (index) => index);
  }

  rows(rows: Int32Array): Float32Array {
    // Those of a base in memory are copies too
    const values = takeRows(this.base, rows);
    this.#addTo(values, (index) => rows[index]!);
    return values;
  }

  slice(first: number, count: number): LowRankTensor {
    return new LowRankTensor(sliceRows(this.base, first, count), this.change, this.#first + first);
  }

  /** Adds the change to rows [count, width]; `rowOf` says which of this tensor's rows each is. */
  #addTo(values: Float32Array, rowOf: (index: number) => number): void {
    const { rank, scale, a, b, inputFirst } = this.change;
    const width = this.shape[1]!;
    // change[row, column] = sum over k of left[row, k] right[k, column]
    const right = inputFirst ? transposed(b, width, rank) : a;
    const left = inputFirst ? transposed(a, rank, a.length / rank) : b;
    const count = values.length / width;
    for (let index = 0; index < count; index++) {
      const factors = (this.#first + rowOf(index)) * rank;
      for (let k = 0; k < rank; k += 4) {
        const of = (part: number) => (k + part < rank ? scale * left[factors + k + part]! : 0);
        addRows(values, index * width, width, right, k, rank, of(0), of(1), of(2), of(3));
      }
    }
  }
}

/**
 * values[start + column] += the sum of four rows of `right` from row k on, each with its factor: each value is read and written once for all four.
 * Rows that there are not are row k again, with the factor 0.
 */
function addRows(
  values: Float32Array,
  start: number,
  width: number,
  right: Float32Array,
  k: number,
  rank: number,
  f0: number,
  f1: number,
  f2: number,
  f3: number,
): void {
  const s0 = k * width;
  const s1 = k + 1 < rank ? s0 + width : s0;
  const s2 = k + 2 < rank ? s0 + 2 * width : s0;
  const s3 = k + 3 < rank ? s0 + 3 * width : s0;
  for (let column = 0; column < width; column++) {
    values[start + column]! +=
      f0 * right[s0 + column]! + f1 * right[s1 + column]! + f2 * right[s2 + column]! + f3 * right[s3 + column]!;
  }
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  return result;
}
