/**
 * The scores that the circuit explorer looks at: which scoring, seed and item of a run, minus another run's where one is chosen, as tables.
 * How they are read is in score-reader.ts, what people mark in them in circuit-marks.svelte.ts.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ComponentScores, ScoredRun, ScoreListing } from '../../src-main/shared/contract-circuits.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { ItemSet, RunDetail } from '../../src-main/shared/records.ts';
import { namesOfPart } from '../circuit/component-summary.ts';
import type { Component } from '../circuit/components.ts';
import type { Difference, Side } from '../circuit/difference.ts';
import type { ScoreTables } from '../circuit/scores.ts';
import { accumulationTokens, tokenNames } from '../circuit/tokens.ts';
import { seedsOf } from '../measures/curves.ts';
import { isDisconnected } from './follow.ts';
import { allStages, listingsOf, otherStage, ScoreReader, type ScoreSource, sourceOf, stagesOf } from './score-reader.ts';

export class CircuitScores {
  readonly id: string;
  #source = $state.raw<ScoreSource | null>(null);
  #other = $state.raw<ScoreSource | null>(null);
  #runs = $state.raw<ScoredRun[]>([]);
  /** Layers whose attention and MLP read the same input; null until the model has said. */
  #parallel = $state(false);
  #tables = $state.raw<ScoreTables | null>(null);
  #problem = $state<string | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #chosenStage = $state<string | null>(null);
  #seed = $state<number | null>(null);
  #chosenPoint = $state(-1);
  #otherId = $state<string | null>(null);
  #chosenOtherStage = $state<string | null>(null);
  #difference = $state.raw<Difference | null>(null);
  readonly #reader = new ScoreReader();
  #course = $state.raw<ReadonlyMap<string, ScoreTables>>(new Map());
  #asked = 0;

  // Read many times a frame: a run may have thousands of items
  readonly #stages = $derived(stagesOf(this.listings));
  readonly #otherStages = $derived.by(() => (this.other === null ? [] : stagesOf(this.#other?.listings ?? [])));
  readonly #stage = $derived.by(() => {
    const [stages, chosen] = [this.#stages, this.#chosenStage];
    return chosen !== null && stages.includes(chosen) ? chosen : (stages[this.course ? stages.length - 1 : 0] ?? '');
  });
  readonly #ofStage = $derived(listingsOf(this.listings, this.#stage));
  readonly #seeds = $derived(seedsOf(this.#ofStage));
  readonly #points = $derived(
    this.#stage === allStages ? [-1] : [...new Set(this.#ofStage.flatMap(({ points }) => points))].sort((a, b) => a - b),
  );
  readonly #point = $derived(this.#points.includes(this.#chosenPoint) ? this.#chosenPoint : -1);
  readonly #set = $derived(this.#source?.sets.find(({ set }) => set === this.#ofStage[0]?.set) ?? null);
  readonly #tokens = $derived.by(() => {
    const count = Math.max(0, ...[...(this.#tables?.values() ?? [])].map(({ tokens }) => tokens));
    return tokenNames(this.detail?.results ?? null, this.#ofStage[0]?.set ?? '', this.#point, count);
  });

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

  /** Other runs of the same project with scores, and the one that an address names, wherever it is. */
  get otherRuns(): { run: string; title: string }[] {
    const runs = this.#runs.filter(({ run }) => run !== this.id);
    const { otherId } = this;
    if (otherId === null || runs.some(({ run }) => run === otherId)) return runs;
    return [...runs, { run: otherId, title: this.other?.title ?? 'Another project’s run' }];
  }

  get other(): RunDetail | null {
    const detail = this.#other?.detail ?? null;
    return detail?.run === this.#otherId ? detail : null;
  }

  /** What `tables` are, where another run's scores were subtracted; null where they are this run's own. */
  get difference(): Difference | null {
    return this.#difference;
  }

  get otherId(): string | null {
    return this.#otherId;
  }

  set otherId(run: string | null) {
    if (run !== this.#otherId) this.#chosenOtherStage = null;
    this.#otherId = run;
  }

  /** The other run's scorings, of which one is subtracted. */
  get otherStages(): string[] {
    return this.#otherStages;
  }

  get otherStage(): string {
    return otherStage(this.#otherStages, this.stage, this.#chosenOtherStage);
  }

  set otherStage(stage: string | null) {
    this.#chosenOtherStage = stage;
  }

  /** The other run's stage that was chosen; null: the one that suits this run's. */
  get chosenOtherStage(): string | null {
    return this.#chosenOtherStage;
  }

  /** Names of scorings; `allStages` first where each stores other scores. */
  get stages(): string[] {
    return this.#stages;
  }

  get stage(): string {
    return this.#stage;
  }

  set stage(stage: string) {
    this.#chosenStage = stage;
    if (!this.points.includes(this.#chosenPoint)) this.#chosenPoint = -1;
  }

  /** The stage that was chosen; null: the first, or the last checkpoint. */
  get chosenStage(): string | null {
    return this.#chosenStage;
  }

  set chosenStage(stage: string | null) {
    this.#chosenStage = stage;
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
    return this.#seeds;
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
    return this.#points;
  }

  get point(): number {
    return this.#point;
  }

  set point(point: number) {
    this.#chosenPoint = point;
  }

  /** The list that the items are of. */
  get set(): ItemSet | null {
    return this.#set;
  }

  get tokens(): { names: string[]; named: boolean } {
    return this.#tokens;
  }

  /** How many positions the averages' prompt has; null where the run did not say. */
  get positions(): number | null {
    return accumulationTokens(this.detail?.results ?? null) ?? null;
  }

  /** Asks for the run and what it stored. */
  async open(service: Service): Promise<void> {
    try {
      this.#source = await sourceOf(service, this.id);
      this.#runs = await service.scoredRuns(this.#source.detail.project);
      this.#error = null;
      // The stored data do not say how a layer is wired; without the model the usual order is assumed.
      void service.describeModel(this.#source.detail.spec.model).then(
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
    const { stage, seed, point, otherId } = this;
    const seeds = seed === null ? this.seeds : [seed];
    if (source === null || source.listings.length === 0) return;
    const asked = ++this.#asked;
    try {
      const own = await this.#reader.load(service, source, stage, seeds, point);
      const minus = otherId === null ? null : await this.#minus(service, own, otherId, { detail: source.detail, stage, seeds });
      if (asked !== this.#asked) return;
      this.#problem = minus !== null && 'problem' in minus ? minus.problem : null;
      this.#tables = minus !== null && 'tables' in minus ? minus.tables : own;
      this.#difference = minus !== null && 'difference' in minus ? minus.difference : null;
      this.#error = null;
      if (this.course && otherId === null) await this.#loadCourse(service, source, seed, asked);
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    }
  }

  /** The averages over items and seeds, for orders of components. */
  averages(service: Service): Promise<ScoreTables> {
    return this.#source === null
      ? Promise.resolve(new Map())
      : this.#reader.load(service, this.#source, this.stage, this.seeds, -1);
  }

  /** One component's scores of every seed and item. */
  async component(service: Service, { part, layer, head }: Component): Promise<ComponentScores[]> {
    const listings = this.#ofStage;
    const names = namesOfPart(listings, part);
    const stages = [...new Set(listings.map(({ stage }) => stage))];
    const rows = await Promise.all(stages.map((stage) => service.componentScores(this.id, { stage, names, layer, head })));
    return rows.flat();
  }

  async #loadCourse(service: Service, source: ScoreSource, seed: number | null, asked: number): Promise<void> {
    const course = new Map<string, ScoreTables>();
    for (const stage of this.stages) {
      const seeds = seed === null ? seedsOf(listingsOf(this.listings, stage)) : [seed];
      course.set(stage, await this.#reader.load(service, source, stage, seeds, -1));
      if (asked !== this.#asked) return;
    }
    this.#course = course;
  }

  /** What is chosen of another run, subtracted; that run stays known until a third one is chosen. */
  async #minus(
    service: Service,
    own: ScoreTables,
    otherId: string,
    a: Side,
  ): Promise<{ tables: ScoreTables; difference: Difference } | { problem: string }> {
    const { seed, point, set } = this;
    const known = this.#other;
    const other = known?.detail.run === otherId ? known : await sourceOf(service, otherId);
    if (this.#otherId === otherId) this.#other = other;
    const theirs = otherStage(stagesOf(other.listings), a.stage, this.#chosenOtherStage);
    const minus = await this.#reader.minus(service, own, other, { theirs, seed, point, set });
    if ('problem' in minus) return minus;
    const { stage, seeds, missingSeed } = minus.subtracted;
    return { tables: minus.tables, difference: { a, b: { detail: other.detail, stage, seeds }, missingSeed } };
  }

  #fail(error: unknown): void {
    const record = errorRecord(error);
    if (!isDisconnected(record.code)) this.#error = record;
  }
}
