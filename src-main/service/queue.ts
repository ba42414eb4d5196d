/**
 * Runs this process's runs one at a time, in order: feeds compute, has its rows stored, and decides how each run ended.
 * It neither checks specs nor answers questions about runs (service.ts), and touches no run of another process.
 */
import type { Database } from '../database/open.ts';
import { markEnded, markPaused, markRunning, type Outcome } from '../database/runs.ts';
import type { QueueEntry } from '../shared/contract-runs.ts';
import { errorRecord, HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec, Json, RunState } from '../shared/records.ts';
import type { ComputeKeeper } from './compute-keeper.ts';
import { createRecorder, type Recorder } from './recorder.ts';

/** How long compute may take to answer an abort before it is killed, in milliseconds; less when the program closes. */
const patience = 5000;
const closingPatience = 3000;

export interface QueueSettings {
  database: Database;
  /** Below which files of what trainings learned are kept. */
  weights: string;
  compute: ComputeKeeper;
  changed(run: string, state: RunState): void;
  patience?: number;
}

interface Entry {
  run: string;
  spec: ExperimentSpec;
  /** Settles once the run's end is stored. */
  ended: Promise<void>;
  end(): void;
  /** Set once someone wants it ended: the state and error it then gets. */
  ending: { state: 'stopped' | 'interrupted' | 'failed'; error: unknown } | null;
  abort: AbortController;
  paused: boolean;
  /** While it is running. */
  recorder: Recorder | null;
}

export class Queue {
  readonly #settings: QueueSettings;
  readonly #waiting: Entry[] = [];
  #running: Entry | null = null;
  #closed = false;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
  }

  /** Takes a run that is stored as `queued`. */
  add(run: string, spec: ExperimentSpec): void {
    const { promise, resolve } = withResolvers();
    this.#waiting.push({
      run,
      spec,
      ended: promise,
      end: resolve,
      ending: null,
      abort: new AbortController(),
      paused: false,
      recorder: null,
    });
    this.#next();
  }

  has(run: string): boolean {
    return this.#running?.run === run || this.#waiting.some((entry) => entry.run === run);
  }

  /** What is running, then what waits, in order. */
  entries(): Omit<QueueEntry, 'title'>[] {
    const running = this.#running === null ? [] : [this.#running];
    return [...running, ...this.#waiting].map((entry) => ({
      run: entry.run,
      running: entry === this.#running,
      paused: entry.paused,
    }));
  }

  /** Halts the running run after its current step, or lets it go on. Errors: `RunNotRunning`. */
  async setPaused(run: string, paused: boolean): Promise<void> {
    const entry = this.#running;
    if (entry === null || entry.run !== run || entry.ending !== null) {
      throw new HopscopeError('RunNotRunning', `Run ${run} is not being run by this program: only a running run can be paused.`);
    }
    await this.#settings.compute.use((client) => (paused ? client.pause(run) : client.resume(run)));
    entry.paused = paused;
    if (paused) entry.recorder?.pause();
    else entry.recorder?.resume();
    markPaused(this.#settings.database, run, paused, new Date().toISOString());
    this.#settings.changed(run, 'running');
  }

  /** Resolves once the run has ended and that is stored; kills compute where it does not answer. */
  async stop(run: string): Promise<void> {
    await this.#finish(run, { state: 'stopped', error: null });
  }

  /** Ends all runs as `interrupted`: the program is closing. */
  async close(): Promise<void> {
    this.#closed = true;
    const error = new HopscopeError(
      'Closed',
      'The program was closed while this run was unfinished; start it again.',
      'interrupted',
    );
    const runs = [...this.#waiting.map((entry) => entry.run), ...(this.#running ? [this.#running.run] : [])];
    await Promise.all(runs.map((run) => this.#finish(run, { state: 'interrupted', error })));
  }

  async #finish(run: string, ending: NonNullable<Entry['ending']>): Promise<void> {
    const position = this.#waiting.findIndex((entry) => entry.run === run);
    const waiting = position < 0 ? undefined : this.#waiting.splice(position, 1)[0];
    if (waiting !== undefined) {
      this.#store(waiting, { state: ending.state, results: null, seconds: 0, error: ending.error });
      return;
    }
    const entry = this.#running;
    if (entry?.run !== run) return;
    entry.ending ??= ending;
    entry.abort.abort();
    const wait = Math.min(this.#settings.patience ?? patience, this.#closed ? closingPatience : patience);
    const timer = setTimeout(() => void this.#settings.compute.kill(), wait);
    await entry.ended;
    clearTimeout(timer);
  }

  #next(): void {
    if (this.#running !== null || this.#closed) return;
    const entry = this.#waiting.shift();
    if (entry === undefined) return;
    this.#running = entry;
    void this.#run(entry).finally(() => {
      this.#running = null;
      entry.end();
      this.#next();
    });
  }

  async #run(entry: Entry): Promise<void> {
    const { database, compute, changed } = this.#settings;
    const { run, spec, abort } = entry;
    const recorder = createRecorder(database, run, {
      stored: () => changed(run, 'running'),
      // Rows that cannot be stored end the run: a result that nobody can look up is none.
      failed: (error) => void this.#finish(run, { state: 'failed', error }),
    });
    entry.recorder = recorder;
    let results: Json = null;
    let failure: unknown = null;
    try {
      if (!markRunning(database, run, new Date().toISOString())) return;
      changed(run, 'running');
      results = await compute.use(async (client) => {
        const unsubscribe = client.onEmission((sent) => {
          if (sent.run === run) recorder.add(sent.emission);
        });
        try {
          return await client.execute(run, spec, abort.signal, this.#settings.weights);
        } finally {
          unsubscribe();
        }
      });
    } catch (error) {
      failure = error;
    }
    try {
      recorder.flush();
    } catch (error) {
      failure ??= error;
    }
    recorder.end();
    this.#store(entry, { results, seconds: recorder.seconds(), ...outcomeOf(entry, failure) });
  }

  #store(entry: Entry, ended: { state: Outcome['state']; results: Json; seconds: number; error: unknown }): void {
    const { database, changed } = this.#settings;
    const { state, results, seconds, error } = ended;
    try {
      const outcome: Outcome = {
        state,
        seconds,
        finished: new Date().toISOString(),
        error: error === null ? null : errorRecord(error),
        results: state === 'finished' ? results : null,
      };
      if (markEnded(database, entry.run, outcome)) changed(entry.run, state);
    } catch (storing) {
      // The disk is full or the file is gone: the run stays `running` until the next start calls it interrupted.
      process.stderr.write(`error[${errorRecord(storing).code}]: ${errorRecord(storing).message}\n`);
    }
  }
}

/** How a run ended, from what was wanted of it and what compute answered. */
function outcomeOf(entry: Entry, failure: unknown): { state: Outcome['state']; error: unknown } {
  if (failure === null) return entry.ending?.state === 'failed' ? { ...entry.ending } : { state: 'finished', error: null };
  if (entry.ending !== null) return { ...entry.ending };
  if (failure instanceof HopscopeError && failure.code === 'ComputeDied') return { state: 'interrupted', error: failure };
  return { state: 'failed', error: failure };
}

function withResolvers(): { promise: Promise<void>; resolve(): void } {
  let settle: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle() };
}
