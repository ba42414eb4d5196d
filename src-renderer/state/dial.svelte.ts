/**
 * The dial of one run: which training's weights, what the sliders say, and what compute answers to it. One question is under way at a time, the
 * newest next; where answers are fast, the line of the slider is measured meanwhile. Stored paths are dial-paths.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { DialAnswer, DialPath, KeptTraining, StrengthBlock } from '../../src-main/shared/contract-weights.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { ItemSet, KeptWeights } from '../../src-main/shared/records.ts';
import { type Blocks, lineStrengths, oneBlock, pointsAlong, rearranged, type VisitedPoint } from '../measures/dial.ts';
import { DialPaths } from './dial-paths.svelte.ts';
import { isDisconnected } from './follow.ts';

/** Bytes of kept weights up to which they are loaded without being asked for: no more than a moment. */
const smallWeights = 64 * 2 ** 20;
/** Seconds of measuring up to which the answer follows a slider that is being dragged. */
const liveSeconds = 0.25;

let dials = 0;

export class Dial {
  readonly run: string;
  readonly paths: DialPaths;
  /** The name under which compute tells of progress. */
  readonly #name = `dial ${++dials}`;
  #kept = $state.raw<KeptWeights[] | null>(null);
  #sets = $state.raw<ItemSet[]>([]);
  #chosen = $state(0);
  #strengths = $state.raw<StrengthBlock[]>([{ layers: null, strength: 1 }]);
  #active = $state(0);
  #points = $state.raw<VisitedPoint[]>([]);
  /** Measured for the lines of sliders alone. */
  #line = $state.raw<VisitedPoint[]>([]);
  #answer = $state.raw<DialAnswer | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #waiting = $state(false);
  #progress = $state.raw<{ done: number; total: number } | null>(null);
  #wanted: StrengthBlock[] | null = null;
  #behind = $state(false);
  /** Until something is asked for again, nothing is measured unasked. */
  #rests = false;
  #abort: AbortController | null = null;

  constructor(run: string) {
    this.run = run;
    this.paths = new DialPaths(run);
  }

  /** Null until the first answer. */
  get kept(): KeptWeights[] | null {
    return this.#kept;
  }

  get chosen(): number {
    return this.#chosen;
  }

  get training(): KeptWeights | null {
    return this.#kept?.[this.#chosen] ?? null;
  }

  /** Lists that the training has measured, as far as an answer has named them. */
  get sets(): ItemSet[] {
    const measured = this.#answer?.sets.map(({ set }) => set);
    return measured === undefined ? [] : this.#sets.filter(({ set }) => measured.includes(set));
  }

  get strengths(): StrengthBlock[] {
    return this.#strengths;
  }

  /** The slider that was moved last. */
  get active(): number {
    return this.#active;
  }

  /** Where the sliders have been. */
  get points(): VisitedPoint[] {
    return this.#points;
  }

  /** All that is measured of the training: `points`, and what was measured for lines. */
  get measured(): VisitedPoint[] {
    return [...this.#line, ...this.#points];
  }

  /** To the strengths that were measured last, which may be behind the sliders, and of another training until `points` has one of this. */
  get answer(): DialAnswer | null {
    return this.#answer;
  }

  get layers(): number | null {
    return this.#answer?.layers ?? null;
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  get waiting(): boolean {
    return this.#waiting;
  }

  /** Whether what was asked for last is not measured yet. */
  get behind(): boolean {
    return this.#behind;
  }

  get progress(): { done: number; total: number } | null {
    return this.#progress;
  }

  /** Whether answers come fast enough to follow a slider that is being dragged. */
  get live(): boolean {
    return this.#answer !== null && this.#answer.seconds <= liveSeconds;
  }

  /** Reads what the run keeps, and asks for the trained weights at once where they are small. Returns the way to end. */
  open(service: Service): () => void {
    const unsubscribe = service.onDial(({ dial, done, total }) => {
      if (dial === this.#name) this.#progress = { done, total };
    });
    void this.#attempt(async () => {
      const [kept, sets] = await Promise.all([
        service.keptWeights(this.run),
        service.itemSets(this.run),
        this.paths.read(service),
      ]);
      this.#sets = sets;
      this.#kept = kept;
      this.#askIfSmall(service);
    });
    return () => {
      unsubscribe();
      this.stop();
    };
  }

  /** Goes to another training, with all of its change. `ask`: whether that is measured. */
  choose(service: Service, place: number, { ask } = { ask: true }): void {
    if (place === this.#chosen || this.#kept?.[place] === undefined) return;
    this.stop();
    this.#chosen = place;
    this.#strengths = [{ layers: null, strength: 1 }];
    this.#active = 0;
    this.#points = [];
    this.#line = [];
    this.#error = null;
    if (ask) this.#askIfSmall(service);
  }

  /** The training of a seed and stage, where one is kept. */
  chooseOf(service: Service, seed: number | null, stage: string, options?: { ask: boolean }): void {
    const place = this.#kept?.findIndex((kept) => kept.stage === stage && (seed === null || kept.seed === seed)) ?? -1;
    if (place >= 0) this.choose(service, place, options);
  }

  /** Cuts the layers into other blocks; strengths stay where that is possible. */
  arrange(service: Service, blocks: Blocks): void {
    if (this.layers === null) return;
    this.#strengths = rearranged(this.#strengths, blocks, this.layers);
    this.#active = 0;
    this.ask(service);
  }

  /** Moves one slider; asks at once where answers come fast, else when it is let go (`ask`). */
  turn(service: Service, block: number, strength: number): void {
    this.#active = block;
    this.#strengths = this.#strengths.map((entry, place) => (place === block ? { ...entry, strength } : entry));
    if (this.live) this.ask(service);
  }

  /** All blocks at one strength. */
  set(service: Service, strength: number): void {
    this.#strengths = this.#strengths.map((entry) => ({ ...entry, strength }));
    this.ask(service);
  }

  /** One slider for all layers, at the trained weights. */
  reset(service: Service): void {
    this.#strengths = oneBlock.map(({ layers }) => ({ layers, strength: 1 }));
    this.#active = 0;
    this.ask(service);
  }

  /** Measures what the sliders say, unless that is what was measured last. */
  ask(service: Service): void {
    this.#wanted = this.#strengths;
    this.#behind = true;
    this.#rests = false;
    void this.#pump(service);
  }

  stop(): void {
    this.#wanted = null;
    this.#behind = false;
    this.#rests = true;
    this.#abort?.abort();
  }

  /** Stores the visited points with the run; its number, or null where that failed. */
  savePath(service: Service): Promise<number | null> {
    const training = this.#trainingAsked();
    if (training === null) return Promise.resolve(null);
    return this.#attempt(() => this.paths.save(service, training, this.#points));
  }

  /** Puts a stored path's points among the visited ones and goes to where it ended. */
  openPath(service: Service, { seed, stage, points }: DialPath): void {
    this.chooseOf(service, seed, stage, { ask: false });
    const last = points.at(-1);
    if (last === undefined) return;
    this.#points = [...points.map((point) => ({ ...point, items: new Map() })), ...this.#points];
    this.#strengths = last.strengths;
    this.#active = 0;
    this.ask(service);
  }

  #askIfSmall(service: Service): void {
    const { training } = this;
    if (training !== null && training.bytes <= smallWeights) this.ask(service);
  }

  #trainingAsked(): KeptTraining | null {
    const { training } = this;
    return training === null ? null : { run: this.run, seed: training.seed, stage: training.stage };
  }

  async #pump(service: Service): Promise<void> {
    if (this.#waiting) return;
    this.#waiting = true;
    for (;;) {
      const isWanted = this.#wanted !== null;
      this.#behind = isWanted;
      const [strengths, training] = [this.#wanted ?? this.#nextOfLine(), this.#trainingAsked()];
      this.#wanted = null;
      if (training === null || strengths === null) break;
      // A slider that is let go says once more what it said while it was dragged
      const isSaid = JSON.stringify(this.#points.at(-1)?.strengths) === JSON.stringify(strengths);
      if (isWanted && isSaid && this.#error === null) continue;
      this.#abort = new AbortController();
      this.#progress = null;
      const chosen = this.#chosen;
      try {
        const answer = await service.dial(training, strengths, this.#name, this.#abort.signal);
        if (chosen === this.#chosen) this.#take(strengths, answer, isWanted);
      } catch (error) {
        const record = errorRecord(error);
        if (this.#wanted === null) this.#rests = true;
        if (chosen === this.#chosen && record.code !== 'Interrupted' && !isDisconnected(record.code)) this.#error = record;
      }
    }
    this.#waiting = false;
    this.#progress = null;
  }

  /** The next place to measure on the line of the slider that was moved last, while nothing else is asked for; null where it is done. */
  #nextOfLine(): StrengthBlock[] | null {
    const { layers } = this;
    if (this.#rests || !this.live || layers === null || this.#points.length === 0) return null;
    const known = new Set(pointsAlong(this.measured, this.#strengths, this.#active, layers).map(({ strength }) => strength));
    const strength = lineStrengths.find((place) => !known.has(place));
    if (strength === undefined) return null;
    return this.#strengths.map((entry, place) => (place === this.#active ? { ...entry, strength } : entry));
  }

  #take(strengths: StrengthBlock[], answer: DialAnswer, isWanted: boolean): void {
    this.#error = null;
    const items = new Map(answer.sets.map(({ set, ranks }) => [set, ranks]));
    const ranks = answer.sets.map(({ set, meanRank, loss }) => ({ set, meanRank, loss }));
    const point = { strengths, ranks, items };
    if (!isWanted) {
      this.#line = [...this.#line, point];
      return;
    }
    this.#answer = answer;
    this.#points = [...this.#points, point];
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      const record = errorRecord(error);
      if (!isDisconnected(record.code)) this.#error = record;
      return null;
    }
  }
}
