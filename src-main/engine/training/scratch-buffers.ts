/**
 * Memory for parts of a scratch folder: as many buffers as a limit allows, handed on from parts that are done to parts that come.
 * It reads and writes nothing.
 */
import { reclaimMemories } from '../runtime/reclaim.ts';
import { createPartBuffer, type PartBuffer, partBufferBytes, type ScratchPart } from './scratch-part.ts';

export class ScratchBuffers {
  readonly #limit: number;
  readonly #free = new Map<number, PartBuffer[]>();
  #bytes = 0;
  /** Whether buffers were given up that may still take memory. */
  #gaveUp = false;
  /** Parts that hold a buffer and need it no longer, the oldest first. */
  readonly #idle = new Set<ScratchPart>();
  #waiting: (() => void)[] = [];

  /** `limit`: bytes for all buffers; it must hold what is worked on at one time. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A buffer for so many elements, when there is room. Errors: `OutOfMemory`. */
  async take(elements: number): Promise<PartBuffer> {
    while (true) {
      const free = this.#free.get(elements)?.pop();
      if (free) return free;
      const size = partBufferBytes(elements);
      if (this.#bytes + size <= this.#limit || this.#bytes === 0) {
        this.#bytes += size;
        if (this.#gaveUp) reclaimMemories();
        this.#gaveUp = false;
        return createPartBuffer(elements);
      }
      if (this.#reclaim()) continue;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /** The part's buffer may be taken from it. */
  idle(part: ScratchPart): void {
    this.#idle.delete(part);
    this.#idle.add(part);
    this.#wake();
  }

  /** The part is worked on again. */
  busy(part: ScratchPart): void {
    this.#idle.delete(part);
  }

  /** Takes the buffer of the part that is idle longest, or gives up one of a size that nobody waits for. */
  #reclaim(): boolean {
    const [part] = this.#idle;
    if (part) {
      this.#idle.delete(part);
      const buffer = part.leave();
      if (buffer) this.#free.set(part.elements, [...(this.#free.get(part.elements) ?? []), buffer]);
      return true;
    }
    for (const [elements, buffers] of this.#free) {
      if (!buffers.pop()) continue;
      this.#bytes -= partBufferBytes(elements);
      this.#gaveUp = true;
      return true;
    }
    return false;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
