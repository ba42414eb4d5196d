/**
 * A tensor left in its safetensors file and read, whole or by rows, each time it is computed with.
 * It keeps nothing in memory; buffers are the caller's.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { bytesPerElement, elementCount, type FloatType } from '../tensor.ts';
import type { StoredTensor } from '../weights.ts';
import type { SafetensorsFile } from './safetensors.ts';
import { widenPlainly } from './widening.ts';

/** A stretch of rows of the tensor; the file must stay open. */
interface Stretch {
  first: number;
  count: number;
}

export class FileTensor implements StoredTensor {
  readonly type = 'stored';
  readonly shape: readonly number[];
  readonly storedType: FloatType;
  readonly #file: SafetensorsFile;
  readonly #name: string;
  readonly #start: number;

  /** @throws HopscopeError `MissingTensor`, `UnsupportedDtype` */
  constructor(file: SafetensorsFile, name: string, stretch?: Stretch) {
    const { type, dtype, shape, start } = file.info(name);
    if (type !== 'float32' && type !== 'bfloat16' && type !== 'float16') {
      throw new HopscopeError('UnsupportedDtype', `${file.path}: tensor "${name}" is ${dtype}; weights may be F32, BF16 or F16.`);
    }
    this.#file = file;
    this.#name = name;
    this.storedType = type;
    this.shape = stretch ? [stretch.count, ...shape.slice(1)] : shape;
    this.#start = start + (stretch ? stretch.first * this.#rowBytes : 0);
  }

  get #rowBytes(): number {
    return elementCount(this.shape.slice(1)) * bytesPerElement[this.storedType];
  }

  /** @throws HopscopeError `CannotRead`, `BadSafetensors` when the file was changed or closed; `rows` likewise */
  fetch(target: Uint8Array): Promise<void> {
    return this.#file.fetchRange(this.#start, target);
  }

  rows(rows: Int32Array): Float32Array {
    const width = this.shape[1]!;
    const bytes = new Uint8Array(rows.length * this.#rowBytes);
    rows.forEach((row, index) => {
      const start = index * this.#rowBytes;
      this.#file.readRangeInto(this.#start + row * this.#rowBytes, bytes.subarray(start, start + this.#rowBytes));
    });
    if (this.storedType === 'float32') return new Float32Array(bytes.buffer);
    const values = new Float32Array(rows.length * width);
    widenPlainly(this.storedType, new Uint16Array(bytes.buffer), values);
    return values;
  }

  slice(first: number, count: number): FileTensor {
    const before = (this.#start - this.#file.info(this.#name).start) / this.#rowBytes;
    return new FileTensor(this.#file, this.#name, { first: before + first, count });
  }
}
