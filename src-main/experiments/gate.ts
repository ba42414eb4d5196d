/**
 * Lets a run be halted between two steps and go on: whoever computes passes the gate before each step and waits while it is shut.
 * It stops no step that is under way, and it knows nothing of runs.
 */
export class Gate {
  #opening: Promise<void> | null = null;
  #open: () => void = () => {};
  #shutAt = 0;
  #waited = 0;

  /** Shut from now on; nothing where it is already. */
  shut(): void {
    if (this.#opening !== null) return;
    this.#shutAt = performance.now();
    this.#opening = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  /** Lets everyone who waits go on. */
  open(): void {
    if (this.#opening === null) return;
    this.#waited += performance.now() - this.#shutAt;
    this.#opening = null;
    this.#open();
  }

  /** Seconds that it has been shut. */
  get secondsShut(): number {
    return (this.#waited + (this.#opening === null ? 0 : performance.now() - this.#shutAt)) / 1000;
  }

  /** At once while it is open, else when it opens. Rejects with the signal's reason when that aborts meanwhile. */
  async pass(signal?: AbortSignal): Promise<void> {
    while (this.#opening !== null) {
      const aborted = whenAborted(signal);
      try {
        await Promise.race([this.#opening, aborted.promise]);
      } finally {
        aborted.end();
      }
    }
  }
}

/** A promise that rejects when the signal aborts; `end` stops listening. */
function whenAborted(signal: AbortSignal | undefined): { promise: Promise<never>; end(): void } {
  let abort: () => void = () => {};
  const promise = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
  return { promise, end: () => signal?.removeEventListener('abort', abort) };
}
