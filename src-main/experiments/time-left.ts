/**
 * How long the rest of a run will take, from how long its units of work (steps and measurements) have taken so far.
 * Nothing is said while that would be a guess, and what is said changes gently.
 */

/** Seconds of work before anything is said. */
const atLeastSeconds = 2;
/** Share of the work before anything is said, unless it has taken as long as `longSeconds`. */
const atLeastShare = 0.03;
const longSeconds = 20;
/** Of the difference to what was said before, so much is taken over in a second. */
const followed = 0.25;

export class TimeLeft {
  readonly #total: number;
  /** When the first unit was reported: before it, the model is opened and its programs are built, which happens once. */
  #first: { done: number; elapsed: number } | null = null;
  #said: { left: number; elapsed: number } | null = null;

  /** `total`: units of work. */
  constructor(total: number) {
    this.#total = total;
  }

  /** Seconds left after `done` units and `elapsed` seconds without pauses; null where it is too early to tell. */
  after(done: number, elapsed: number): number | null {
    if (done === 0) return null;
    this.#first ??= { done, elapsed };
    const [units, seconds] = [done - this.#first.done, elapsed - this.#first.elapsed];
    if (units === 0 || seconds < atLeastSeconds) return null;
    if (done < atLeastShare * this.#total && seconds < longSeconds) return null;
    const measured = (seconds / units) * (this.#total - done);
    const left = this.#said === null ? measured : this.#between(this.#said, measured, elapsed);
    this.#said = { left, elapsed };
    return left;
  }

  #between(said: { left: number; elapsed: number }, measured: number, elapsed: number): number {
    const passed = elapsed - said.elapsed;
    const expected = Math.max(0, said.left - passed);
    return expected + (measured - expected) * (1 - (1 - followed) ** passed);
  }
}
