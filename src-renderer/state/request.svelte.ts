/**
 * One question to the host as state: asked, waiting, answered or failed. A later question makes an earlier answer void.
 */
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import { isDisconnected } from './follow.ts';

export class Request<T> {
  #value = $state.raw<T | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #waiting = $state(false);
  #asked = 0;

  /** The latest answer; null before it, and after a failure. */
  get value(): T | null {
    return this.#value;
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  get waiting(): boolean {
    return this.#waiting;
  }

  /** Asks; the promise ends with the answer, or null where it failed or another question overtook it. */
  async ask(question: () => Promise<T>): Promise<T | null> {
    const asked = ++this.#asked;
    this.#waiting = true;
    try {
      const value = await question();
      if (asked !== this.#asked) return null;
      this.#value = value;
      this.#error = null;
      return value;
    } catch (error) {
      if (asked !== this.#asked) return null;
      const record = errorRecord(error);
      if (!isDisconnected(record.code)) {
        this.#value = null;
        this.#error = record;
      }
      return null;
    } finally {
      if (asked === this.#asked) this.#waiting = false;
    }
  }

  /** Forgets the answer and any question under way. */
  clear(): void {
    this.#asked++;
    this.#value = null;
    this.#error = null;
    this.#waiting = false;
  }
}
