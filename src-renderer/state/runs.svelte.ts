/**
 * The list of runs that fit a filter, in its order, kept current: of a long one only what is looked at is fetched.
 * The host filters, sorts and knows what each run came to; which runs are chosen is run-choice.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { RunQuery } from '../../src-main/shared/contract-projects.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { RunSummary } from '../../src-main/shared/records.ts';
import { follow, isDisconnected } from './follow.ts';

const pauseMilliseconds = 500;
/** Runs that the host gives in one answer. */
const largestAnswer = 1000;

/** What a list shows and in which order; the page is the list's own business. */
export type RunFilter = Omit<RunQuery, 'limit' | 'offset'>;

export class RunList {
  #rows = $state.raw<ReadonlyMap<number, RunSummary>>(new Map());
  #total = $state(0);
  #answered = $state(false);
  #error = $state.raw<ErrorRecord | null>(null);
  #pageSize: number;
  #filter: RunFilter;
  #first = 0;
  #count: number;
  #service: Service | null = null;
  /** Which reading of the whole list the rows are of. */
  #reading = 0;
  #filling = false;
  #changed: () => void = () => {};

  /** Those from the first on without a gap. */
  readonly #begin = $derived.by(() => {
    const runs: RunSummary[] = [];
    for (let run = this.#rows.get(0); run !== undefined; run = this.#rows.get(runs.length)) runs.push(run);
    return runs;
  });

  /** Whole pages are fetched; the first one is shown until `show` says otherwise. */
  constructor(pageSize: number, filter: RunFilter = {}) {
    this.#filter = filter;
    this.#pageSize = pageSize;
    this.#count = pageSize;
  }

  /** The runs from the first on, as far as they are fetched; null until the first answer. */
  get runs(): RunSummary[] | null {
    return this.#answered ? this.#begin : null;
  }

  /** Runs that fit the filter, fetched or not. */
  get total(): number {
    return this.#total;
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  /** The run at a place of the list; null where it is not fetched. */
  at(place: number): RunSummary | null {
    return this.#rows.get(place) ?? null;
  }

  /** Lists what fits another filter, from its beginning; what was listed stays until the answer is there. */
  ask(filter: RunFilter): void {
    this.#filter = filter;
    this.#first = 0;
    this.#count = this.#pageSize;
    if (this.#service !== null) void this.#read(this.#service);
  }

  /** Fetches now and whenever a run changes, until the returned function is called. */
  follow(service: Service): () => void {
    this.#service = service;
    const loop = follow(() => this.#read(service), pauseMilliseconds);
    this.#changed = loop.changed;
    const unsubscribe = service.onRunChanged(() => loop.changed());
    return () => {
      unsubscribe();
      loop.end();
    };
  }

  /** Says which places are looked at, so that they are fetched and kept current. */
  show(first: number, count: number): void {
    this.#first = first;
    this.#count = count;
    if (this.#service !== null) void this.#fill(this.#service);
  }

  /** Shows one more page after those from the first on. */
  more(): void {
    this.#count += this.#pageSize;
    this.#changed();
  }

  /** The runs at the places [first, last], fetched for this question where they are not there. Errors: those of the host. */
  async between(first: number, last: number): Promise<RunSummary[]> {
    const known = Array.from({ length: last - first + 1 }, (_, index) => this.at(first + index));
    if (known.every((run) => run !== null)) return known;
    const found: RunSummary[] = [];
    while (this.#service !== null && first + found.length <= last) {
      const limit = Math.min(largestAnswer, last + 1 - first - found.length);
      const { runs } = await this.#service.runs({ ...this.#filter, limit, offset: first + found.length });
      if (runs.length === 0) break;
      found.push(...runs);
    }
    return found;
  }

  /** Those of the runs that fit the filter, fetched or not. Errors: those of the host. */
  async among(runs: readonly string[]): Promise<ReadonlySet<string>> {
    const wanted = new Set(runs);
    const found = new Set<string>();
    // What is fetched may still be of the filter before: the host is asked
    for (let offset = 0; this.#service !== null && found.size < wanted.size; offset += largestAnswer) {
      const page = await this.#service.runs({ ...this.#filter, limit: largestAnswer, offset });
      for (const { run } of page.runs) if (wanted.has(run)) found.add(run);
      if (offset + largestAnswer >= page.total) break;
    }
    return found;
  }

  /** Fetches what is looked at afresh; other places are forgotten, since they may have moved. */
  async #read(service: Service): Promise<void> {
    const reading = ++this.#reading;
    const { offset, end } = this.#wanted();
    await this.#ask(service, offset, end, reading, new Map());
    if (reading === this.#reading) await this.#fill(service);
  }

  /** Fetches what is looked at and not there, one question at a time. */
  async #fill(service: Service): Promise<void> {
    if (this.#filling || !this.#answered) return;
    this.#filling = true;
    try {
      for (let gap = this.#gap(); gap !== null; gap = this.#gap()) {
        const reading = this.#reading;
        const isRead = await this.#ask(service, gap.offset, gap.end, reading, this.#rows);
        // A place that the host has no run for is behind the end by now: the next reading knows
        if (!isRead || (reading === this.#reading && !this.#rows.has(gap.offset))) return;
      }
    } finally {
      this.#filling = false;
    }
  }

  /** Whether the answer came; one that another reading has overtaken is dropped. */
  async #ask(
    service: Service,
    offset: number,
    end: number,
    reading: number,
    kept: ReadonlyMap<number, RunSummary>,
  ): Promise<boolean> {
    try {
      const page = await service.runs({ ...this.#filter, limit: Math.min(largestAnswer, end - offset), offset });
      if (reading !== this.#reading) return true;
      const rows = new Map(kept);
      for (const [index, run] of page.runs.entries()) rows.set(offset + index, run);
      this.#rows = rows;
      this.#total = page.total;
      this.#answered = true;
      this.#error = null;
      return true;
    } catch (error) {
      const record = errorRecord(error);
      if (reading === this.#reading && !isDisconnected(record.code)) this.#error = record;
      return false;
    }
  }

  /** The pages that hold what is looked at, as places [offset, end). */
  #wanted(): { offset: number; end: number } {
    const size = this.#pageSize;
    return {
      offset: Math.floor(this.#first / size) * size,
      end: Math.max(1, Math.ceil((this.#first + this.#count) / size)) * size,
    };
  }

  /** The first missing places of them. */
  #gap(): { offset: number; end: number } | null {
    const { offset, end } = this.#wanted();
    const last = Math.min(end, this.#total);
    let from = offset;
    while (from < last && this.#rows.has(from)) from++;
    let to = from;
    while (to < last && !this.#rows.has(to)) to++;
    return from < to ? { offset: from, end: to } : null;
  }
}
