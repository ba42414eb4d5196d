/**
 * A trained matrix of which only the rows that were read train and are kept. It only reads; what changes it is scratch-state.ts.
 */
import { readInto } from '../files/values.ts';
import { floatsOf } from '../tensor.ts';
import { type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';

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
    const values = floatsOf(target);
    await readInto(this.#base, values);
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
