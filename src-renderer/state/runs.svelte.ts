/**
 * The list of runs that fit a query, newest first, kept current, with the outcome of each finished run derived from its stored
 * curves. It pages through what the host has; the host does the filtering.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { RunQuery } from '../../src-main/shared/contract-projects.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { EvaluationRow, RunSummary } from '../../src-main/shared/records.ts';
import { rankCurves, stagesOf, standing } from '../measures/curves.ts';
import { follow, isDisconnected } from './follow.ts';

const pauseMilliseconds = 500;

/** Mean ranks before and after a run; null where that list was not measured, or in several trainings that have no common outcome. */
export interface Outcome {
  facts: { before: number; latest: number } | null;
  implications: { before: number; latest: number } | null;
}

/** What a list shows; the page is the list's own business. */
export type RunFilter = Omit<RunQuery, 'limit' | 'offset'>;

export class RunList {
  #runs = $state.raw<RunSummary[] | null>(null);
  #total = $state(0);
  #outcomes = $state.raw<ReadonlyMap<string, Outcome>>(new Map());
  #error = $state.raw<ErrorRecord | null>(null);
  #limit = $state(0);
  #pageSize: number;
  #filter: RunFilter;
  #service: Service | null = null;
  #asked = 0;
  #changed: () => void = () => {};

  constructor(pageSize: number, filter: RunFilter = {}) {
    this.#filter = filter;
    this.#pageSize = pageSize;
    this.#limit = pageSize;
  }

  /** Null until the first answer. */
  get runs(): RunSummary[] | null {
    return this.#runs;
  }

  /** Runs that fit the filter, fetched or not. */
  get total(): number {
    return this.#total;
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  outcome(run: string): Outcome | null {
    return this.#outcomes.get(run) ?? null;
  }

  /** Lists what fits another filter, from its first page; what was listed stays until the answer is there. */
  ask(filter: RunFilter): void {
    this.#filter = filter;
    this.#limit = this.#pageSize;
    if (this.#service !== null) void this.#fetch(this.#service);
  }

  /** Fetches now and whenever a run changes, until the returned function is called. */
  follow(service: Service): () => void {
    this.#service = service;
    const loop = follow(() => this.#fetch(service), pauseMilliseconds);
    this.#changed = loop.changed;
    const unsubscribe = service.onRunChanged(() => loop.changed());
    return () => {
      unsubscribe();
      loop.end();
    };
  }

  /** Fetches one more page. */
  more(): void {
    this.#limit += this.#pageSize;
    this.#changed();
  }

  async #fetch(service: Service): Promise<void> {
    const asked = ++this.#asked;
    try {
      const page = await service.runs({ ...this.#filter, limit: this.#limit, offset: 0 });
      if (asked !== this.#asked) return;
      this.#runs = page.runs;
      this.#total = page.total;
      this.#error = null;
      void this.#fetchOutcomes(service, page.runs, asked);
    } catch (error) {
      if (asked !== this.#asked) return;
      const record = errorRecord(error);
      if (!isDisconnected(record.code)) this.#error = record;
    }
  }

  /**
   * Outcomes of runs that ended and are not known yet, one at a time: a list is not worth hurrying the host. A later fetch of the
   * list takes over, so that only what is still listed is asked for.
   */
  async #fetchOutcomes(service: Service, runs: RunSummary[], asked: number): Promise<void> {
    try {
      for (const run of runs) {
        if (run.state === 'queued' || run.state === 'running' || this.#outcomes.has(run.run)) continue;
        const evaluations = await service.evaluations(run.run);
        this.#outcomes = new Map(this.#outcomes).set(run.run, outcomeOf(evaluations));
        if (asked !== this.#asked) return;
      }
    } catch {
      // The run was deleted or the line is down meanwhile: its outcome is shown as unknown until the next fetch.
    }
  }
}

function outcomeOf(evaluations: EvaluationRow[]): Outcome {
  const curves = stagesOf(evaluations).length === 1 ? rankCurves(evaluations, []) : [];
  const standingOf = (set: string) => {
    const curve = curves.find((candidate) => candidate.set === set);
    return curve === undefined ? null : standing(curve);
  };
  return { facts: standingOf('facts'), implications: standingOf('implications') };
}
