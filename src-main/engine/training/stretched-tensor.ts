/**
 * A trained matrix that is kept in stretches of rows. It only reads; what changes it is where the stretches are.
 */
import type { StoredTensor, WeightTensor } from '../weights.ts';

/** Some rows of a matrix, whose values may change. */
export interface Stretch {
  readonly shape: readonly number[];
  readonly generation: number;
  rows(rows: Int32Array): Float32Array;
  slice(first: number, count: number): WeightTensor;
  /** Some of its rows as float32, in order. */
  fetchRows(first: number, count: number, target: Uint8Array): Promise<void>;
}

/** Rows `first` to `first + count` of a matrix whose stretches follow one another. */
export class StretchedTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly #parts: readonly Stretch[];
  readonly #first: number;

  constructor(parts: readonly Stretch[], first: number, count: number) {
    this.#parts = parts;
    this.#first = first;
    this.shape = [count, parts[0]!.shape[1]!];
  }

  get generation(): number {
    return this.#parts.reduce((sum, { generation }) => sum + generation, 0);
  }

  async fetch(target: Uint8Array): Promise<void> {
    const rowBytes = this.shape[1]! * 4;
    for (const { part, from, count, at } of this.#overlaps(this.#first, this.shape[0]!))
      await part.fetchRows(from, count, target.subarray(at * rowBytes, (at + count) * rowBytes));
  }

  rows(rows: Int32Array): Float32Array {
    const width = this.shape[1]!;
    const values = new Float32Array(rows.length * width);
    for (const { part, from, count, at } of this.#overlaps(this.#first, this.shape[0]!)) {
      const own = [...rows.keys()].filter((index) => rows[index]! >= at && rows[index]! < at + count);
      if (own.length === 0) continue;
      const taken = part.rows(Int32Array.from(own, (index) => rows[index]! - at + from));
      own.forEach((index, place) => {
        values.set(taken.subarray(place * width, (place + 1) * width), index * width);
      });
    }
    return values;
  }

  slice(first: number, count: number): WeightTensor {
    const overlaps = this.#overlaps(this.#first + first, count);
    const [only] = overlaps;
    return overlaps.length === 1
      ? only!.part.slice(only!.from, count)
      : new StretchedTensor(this.#parts, this.#first + first, count);
  }

  #overlaps(first: number, count: number): Overlap[] {
    let next = 0;
    return this.#parts.flatMap((part) => {
      const start = next;
      next += part.shape[0]!;
      const from = Math.max(first, start);
      const end = Math.min(first + count, next);
      return from < end ? [{ part, from: from - start, count: end - from, at: from - first }] : [];
    });
  }
}

interface Overlap {
  part: Stretch;
  from: number;
  count: number;
  at: number;
}
