/**
 * A matrix plus a product of two thin ones, W + scale B A, formed when it is read: weights with an adapter in them, also while it trains.
 * Nothing is kept but the parts, and which layers have adapters is not known here.
 */
import { elementCount } from '../tensor.ts';
import { type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';
import { valuesOf } from './values.ts';

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
  readonly #base: WeightTensor;
  readonly #change: LowRankChange;
  readonly #first: number;

  /** `first`: where the base is a stretch of the matrix's rows, the first one. */
  constructor(base: WeightTensor, change: LowRankChange, first = 0) {
    this.shape = base.shape;
    this.#base = base;
    this.#change = change;
    this.#first = first;
  }

  /** That of the change and of what it is put on. */
  get generation(): number {
    return this.#change.generation() + (this.#base.type === 'stored' ? (this.#base.generation ?? 0) : 0);
  }

  async fetch(target: Uint8Array): Promise<void> {
    const values = new Float32Array(target.buffer, target.byteOffset, elementCount(this.shape));
    values.set((await valuesOf(this.#base)).data);
    this.#addTo(values, (index) => index);
  }

  rows(rows: Int32Array): Float32Array {
    // Those of a base in memory are copies too
    const values = takeRows(this.#base, rows);
    this.#addTo(values, (index) => rows[index]!);
    return values;
  }

  slice(first: number, count: number): LowRankTensor {
    return new LowRankTensor(sliceRows(this.#base, first, count), this.#change, this.#first + first);
  }

  /** Adds the change to rows [count, width]; `rowOf` says which of this tensor's rows each is. */
  #addTo(values: Float32Array, rowOf: (index: number) => number): void {
    const { rank, scale, a, b, inputFirst } = this.#change;
    const width = this.shape[1]!;
    // change[row, column] = sum over k of left[row, k] right[k, column]
    const right = inputFirst ? transposed(b, width, rank) : a;
    const rows = a.length / rank;
    const left = (row: number, k: number) => scale * (inputFirst ? a[k * rows + row]! : b[row * rank + k]!);
    for (let index = 0; index * width < values.length; index++) {
      const row = this.#first + rowOf(index);
      const target = values.subarray(index * width, (index + 1) * width);
      for (let k = 0; k < rank; k += 4) addFour(target, right, k, rank, (part) => left(row, part));
    }
  }
}

/** target += up to four of the right side's rows with their factors; four at a time, each value is read and written once for them. */
function addFour(target: Float32Array, right: Float32Array, k: number, rank: number, factor: (k: number) => number): void {
  const width = target.length;
  if (rank - k < 4) {
    for (let part = k; part < rank; part++) {
      const own = factor(part);
      const start = part * width;
      for (let column = 0; column < width; column++) target[column]! += own * right[start + column]!;
    }
    return;
  }
  const [f0, f1, f2, f3] = [factor(k), factor(k + 1), factor(k + 2), factor(k + 3)];
  const [s0, s1, s2, s3] = [k * width, (k + 1) * width, (k + 2) * width, (k + 3) * width];
  for (let column = 0; column < width; column++) {
    target[column]! += f0 * right[s0 + column]! + f1 * right[s1 + column]! + f2 * right[s2 + column]! + f3 * right[s3 + column]!;
  }
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  return result;
}
