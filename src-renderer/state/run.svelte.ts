/**
 * One run as its screen shows it: the stored rows, fetched again whenever they change, and the curves derived from them.
 * A live run, a finished one and one reopened after a reload take this same path; nothing is kept between visits.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { QueueEntry } from '../../src-main/shared/contract-runs.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { Figure } from '../../src-main/shared/figures.ts';
import type { EvaluationRow, ItemSet, RunDetail, StepRow } from '../../src-main/shared/records.ts';
import { isUnderWay } from '../../src-main/shared/run-state.ts';
import { type Curve, lossCurve, rankCurves, type Standing, seedsOf, stagesOf, standing } from '../measures/curves.ts';
import { type StageCurves, stageCurves } from '../measures/stages.ts';
import { captionOf } from '../text/caption.ts';
import { follow, isDisconnected } from './follow.ts';

const pauseMilliseconds = 200;
/** Items with their logits are the bulk of a run's rows: a live table may lag the curves by this much. */
const itemsPauseMilliseconds = 2000;

export class RunView {
  readonly id: string;
  #detail = $state.raw<RunDetail | null>(null);
  #steps = $state.raw<StepRow[]>([]);
  #sets = $state.raw<ItemSet[]>([]);
  #evaluations = $state.raw<EvaluationRow[]>([]);
  #measured = $state.raw<EvaluationRow[]>([]);
  #figures = $state.raw<Figure[]>([]);
  #queue = $state.raw<QueueEntry[]>([]);
  #error = $state.raw<ErrorRecord | null>(null);
  #stage = $state<string | null>(null);
  #itemsFetched = 0;
  /** How often notes were stored here: a fetch that began before has older ones. */
  #notesStored = 0;

  #stages = $derived(stagesOf(this.#evaluations));
  #rankCurves = $derived(rankCurves(this.#evaluations, this.#sets, this.stage));
  #lossCurve = $derived(lossCurve(this.#steps, this.stage));
  #stageCurves = $derived(stageCurves(this.#evaluations, this.#steps, this.#sets));

  constructor(id: string) {
    this.id = id;
  }

  get detail(): RunDetail | null {
    return this.#detail;
  }

  get sets(): ItemSet[] {
    return this.#sets;
  }

  /** What the experiment drew of its results; empty until it has finished. */
  get figures(): Figure[] {
    return this.#figures;
  }

  get steps(): StepRow[] {
    return this.#steps;
  }

  /** Without their items. */
  get evaluations(): EvaluationRow[] {
    return this.#evaluations;
  }

  /** The program's runs that wait or run, while this one is among them. */
  get queue(): QueueEntry[] {
    return this.#queue;
  }

  /** Evaluations with their items, for the per-fact tables. */
  get measured(): EvaluationRow[] {
    return this.#measured;
  }

  /** Why the last fetch or action failed. */
  get error(): ErrorRecord | null {
    return this.#error;
  }

  get stages(): string[] {
    return this.#stages;
  }

  /** The training that the run list's outcome is of; of a run that has trained nothing yet, its first stage. */
  get mainStage(): string | undefined {
    const stored = this.#detail?.outcome?.stage;
    return stored !== undefined && this.#stages.includes(stored) ? stored : this.#stages[0];
  }

  /** The training whose curves and items are shown, the main one until another is chosen. */
  get stage(): string | undefined {
    return this.#stage ?? this.mainStage;
  }

  set stage(stage: string | undefined) {
    this.#stage = stage ?? null;
  }

  get rankCurves(): Curve[] {
    return this.#rankCurves;
  }

  get lossCurve(): Curve {
    return this.#lossCurve;
  }

  /** Curves of every stage, whichever is chosen. */
  get stageCurves(): StageCurves[] {
    return this.#stageCurves;
  }

  /** Seeds that have begun, in ascending order. */
  get seeds(): number[] {
    return seedsOf(this.#evaluations);
  }

  /** Seeds the spec asks for, where it says so. Given batches leave nothing to chance: one seed is all there is. */
  get plannedSeeds(): number {
    if (this.#detail?.spec.orders !== undefined) return 1;
    const seeds = this.#detail?.spec.seeds;
    return Array.isArray(seeds) ? seeds.length : this.seeds.length;
  }

  /** Epochs of the spec, where it says so: the axis is complete from the start. */
  get plannedEpochs(): number | null {
    const orders = this.#detail?.spec.orders;
    if (Array.isArray(orders)) return orders.length;
    const epochs = this.#detail?.spec.epochs;
    return typeof epochs === 'number' ? epochs : null;
  }

  get live(): boolean {
    return this.#detail !== null && isUnderWay(this.#detail.state);
  }

  /** Where the numbers of a figure of this run come from; `seeds`: those that are shown. */
  provenance(seeds?: readonly number[]): string {
    return this.#detail === null ? '' : captionOf([this.#detail], { seeds });
  }

  /** First and latest mean rank of a set. */
  standing(set: string): Standing | null {
    const curve = this.#rankCurves.find((candidate) => candidate.set === set);
    return curve === undefined ? null : standing(curve);
  }

  /** Fetches now and at every change, until the returned function is called. */
  follow(service: Service): () => void {
    const loop = follow(() => this.refresh(service), pauseMilliseconds);
    const unsubscribe = service.onRunChanged((change) => {
      // A run that waits moves up as those before it end
      if (change.run === this.id || this.#detail?.state === 'queued') loop.changed();
    });
    return () => {
      unsubscribe();
      loop.end();
    };
  }

  async stop(service: Service): Promise<void> {
    await this.#attempt(() => service.stopRun(this.id));
  }

  /** Halts it after its current step, or lets it go on. */
  async setPaused(service: Service, paused: boolean): Promise<void> {
    await this.#attempt(async () => {
      await (paused ? service.pauseRun(this.id) : service.resumeRun(this.id));
      this.#queue = await service.queue();
    });
  }

  /** Stores notes in the place of `base`. Errors: those of the host, `NotesChanged` among them. */
  async saveNotes(service: Service, notes: string, base: string): Promise<void> {
    await service.saveRunNotes(this.id, notes, base);
    this.#notesStored++;
    if (this.#detail !== null) this.#detail = { ...this.#detail, notes };
  }

  /** Fetches once. */
  async refresh(service: Service): Promise<void> {
    await this.#attempt(async () => {
      const stored = this.#notesStored;
      // The run first: if it says finished, the rows fetched after it are complete.
      const detail = await service.run(this.id);
      const live = isUnderWay(detail.state);
      const wantItems = !live || Date.now() - this.#itemsFetched >= itemsPauseMilliseconds;
      const [steps, sets, evaluations, figures, queue] = await Promise.all([
        service.steps(this.id),
        service.itemSets(this.id),
        service.evaluations(this.id, { items: wantItems }),
        live ? [] : service.figures(this.id),
        live ? service.queue() : [],
      ]);
      this.#detail = this.#detail === null || stored === this.#notesStored ? detail : { ...detail, notes: this.#detail.notes };
      this.#steps = steps;
      this.#sets = sets;
      this.#evaluations = evaluations;
      this.#figures = figures;
      this.#queue = queue;
      if (wantItems) {
        this.#measured = evaluations;
        this.#itemsFetched = Date.now();
      }
    });
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
      this.#error = null;
    } catch (error) {
      const record = errorRecord(error);
      if (!isDisconnected(record.code)) this.#error = record;
    }
  }
}
