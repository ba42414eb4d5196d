/**
 * A tensor whose elements lie on the device: what programs there read and write without anything passing through the CPU's memory.
 * It is made and freed by device-memory.ts, which also moves elements; it holds a buffer and knows no program.
 */
import { bytesPerElement, elementCount, type Tensor } from '../tensor.ts';
import type { NativeBuffer, NativeSession, NativeTensor, ReturnedBuffer } from './output-copy.ts';

/** The element types that can stay on the device; int64 indices are fed from the CPU. */
export type DeviceElementType = 'float32' | 'float16' | 'int32';

/** What programs on a device are fed with and write into. */
export type AnyTensor = Tensor | DeviceTensor;

/** Bytes that device tensors take, now and at most. */
export class DeviceLedger {
  allocated = 0;
  peak = 0;

  add(bytes: number): void {
    this.allocated += bytes;
    this.peak = Math.max(this.peak, this.allocated);
  }
}

/** One buffer of the device, until it is freed. */
interface Holding {
  buffer: ReturnedBuffer | null;
  readonly bytes: number;
  readonly ledger: DeviceLedger;
}

/** What views of several shapes share, and nothing else refers to. */
interface Allocation {
  readonly holding: Holding;
}

function free(holding: Holding): void {
  if (!holding.buffer) return;
  holding.buffer.dispose();
  holding.buffer = null;
  holding.ledger.add(-holding.bytes);
}

/** Frees what was left behind by whoever had no use for it any more. */
const forgotten = new FinalizationRegistry<Holding>(free);

export class DeviceTensor<T extends DeviceElementType = DeviceElementType> {
  readonly type: T;
  readonly shape: readonly number[];
  readonly #allocation: Allocation;

  private constructor(type: T, shape: readonly number[], allocation: Allocation) {
    this.type = type;
    this.shape = shape;
    this.#allocation = allocation;
  }

  /** Takes over a buffer that holds the elements and is counted in `ledger` from now until `dispose`. */
  static over<T extends DeviceElementType>(
    type: T,
    shape: readonly number[],
    buffer: ReturnedBuffer,
    ledger: DeviceLedger,
  ): DeviceTensor<T> {
    const bytes = elementCount(shape) * bytesPerElement[type];
    ledger.add(bytes);
    const allocation: Allocation = { holding: { buffer, bytes, ledger } };
    forgotten.register(allocation, allocation.holding);
    return new DeviceTensor(type, shape, allocation);
  }

  /** Of the whole buffer. */
  get bytes(): number {
    return this.#allocation.holding.bytes;
  }

  get disposed(): boolean {
    return this.#allocation.holding.buffer === null;
  }

  /** The same buffer in another shape of as many elements. */
  as(shape: readonly number[]): DeviceTensor<T> {
    if (elementCount(shape) !== elementCount(this.shape)) throw new TypeError(`[${this.shape}] cannot become [${shape}].`);
    return new DeviceTensor(this.type, shape, this.#allocation);
  }

  /** What the native binding takes; valid until `dispose`. Throws a TypeError afterwards: the binding would read freed memory. */
  native(): NativeBuffer {
    const { buffer } = this.#allocation.holding;
    if (!buffer) throw new TypeError(`A device tensor [${this.shape}] is used after it was freed.`);
    return { type: this.type, dims: this.shape, location: 'gpu-buffer', gpuBuffer: buffer.gpuBuffer };
  }

  /** Frees the buffer, for all views of it. Disposing twice is harmless. */
  dispose(): void {
    free(this.#allocation.holding);
  }
}

/** Runs a session on a device: results go where `fetches` say, be it a buffer of the device or of the CPU. Throws what the runtime throws. */
export function runOnDevice(
  session: NativeSession,
  feeds: Record<string, NativeTensor | NativeBuffer>,
  fetches: Record<string, NativeTensor | NativeBuffer>,
): void {
  const returned = session.run(feeds, fetches, {});
  // For every buffer it was given the binding makes a new handle, which is freed here; the buffer stays
  for (const result of Object.values(returned)) if (result.location === 'gpu-buffer') result.dispose();
}
