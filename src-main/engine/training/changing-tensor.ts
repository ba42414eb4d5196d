/**
 * A tensor in memory that training changes, for programs on a device: they have a copy, and must be told when it is one of old values.
 * Programs of the CPU read the values where they lie and need no such thing.
 */
import { bytesOf, type FloatTensor, floatTensor } from '../tensor.ts';
import { type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';

export class ChangingTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly #tensor: FloatTensor;
  readonly #changes: () => number;

  /** `changes`: how often the values have changed. */
  constructor(tensor: FloatTensor, changes: () => number) {
    this.shape = tensor.shape;
    this.#tensor = tensor;
    this.#changes = changes;
  }

  get generation(): number {
    return this.#changes();
  }

  values(): Float32Array {
    return this.#tensor.data;
  }

  async fetch(target: Uint8Array): Promise<void> {
    target.set(bytesOf(this.#tensor.data));
  }

  rows(rows: Int32Array): Float32Array {
    return takeRows(this.#tensor, rows);
  }

  slice(first: number, count: number): WeightTensor {
    const part = sliceRows(this.#tensor, first, count) as FloatTensor;
    return new ChangingTensor(floatTensor(part.shape, part.data), this.#changes);
  }
}
