/**
 * The list of runs, newest first, kept current, with the outcome of each finished run derived from its stored curves.
 * It pages through what the host has; filtering is over what has been fetched.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { RunSummary } from '../../src-main/shared/records.ts';
import { rankCurves, stagesOf, standing } from '../measures/curves.ts';
import { follow, isDisconnected } from './follow.ts';

const pauseMilliseconds = 500;

/** Mean ranks before and after a run; null where that list was not measured, or in several trainings that have no common outcome. */
export interface Outcome {
  facts: { before: number; latest: number } | null;
  implications: { before: number; latest: number } | null;
}

export class RunList {
  #runs = $state.raw<RunSummary[] | null>(null);
  #total = $state(0);
  #outcomes = $state.raw<ReadonlyMap<string, Outcome>>(new Map());
  #error = $state.raw<ErrorRecord | null>(null);
  #limit = $state(0);
  #pageSize: number;
  #changed: () => void = () => {};

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
    this.#limit = pageSize;
  }

  /** Null until the first answer. */
  get runs(): RunSummary[] | null {
    return this.#runs;
  }

  /** Runs the host has, fetched or not. */
  get total(): number {
    return this.#total;
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  outcome(run: string): Outcome | null {
    return this.#outcomes.get(run) ?? null;
  }

  /** Fetched runs that have every word of `text` somewhere in title, model, data set, state or name. */
  filtered(text: string): RunSummary[] {
    return filterRuns(this.#runs ?? [], text);
  }

  /** Fetches now and whenever a run changes, until the returned function is called. */
  follow(service: Service): () => void {
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

  async delete(service: Service, run: string): Promise<void> {
    try {
      await service.deleteRun(run);
      this.#runs = this.#runs?.filter((entry) => entry.run !== run) ?? null;
      this.#changed();
    } catch (error) {
      this.#error = errorRecord(error);
    }
  }

  async #fetch(service: Service): Promise<void> {
    try {
      const page = await service.runs({ limit: this.#limit, offset: 0 });
      this.#runs = page.runs;
      this.#total = page.total;
      this.#error = null;
      await this.#fetchOutcomes(service, page.runs);
    } catch (error) {
      const record = errorRecord(error);
      if (!isDisconnected(record.code)) this.#error = record;
    }
  }

  /** Curves of runs that ended and are not known yet, one at a time: a list is not worth hurrying the host. */
  async #fetchOutcomes(service: Service, runs: RunSummary[]): Promise<void> {
    for (const run of runs) {
      if (run.state === 'queued' || run.state === 'running' || this.#outcomes.has(run.run)) continue;
      const evaluations = await service.evaluations(run.run);
      const curves = stagesOf(evaluations).length === 1 ? rankCurves(evaluations, []) : [];
      const facts = curves.find((curve) => curve.set === 'facts');
      const implications = curves.find((curve) => curve.set === 'implications');
      const outcome = { facts: facts ? standing(facts) : null, implications: implications ? standing(implications) : null };
      this.#outcomes = new Map(this.#outcomes).set(run.run, outcome);
    }
  }
}

/** Runs that have every word of `text`, whatever the case. */
export function filterRuns(runs: readonly RunSummary[], text: string): RunSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    const haystack = `${run.title} ${run.experiment} ${run.model} ${run.dataset} ${run.state} ${run.run}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}
