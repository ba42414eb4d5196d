/**
 * Several runs side by side: which they are, how they are shown, and their stored rows, fetched again as they change.
 * Every choice is in the address, so that it can be sent and kept; what follows from the rows is in measures/compare-*.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { CurveChoice } from '../measures/compare-series.ts';
import type { ComparedRun } from '../measures/compare-settings.ts';
import { follow, isDisconnected } from './follow.ts';

/** More than this many lines say nothing. */
export const mostRuns = 24;
const standardTolerance = 1;

const pauseMilliseconds = 1000;
/** Between two showings of what has arrived. */
const showingMilliseconds = 600;

export class Comparison {
  #ids = $state.raw<readonly string[]>([]);
  #loaded = $state.raw<ReadonlyMap<string, ComparedRun>>(new Map());
  #errors = $state.raw<ReadonlyMap<string, ErrorRecord>>(new Map());
  #x = $state<CurveChoice['x']>('epoch');
  #seeds = $state<CurveChoice['seeds']>('interval');
  #stage = $state<string | null>(null);
  #view = $state<'overlay' | 'panels'>('overlay');
  #tolerance = $state(standardTolerance);
  #pinned = $state.raw<readonly string[]>([]);
  #reference = $state<string | null>(null);
  #service: Service | null = null;
  /** Ends with the fetch under way: there is one at a time, so that nothing is asked for twice. */
  #fetched: Promise<void> = Promise.resolve();
  #replaceAddress: (address: string) => void;

  /** The chosen runs that have been fetched, in the chosen order. */
  readonly runs = $derived(this.#ids.flatMap((id) => this.#loaded.get(id) ?? []));

  readonly choice = $derived<CurveChoice>({ x: this.#x, seeds: this.#seeds, stage: this.#stage });

  /** `replaceAddress` is told of every change of what is shown. */
  constructor(query: URLSearchParams, replaceAddress: (address: string) => void) {
    this.#replaceAddress = replaceAddress;
    this.#ids = idsOf(query.get('runs') ?? '');
    if (query.get('x') === 'step') this.#x = 'step';
    if (query.get('seeds') === 'lines') this.#seeds = 'lines';
    if (query.get('view') === 'panels') this.#view = 'panels';
    this.#stage = query.get('stage');
    this.#pinned = idsOf(query.get('pinned') ?? '');
    this.#reference = query.get('reference');
    const tolerance = Number(query.get('tolerance') ?? Number.NaN);
    if (Number.isFinite(tolerance) && tolerance >= 0) this.#tolerance = tolerance;
  }

  get ids(): readonly string[] {
    return this.#ids;
  }

  /** Runs that could not be read, with the reason. */
  get errors(): ReadonlyMap<string, ErrorRecord> {
    return this.#errors;
  }

  /** Whether some chosen run is neither there nor known to fail. */
  get waiting(): boolean {
    return this.#ids.some((id) => !this.#loaded.has(id) && !this.#errors.has(id));
  }

  get x(): CurveChoice['x'] {
    return this.#x;
  }
  set x(x: CurveChoice['x']) {
    this.#x = x;
    this.#tell();
  }

  get seeds(): CurveChoice['seeds'] {
    return this.#seeds;
  }
  set seeds(seeds: CurveChoice['seeds']) {
    this.#seeds = seeds;
    this.#tell();
  }

  /** The training shown of runs that have several; null: each run's main one. */
  get stage(): string | null {
    return this.#stage;
  }
  set stage(stage: string | null) {
    this.#stage = stage;
    this.#tell();
  }

  get view(): 'overlay' | 'panels' {
    return this.#view;
  }
  set view(view: 'overlay' | 'panels') {
    this.#view = view;
    this.#tell();
  }

  /** In ranks among the paper's 20 options. */
  get tolerance(): number {
    return this.#tolerance;
  }
  set tolerance(tolerance: number) {
    this.#tolerance = Number.isFinite(tolerance) && tolerance >= 0 ? tolerance : standardTolerance;
    this.#tell();
  }

  /** Runs kept on top of tables. */
  get pinned(): readonly string[] {
    return this.#pinned;
  }

  togglePin(run: string): void {
    this.#pinned = this.#pinned.includes(run) ? this.#pinned.filter((entry) => entry !== run) : [...this.#pinned, run];
    this.#tell();
  }

  /** The run that differences are taken to; null where none is chosen, or it is not compared any more. */
  get reference(): string | null {
    return this.#reference !== null && this.#ids.includes(this.#reference) ? this.#reference : null;
  }
  set reference(run: string | null) {
    this.#reference = run;
    this.#tell();
  }

  /** Compares these runs, the first 24 of them. */
  choose(ids: readonly string[]): void {
    this.#ids = [...new Set(ids)].slice(0, mostRuns);
    this.#tell();
    if (this.#service !== null) void this.#fetch(this.#service);
  }

  remove(run: string): void {
    this.choose(this.#ids.filter((id) => id !== run));
  }

  /** The address of what is shown. */
  get address(): string {
    const query = new URLSearchParams();
    if (this.#x !== 'epoch') query.set('x', this.#x);
    if (this.#seeds !== 'interval') query.set('seeds', this.#seeds);
    if (this.#view !== 'overlay') query.set('view', this.#view);
    if (this.#stage !== null) query.set('stage', this.#stage);
    if (this.#tolerance !== standardTolerance) query.set('tolerance', String(this.#tolerance));
    const pinned = this.#pinned.filter((run) => this.#ids.includes(run));
    if (pinned.length > 0) query.set('pinned', pinned.join(','));
    if (this.reference !== null) query.set('reference', this.reference);
    const rest = query.toString();
    return `${compareAddress(this.#ids)}${rest === '' ? '' : `${this.#ids.length === 0 ? '?' : '&'}${rest}`}`;
  }

  /** Fetches now and as chosen runs change, until the returned function is called. */
  follow(service: Service): () => void {
    this.#service = service;
    // Another host owes no answer to what the former one was asked
    this.#fetched = Promise.resolve();
    const stale = new Set<string>();
    const loop = follow(async () => {
      const again = [...stale];
      stale.clear();
      await this.#fetch(service, again);
    }, pauseMilliseconds);
    const unsubscribe = service.onRunChanged(({ run }) => {
      if (!this.#ids.includes(run)) return;
      stale.add(run);
      loop.changed();
    });
    return () => {
      unsubscribe();
      loop.end();
    };
  }

  #fetch(service: Service, again: readonly string[] = []): Promise<void> {
    this.#fetched = this.#fetched.then(() => this.#fetchMissing(service, again));
    return this.#fetched;
  }

  /**
   * Fetches what is missing, and `again` what changed; one run at a time, so that the host answers others too. What is chosen meanwhile is
   * fetched as well. What has arrived is shown now and then: every showing compares all runs anew.
   */
  async #fetchMissing(service: Service, again: readonly string[]): Promise<void> {
    const asked = new Set<string>();
    const next = () => this.#ids.find((id) => !asked.has(id) && (!this.#loaded.has(id) || again.includes(id)));
    const arrived = new Map<string, ComparedRun>();
    const show = () => {
      if (arrived.size === 0) return;
      this.#loaded = new Map([...this.#loaded, ...arrived]);
      if ([...arrived.keys()].some((id) => this.#errors.has(id))) {
        this.#errors = new Map([...this.#errors].filter(([id]) => !arrived.has(id)));
      }
      arrived.clear();
    };
    let shown = performance.now();
    for (let id = next(); id !== undefined; id = next()) {
      asked.add(id);
      try {
        const [detail, sets, steps, evaluations, figures] = await Promise.all([
          service.run(id),
          service.itemSets(id),
          service.steps(id),
          service.evaluations(id),
          service.figures(id),
        ]);
        arrived.set(id, { detail, sets, steps, evaluations, figures });
      } catch (error) {
        const record = errorRecord(error);
        if (!isDisconnected(record.code)) this.#errors = new Map(this.#errors).set(id, record);
      }
      if (performance.now() - shown < showingMilliseconds) continue;
      show();
      shown = performance.now();
    }
    show();
  }

  #tell(): void {
    this.#replaceAddress(this.address);
  }
}

function idsOf(text: string): string[] {
  return [...new Set(text.split(',').filter(Boolean))].slice(0, mostRuns);
}

/** The address of a comparison of these runs. */
export function compareAddress(runs: readonly string[]): string {
  return runs.length === 0 ? '/compare' : `/compare?runs=${runs.map(encodeURIComponent).join(',')}`;
}
