/**
 * Which runs of a list are chosen, to be compared or deleted together: one by one, from one to another, all.
 * Choices are by name and stay while the list is filtered or sorted, which may hide some of them; what is done with them is the screen's
 * business.
 */
import type { RunSummary } from '../../src-main/shared/records.ts';
import type { RunList } from './runs.svelte.ts';

export class RunChoice {
  #names = $state.raw<ReadonlySet<string>>(new Set());
  /** Of those chosen, the ones that the list's filter left out when it was looked at last. */
  #hidden = $state.raw<ReadonlySet<string>>(new Set());
  /** Where the next range begins: the place of the run that was chosen or left last. */
  #anchor = 0;

  /** In the order in which they were chosen. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  get size(): number {
    return this.#names.size;
  }

  /** Those chosen that the list shows. */
  get shown(): readonly string[] {
    return this.names.filter((run) => !this.#hidden.has(run));
  }

  /** Notes which of those chosen the list's filter leaves out. Errors: those of the host. */
  async look(list: Pick<RunList, 'among'>): Promise<void> {
    const names = this.names;
    const there = names.length === 0 ? new Set<string>() : await list.among(names);
    this.#hidden = new Set(names.filter((run) => !there.has(run)));
  }

  has(run: string): boolean {
    return this.#names.has(run);
  }

  /** Chooses a run or no longer does. */
  toggle({ run }: RunSummary, place: number): void {
    const names = new Set(this.#names);
    if (!names.delete(run)) names.add(run);
    this.#names = names;
    this.#anchor = place;
  }

  /** Chooses the runs from the one that was chosen or left last to this place. Errors: those of the host. */
  async extend(list: RunList, place: number): Promise<void> {
    const [first, last] = [Math.min(this.#anchor, place), Math.max(this.#anchor, place)];
    this.#add(await list.between(first, last));
  }

  /** Chooses every run of the list, fetched or not. Errors: those of the host. */
  async all(list: RunList): Promise<void> {
    this.#add(await list.between(0, list.total - 1));
  }

  none(): void {
    this.#names = new Set();
  }

  /** These are gone. */
  leave(runs: readonly string[]): void {
    const gone = new Set(runs);
    this.#names = new Set([...this.#names].filter((run) => !gone.has(run)));
  }

  #add(runs: readonly RunSummary[]): void {
    this.#names = new Set([...this.#names, ...runs.map(({ run }) => run)]);
  }
}
