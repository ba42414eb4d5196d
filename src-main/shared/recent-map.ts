/**
 * A map that keeps the entries asked for last and lets go of the others. It knows nothing of what they hold, nor of time.
 */

export class RecentMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #capacity: number;
  readonly #release: (value: Value) => void;

  /** Holds at most `capacity` entries; `release` is told of each value that goes. */
  constructor(capacity: number, release: (value: Value) => void = () => {}) {
    this.#capacity = capacity;
    this.#release = release;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value under `key`, which `make` makes where there is none, or where the one there is not `fits`. */
  get(key: Key, make: () => Value, fits: (value: Value) => boolean = () => true): Value {
    const known = this.#entries.has(key) ? { value: this.#entries.get(key)! } : null;
    const isKept = known !== null && fits(known.value);
    // Made before anything goes: where that fails, all stays as it was
    const value = isKept ? known.value : make();
    if (known !== null && !isKept) this.#release(known.value);
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#capacity) {
      const [oldest, stale] = this.#entries.entries().next().value!;
      this.#entries.delete(oldest);
      this.#release(stale);
    }
    return value;
  }

  /** Lets go of all. */
  clear(): void {
    const values = [...this.#entries.values()];
    this.#entries.clear();
    for (const value of values) this.#release(value);
  }
}
