/**
 * Trained matrices that are more than one part of a scratch folder: one in stretches of rows, and one of which only the rows that were read train.
 * They only read; what changes them is scratch-state.ts.
 */

import { valuesOf } from '../files/values.ts';
import { type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';
import type { ScratchPart } from './scratch-part.ts';

/** Rows `first` to `first + count` of a matrix whose stretches follow one another. */
export class StretchedTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly #parts: readonly ScratchPart[];
  readonly #first: number;

  constructor(parts: readonly ScratchPart[], first: number, count: number) {
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
    rows.forEach((row, index) => {
      const [{ part, from }] = this.#overlaps(this.#first + row, 1) as [Overlap];
      values.set(part.rows(Int32Array.of(from)), index * width);
    });
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
    return this.#parts.flatMap((part) => {
      const start = part.parameter.firstRow ?? 0;
      const from = Math.max(first, start);
      const end = Math.min(first + count, start + part.shape[0]!);
      return from < end ? [{ part, from: from - start, count: end - from, at: from - first }] : [];
    });
  }
}

interface Overlap {
  part: ScratchPart;
  from: number;
  count: number;
  at: number;
}

/** A row that trains: its weights and moments. */
export interface TrainedRow {
  weight: Float32Array;
  m: Float32Array;
  v: Float32Array;
}

/** A matrix with some rows replaced. */
export class RowsTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly trained: Map<number, TrainedRow>;
  readonly #base: WeightTensor;
  readonly #first: number;
  #changes = { count: 0 };

  constructor(base: WeightTensor, trained = new Map<number, TrainedRow>(), first = 0) {
    this.#base = base;
    this.shape = base.shape;
    this.trained = trained;
    this.#first = first;
  }

  get generation(): number {
    return this.#changes.count;
  }

  /** To be said after rows were changed. */
  changed(): void {
    this.#changes.count++;
  }

  async fetch(target: Uint8Array): Promise<void> {
    const [rows, width] = this.shape as [number, number];
    const values = new Float32Array(target.buffer, target.byteOffset, rows * width);
    values.set((await valuesOf(this.#base)).data);
    for (const [row, { weight }] of this.trained) {
      const place = row - this.#first;
      if (place >= 0 && place < rows) values.set(weight, place * width);
    }
  }

  rows(rows: Int32Array): Float32Array {
    const width = this.shape[1]!;
    const values = takeRows(this.#base, rows);
    rows.forEach((row, index) => {
      const own = this.trained.get(row + this.#first);
      if (own) values.set(own.weight, index * width);
    });
    return values;
  }

  slice(first: number, count: number): RowsTensor {
    const slice = new RowsTensor(sliceRows(this.#base, first, count), this.trained, this.#first + first);
    slice.#changes = this.#changes;
    return slice;
  }
}
