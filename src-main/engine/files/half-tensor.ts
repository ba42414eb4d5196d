/**
 * A tensor kept in memory as the 16 bits of its file, which halves what a model takes; values are widened when a layer needs them.
 * It reads no file and converts exactly.
 */
import { bytesOf, elementCount } from '../tensor.ts';
import type { StoredTensor } from '../weights.ts';
import { widenPlainly } from './widening.ts';

export class HalfTensor implements StoredTensor {
  readonly type = 'stored';
  readonly shape: readonly number[];
  readonly storedType: 'bfloat16' | 'float16';
  readonly #bits: Uint16Array;

  /** `bits`: the elements, row-major; kept, not copied. */
  constructor(storedType: 'bfloat16' | 'float16', shape: readonly number[], bits: Uint16Array) {
    this.storedType = storedType;
    this.shape = shape;
    this.#bits = bits;
  }

  async fetch(target: Uint8Array): Promise<void> {
    target.set(bytesOf(this.#bits));
  }

  rows(rows: Int32Array): Float32Array {
    const width = this.shape[1]!;
    const values = new Float32Array(rows.length * width);
    rows.forEach((row, index) => {
      const target = values.subarray(index * width, (index + 1) * width);
      widenPlainly(this.storedType, this.#bits.subarray(row * width, (row + 1) * width), target);
    });
    return values;
  }

  slice(first: number, count: number): HalfTensor {
    const width = elementCount(this.shape.slice(1));
    const bits = this.#bits.subarray(first * width, (first + count) * width);
    return new HalfTensor(this.storedType, [count, ...this.shape.slice(1)], bits);
  }
}
