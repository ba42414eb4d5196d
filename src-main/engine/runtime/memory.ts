/**
 * Where state lives: one WebAssembly memory per arena, given out piece by piece, that programs and kernels work on in place.
 * It never grows (growing would detach every view) and takes no single piece back; an arena is dropped or used again as a whole.
 */
import { formatBytes } from '../../shared/byte-count.ts';
import { HopscopeError } from '../../shared/errors.ts';
import { createKernels, type Kernels } from '../kernels/kernels.ts';
import { createPlainKernels } from '../kernels/plain.ts';

/** A cache line; what SIMD and the runtime's own buffers are aligned to. */
const alignment = 64;
const pageSize = 65536;

/** 4 GiB less a page, so that no address or end of a range leaves 32 bits. */
export const arenaLimit = 2 ** 32 - pageSize;

/** What a piece of `bytes` takes in an arena: rounded up to 64. Sum it over the pieces to size one. */
export function arenaSize(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

export class Arena {
  /** Bytes that can be given out in all, and that have been. */
  readonly capacity: number;
  /** The kernels over this memory; HOPSCOPE_PLAIN_KERNELS=1 and engines without SIMD take the plain ones. */
  readonly kernels: Kernels;
  readonly #memory: WebAssembly.Memory;
  #used = 0;

  /**
   * Reserves `bytes` (rounded up to 64 KiB pages), all zero. The system provides a page when it is first touched.
   * Errors: `OutOfMemory` when more than 4 GiB - 64 KiB is asked for or the system refuses.
   */
  constructor(bytes: number) {
    const pages = Math.max(1, Math.ceil(bytes / pageSize));
    if (!(bytes >= 0) || pages * pageSize > arenaLimit) {
      throw outOfMemory(`An arena of ${formatBytes(bytes)} is over the limit of ${formatBytes(arenaLimit)}; use several`);
    }
    try {
      this.#memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    } catch (error) {
      throw outOfMemory(`The system gives no further ${formatBytes(pages * pageSize)} (${(error as Error).message})`);
    }
    this.capacity = pages * pageSize;
    this.kernels = kernelsFor(this.#memory);
  }

  get used(): number {
    return this.#used;
  }

  /** `count` elements (zeros in a fresh arena), 64-byte aligned, until the arena is dropped or reset. Errors: `OutOfMemory` when they do not fit, here and below. */
  floats(count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, this.#take(count * 4), count);
  }

  int32s(count: number): Int32Array {
    return new Int32Array(this.#memory.buffer, this.#take(count * 4), count);
  }

  /** For float16 and bfloat16. */
  words16(count: number): Uint16Array {
    return new Uint16Array(this.#memory.buffer, this.#take(count * 2), count);
  }

  /** The address by which kernels know a view of this arena (or a part of one). Throws for a view of anything else. */
  address(view: ArrayBufferView): number {
    if (view.buffer !== this.#memory.buffer) throw new TypeError('The view does not lie in this arena.');
    return view.byteOffset;
  }

  /** Whether a view lies in this arena. */
  holds(view: ArrayBufferView): boolean {
    return view.buffer === this.#memory.buffer;
  }

  /** Makes the whole arena free again, for a piece of the same size; views given out before show what is written next. */
  reset(): void {
    this.#used = 0;
  }

  #take(bytes: number): number {
    const start = this.#used;
    const end = start + arenaSize(bytes);
    if (!(bytes >= 0) || end > this.capacity) {
      throw outOfMemory(
        `${formatBytes(bytes)} do not fit: ${formatBytes(start)} of the arena's ${formatBytes(this.capacity)} are in use`,
      );
    }
    this.#used = end;
    return start;
  }
}

function kernelsFor(memory: WebAssembly.Memory): Kernels {
  if (process.env.HOPSCOPE_PLAIN_KERNELS === '1') return createPlainKernels(memory);
  try {
    return createKernels(memory);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return createPlainKernels(memory);
    throw error;
  }
}

function outOfMemory(reason: string): HopscopeError {
  return new HopscopeError('OutOfMemory', `${reason}. Use a smaller model or batch, or close other programs.`, 'failure');
}
