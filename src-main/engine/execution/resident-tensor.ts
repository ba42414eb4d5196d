/**
 * A trained tensor whose values lie on a device, as the rest of the engine sees it: programs there are fed with it as it lies, and whoever else reads
 * it gets a copy. After its device was lost it is the values in memory that it was given instead; it trains nothing.
 */
import type { DeviceMemory } from '../runtime/device-memory.ts';
import type { DeviceTensor } from '../runtime/device-tensor.ts';
import { bytesOf, elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import { type StoredTensor, takeRows } from '../weights.ts';

/** Where the values are; tensors that are stretches of one another share it. */
export interface Residence {
  device: DeviceTensor<'float32'>;
  /** Values in memory that took the device's place. */
  host: FloatTensor | null;
  /** Changes so far. */
  changes: number;
  /** Kept from being forgotten for as long as the values are: what can bring them back. */
  keeper?: object;
}

export class ResidentTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly #memory: DeviceMemory;
  readonly #residence: Residence;
  /** The first row, where it is a stretch of a matrix. */
  readonly #first: number;

  constructor(memory: DeviceMemory, residence: Residence, shape = residence.device.shape, first = 0) {
    this.#memory = memory;
    this.#residence = residence;
    this.shape = shape;
    this.#first = first;
  }

  get generation(): number {
    return this.#residence.changes;
  }

  /** As programs on the device are fed with it; null where it is a stretch or has left the device. */
  onDevice(): DeviceTensor<'float32'> | null {
    const { device, host } = this.#residence;
    return host || elementCount(this.shape) !== elementCount(device.shape) ? null : device;
  }

  values(): Float32Array | null {
    const { host } = this.#residence;
    if (!host) return null;
    const start = this.#first * (this.shape[1] ?? 1);
    return host.data.subarray(start, start + elementCount(this.shape));
  }

  async fetch(target: Uint8Array): Promise<void> {
    target.set(bytesOf(this.values() ?? this.#read()));
  }

  async fetchRows(first: number, count: number, target: Uint8Array): Promise<void> {
    await this.slice(first, count).fetch(target);
  }

  rows(rows: Int32Array): Float32Array {
    const { host, device } = this.#residence;
    const moved = rows.map((row) => row + this.#first);
    return host ? takeRows(host, moved) : this.#memory.readRows(device, moved);
  }

  slice(first: number, count: number): ResidentTensor {
    if (first === 0 && count === this.shape[0]) return this;
    return new ResidentTensor(this.#memory, this.#residence, [count, this.shape[1]!], this.#first + first);
  }

  #read(): Float32Array {
    const device = this.onDevice();
    if (!device) return this.rows(Int32Array.from({ length: this.shape[0]! }, (_, row) => row));
    const copy = floatTensor(this.shape);
    this.#memory.read(device, copy);
    return copy.data;
  }
}
