/**
 * The scores that the circuit explorer looks at: which scoring, seed and item of a run, minus another run's where one is chosen, as tables.
 * Stored rows are asked for once and kept while the screen is open. What people mark in them is in circuit-marks.svelte.ts.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ComponentScores, ScoredRun, ScoreListing } from '../../src-main/shared/contract-circuits.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { ItemSet, RunDetail } from '../../src-main/shared/records.ts';
import { namesOfPart } from '../circuit/component-summary.ts';
import type { Component } from '../circuit/components.ts';
import { differenceOf, meanOf, promptTokens, type ScoreTables, shownNames, tablesOf } from '../circuit/scores.ts';
import { accumulationTokens, tokenNames } from '../circuit/tokens.ts';
import { isDisconnected } from './follow.ts';

/** A run with what it says of its scores. */
interface Source {
  detail: RunDetail;
  sets: ItemSet[];
  listings: ScoreListing[];
}

/** Every stage together, for runs whose stages store different scores. */
export const allStages = '';

export class CircuitScores {
  readonly id: string;
  #source = $state.raw<Source | null>(null);
  #other = $state.raw<Source | null>(null);
  #runs = $state.raw<ScoredRun[]>([]);
  /** Layers whose attention and MLP read the same input; null until the model has said. */
  #parallel = $state(false);
  #tables = $state.raw<ScoreTables | null>(null);
  #problem = $state<string | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #stage = $state<string | null>(null);
  #seed = $state<number | null>(null);
  #point = $state(-1);
  #otherId = $state<string | null>(null);
  #cache = new Map<string, Promise<ScoreTables>>();
  #course = $state.raw<ReadonlyMap<string, ScoreTables>>(new Map());
  #asked = 0;

  constructor(id: string) {
    this.id = id;
  }

  get detail(): RunDetail | null {
    return this.#source?.detail ?? null;
  }

  get listings(): ScoreListing[] {
    return this.#source?.listings ?? [];
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  /** Why the other run cannot be subtracted. */
  get problem(): string | null {
    return this.#problem;
  }

  /** What is shown; null until the first answer, then the former tables until the next ones are there. */
  get tables(): ScoreTables | null {
    return this.#tables;
  }

  get parallel(): boolean {
    return this.#parallel;
  }

  /** Other runs with scores. */
  get otherRuns(): ScoredRun[] {
    return this.#runs.filter(({ run }) => run !== this.id);
  }

  get other(): RunDetail | null {
    return this.#otherId === null ? null : (this.#other?.detail ?? null);
  }

  get otherId(): string | null {
    return this.#otherId;
  }

  set otherId(run: string | null) {
    this.#otherId = run;
  }

  /** Names of scorings in the order in which they were stored; `allStages` first where each stores other scores. */
  get stages(): string[] {
    const stages = [...new Set(this.listings.map(({ stage }) => stage))];
    return stages.length > 1 && this.#isSplit ? [allStages, ...stages] : stages;
  }

  get stage(): string {
    const { stages } = this;
    return this.#stage !== null && stages.includes(this.#stage)
      ? this.#stage
      : (stages[this.course ? stages.length - 1 : 0] ?? '');
  }

  set stage(stage: string) {
    this.#stage = stage;
    if (!this.points.includes(this.#point)) this.#point = -1;
  }

  /** Whether the stages are points in time: checkpoints of a pretraining. */
  get course(): boolean {
    return this.detail?.experiment === 'emergence';
  }

  /** Tables by checkpoint as far as they were asked for, so that one scale fits them all. */
  get courseTables(): ReadonlyMap<string, ScoreTables> {
    return this.#course;
  }

  get seeds(): number[] {
    return [...new Set(this.#listingsOf(this.stage).map(({ seed }) => seed))].sort((a, b) => a - b);
  }

  /** Null: the mean over seeds. */
  get seed(): number | null {
    return this.#seed !== null && this.seeds.includes(this.#seed) ? this.#seed : null;
  }

  set seed(seed: number | null) {
    this.#seed = seed;
  }

  /** Items with scores, and -1 for their average. */
  get points(): number[] {
    if (this.stage === allStages) return [-1];
    return [...new Set(this.#listingsOf(this.stage).flatMap(({ points }) => points))].sort((a, b) => a - b);
  }

  get point(): number {
    return this.points.includes(this.#point) ? this.#point : -1;
  }

  set point(point: number) {
    this.#point = point;
  }

  /** The list that the items are of. */
  get set(): ItemSet | null {
    const name = this.#listingsOf(this.stage)[0]?.set;
    return this.#source?.sets.find(({ set }) => set === name) ?? null;
  }

  get tokens(): { names: string[]; named: boolean } {
    const count = Math.max(0, ...[...(this.#tables?.values() ?? [])].map(({ tokens }) => tokens));
    return tokenNames(this.detail?.results ?? null, this.point, count);
  }

  /** Asks for the run and what it stored. */
  async open(service: Service): Promise<void> {
    try {
      this.#source = await sourceOf(service, this.id);
      this.#runs = await service.scoredRuns();
      this.#error = null;
      // The stored data do not say how a layer is wired; without the model the usual order is assumed.
      void service.describeModel(this.#source.detail.model).then(
        ({ family }) => {
          this.#parallel = family === 'gpt_neox';
        },
        () => {},
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes the tables of what is chosen; the former ones stay until then. */
  async show(service: Service): Promise<void> {
    const source = this.#source;
    const { stage, seed, point, otherId, seeds } = this;
    if (source === null || source.listings.length === 0) return;
    const asked = ++this.#asked;
    try {
      const own = await this.#load(service, source, stage, seed === null ? seeds : [seed], point);
      const minus = otherId === null ? null : await this.#minus(service, own, otherId, { stage, seed, point });
      if (asked !== this.#asked) return;
      this.#problem = minus !== null && 'problem' in minus ? minus.problem : null;
      this.#tables = minus !== null && 'tables' in minus ? minus.tables : own;
      this.#error = null;
      if (this.course && otherId === null) await this.#loadCourse(service, source, seed, asked);
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    }
  }

  /** The averages over items and seeds, for orders of components. */
  averages(service: Service): Promise<ScoreTables> {
    return this.#source === null ? Promise.resolve(new Map()) : this.#load(service, this.#source, this.stage, this.seeds, -1);
  }

  /** One component's scores of every seed and item. */
  async component(service: Service, { part, layer, head }: Component): Promise<ComponentScores[]> {
    const listings = this.#listingsOf(this.stage);
    const names = namesOfPart(listings, part);
    const stages = [...new Set(listings.map(({ stage }) => stage))];
    const rows = await Promise.all(stages.map((stage) => service.componentScores(this.id, { stage, names, layer, head })));
    return rows.flat();
  }

  get #isSplit(): boolean {
    const byStage = new Map<string, Set<string>>();
    for (const { stage, names } of this.listings) byStage.set(stage, new Set([...(byStage.get(stage) ?? []), ...names]));
    const all = [...byStage.values()].flatMap((names) => [...names]);
    return new Set(all).size === all.length;
  }

  #listingsOf(stage: string): ScoreListing[] {
    return listingsOf(this.listings, stage);
  }

  #load(
    service: Service,
    { detail, listings }: Source,
    stage: string,
    seeds: readonly number[],
    point: number,
  ): Promise<ScoreTables> {
    const key = JSON.stringify([detail.run, stage, seeds, point]);
    let loading = this.#cache.get(key);
    if (loading === undefined) {
      loading = loadTables(service, detail, { stage, seeds, point, names: [...new Set(listings.flatMap(({ names }) => names))] });
      loading.catch(() => this.#cache.delete(key));
      this.#cache.set(key, loading);
    }
    return loading;
  }

  async #loadCourse(service: Service, source: Source, seed: number | null, asked: number): Promise<void> {
    const course = new Map<string, ScoreTables>();
    for (const stage of this.stages) {
      const seeds = [...new Set(this.#listingsOf(stage).map((listing) => listing.seed))];
      course.set(stage, await this.#load(service, source, stage, seed === null ? seeds : [seed], -1));
      if (asked !== this.#asked) return;
    }
    this.#course = course;
  }

  async #minus(
    service: Service,
    own: ScoreTables,
    otherId: string,
    { stage, seed, point }: { stage: string; seed: number | null; point: number },
  ): Promise<{ tables: ScoreTables } | { problem: string }> {
    if (this.#other?.detail.run !== otherId) this.#other = await sourceOf(service, otherId);
    const other = this.#other;
    const stages = new Set(other.listings.map((listing) => listing.stage));
    const theirs = stage === allStages || stages.has(stage) ? stage : ([...stages].at(-1) ?? '');
    const listings = listingsOf(other.listings, theirs);
    if (!listings.some(({ points }) => points.includes(point)))
      return { problem: 'The other run stored no scores of this item: choose the average.' };
    const set = other.sets.find((candidate) => candidate.set === listings[0]?.set);
    if (point >= 0 && set?.pairs[point]?.[0] !== this.set?.pairs[point]?.[0])
      return { problem: 'The other run’s item of this number is another prompt: choose the average.' };
    const known = [...new Set(listings.map((listing) => listing.seed))];
    const seeds = seed !== null && known.includes(seed) ? [seed] : known;
    return differenceOf(own, await this.#load(service, other, theirs, seeds, point));
  }

  #fail(error: unknown): void {
    const record = errorRecord(error);
    if (!isDisconnected(record.code)) this.#error = record;
  }
}

function listingsOf(listings: readonly ScoreListing[], stage: string): ScoreListing[] {
  return listings.filter((listing) => stage === allStages || listing.stage === stage);
}

async function sourceOf(service: Service, run: string): Promise<Source> {
  const [detail, sets, listings] = await Promise.all([service.run(run), service.itemSets(run), service.scoreListing(run)]);
  return { detail, sets, listings };
}

/** The tables of one item, as the mean over seeds. */
async function loadTables(
  service: Service,
  detail: RunDetail,
  { stage, seeds, point, names }: { stage: string; seeds: readonly number[]; point: number; names: readonly string[] },
): Promise<ScoreTables> {
  const asked = shownNames.filter((name) => names.includes(name));
  const query = { point, names: asked, ...(stage === allStages ? {} : { stage }) };
  const rows = await Promise.all(seeds.map((seed) => service.scores(detail.run, { ...query, seed })));
  const known = point < 0 ? accumulationTokens(detail.results) : undefined;
  const tokens = known ?? promptTokens(rows.flat());
  return meanOf(rows.filter((ofSeed) => ofSeed.length > 0).map((ofSeed) => tablesOf(ofSeed, tokens)));
}
