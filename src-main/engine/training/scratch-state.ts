/**
 * Trained parameters and their Adam moments on disk, a few at a time in memory: exact training of models whose state is larger than memory.
 * Every group of parameters is written to new files that replace the old ones once they are on disk, so a training killed at any moment goes on
 * from the last finished group with the same numbers. What is in one file is scratch-part.ts's.
 */
import { rm } from 'node:fs/promises';
import { HopscopeError } from '../../shared/errors.ts';
import type { RowGradient } from '../execution/embedding.ts';
import type { Executor } from '../execution/executor.ts';
import type { BackwardState } from '../execution/gradient-sink.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import type { Parameter } from '../models/parameters.ts';
import { Arena } from '../runtime/memory.ts';
import { elementCount } from '../tensor.ts';
import { sliceRows, takeRows, type Weights, type WeightTensor } from '../weights.ts';
import { type AdamSettings, type OptimizerState, stepFor } from './optimizer-state.ts';
import { ScratchBuffers } from './scratch-buffers.ts';
import {
  openRecord,
  readBoundary,
  readRows,
  removeFiles,
  removeStrangers,
  type ScratchRecord,
  writeBoundary,
  writeRecord,
  writeRows,
} from './scratch-index.ts';
import { partBufferBytes, partKey, ScratchPart } from './scratch-part.ts';
import { RowsTensor } from './scratch-tensors.ts';
import { StretchedTensor } from './stretched-tensor.ts';

/** Where a training's state is kept, and how it is known again. */
export interface ScratchPlace {
  folder: string;
  /** The same for the same training: a state under another key is not gone on with. */
  key: string;
  /**
   * Groups of parameters in memory at one time: one worked on, one being read, one being written (3, the default), the last two in turn (2), or
   * not even a whole group, each parameter coming only for its own update (1).
   */
  groups?: number;
}

export class ScratchState implements OptimizerState {
  readonly weights: Map<string, WeightTensor>;
  /** Of the steps done. */
  readonly losses: readonly number[];
  readonly #folder: string;
  readonly #settings: AdamSettings;
  readonly #parts: ReadonlyMap<string, ScratchPart>;
  readonly #rows: ReadonlyMap<string, RowsTensor>;
  readonly #buffers: ScratchBuffers;
  readonly #isLean: boolean;
  readonly #entering = new Map<ScratchPart, Promise<void>>();
  /** One row's weights, moments and gradient, for the kernel. */
  readonly #rowArena: Arena;
  #record: ScratchRecord;
  #steps: number;
  #interrupted: BackwardState | null;
  /** Parts that were changed since the last record, each written with the step it was changed in. */
  #writing: Promise<[key: string, step: number]>[] = [];
  #commits: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  private constructor(
    record: ScratchRecord,
    parts: ReadonlyMap<string, ScratchPart>,
    rows: ReadonlyMap<string, RowsTensor>,
    weights: Map<string, WeightTensor>,
    settings: AdamSettings,
    { folder, groups = 3 }: ScratchPlace,
    largestGroup: number,
    rowWidth: number,
  ) {
    this.#record = record;
    this.#parts = parts;
    this.#rows = rows;
    this.weights = weights;
    this.losses = record.losses;
    this.#settings = settings;
    this.#folder = folder;
    this.#isLean = groups < 2;
    const largestPart = Math.max(0, ...[...parts.values()].map(({ elements }) => partBufferBytes(elements)));
    this.#buffers = new ScratchBuffers(this.#isLean ? 2 * largestPart : groups * largestGroup);
    this.#rowArena = new Arena(rowWidth * 16 + 256);
    this.#steps = record.steps;
    this.#interrupted = record.boundary ? readBoundary(folder, record.boundary) : null;
  }

  /**
   * Begins a training in the folder, or goes on with the one that it holds. `trained`: each stored tensor once.
   * Errors: `ScratchInUse`, `DecayNeedsMemory`, `MissingTensor`, `CannotWrite`.
   */
  static async open(
    executor: Executor,
    trained: readonly Parameter[],
    base: Weights,
    settings: AdamSettings,
    place: ScratchPlace,
  ): Promise<ScratchState> {
    const { embedding, positions, blocks, head } = executor.outline.parameters;
    const { tiedEmbeddings } = executor.outline.configuration;
    const record = openRecord(place.folder, place.key);
    removeStrangers(place.folder, record);
    const parts = new Map<string, ScratchPart>();
    const rows = new Map<string, RowsTensor>();
    const weights = new Map<string, WeightTensor>();
    const add = (parameter: Parameter, values: WeightTensor): ScratchPart => {
      const part = new ScratchPart(parameter, values, place.folder);
      const step = record.files[part.key];
      if (step !== undefined) part.useFile(step);
      parts.set(part.key, part);
      return part;
    };
    for (const parameter of trained) {
      const { name } = parameter;
      const values = base.get(name);
      if (!values) throw new HopscopeError('MissingTensor', `The weights have no ${name}.`);
      if (name === positions?.name || (name === embedding.name && !tiedEmbeddings)) {
        if (settings.weightDecay !== 0) {
          throw new HopscopeError(
            'DecayNeedsMemory',
            `With weight decay every row of ${name} changes in every step, which training from disk does not do; leave the decay out, or train fewer parameters.`,
          );
        }
        const file = record.rows[name];
        const tensor = new RowsTensor(values, file === undefined ? new Map() : readRows(place.folder, file));
        rows.set(name, tensor);
        weights.set(name, tensor);
      } else {
        const stretches = executor.head.partsOf(parameter);
        if (stretches.length === 1) weights.set(name, add(parameter, values));
        else {
          const added = stretches.map((stretch) => add(stretch, sliceRows(values, stretch.firstRow!, stretch.shape[0]!)));
          weights.set(name, new StretchedTensor(added, 0, parameter.shape[0]!));
        }
      }
    }
    const groupsOfParts = [
      ...blocks.map((block) => block.filter(({ name }) => weights.has(name))),
      ...head.map((parameter) => executor.head.partsOf(parameter).slice(0, 1)),
    ];
    const largest = Math.max(
      ...groupsOfParts.map((group) => group.reduce((sum, { shape }) => sum + partBufferBytes(elementCount(shape)), 0)),
    );
    const width = Math.max(1, ...[...rows.values()].map(({ shape }) => shape[1]!));
    return new ScratchState(record, parts, rows, weights, settings, place, largest, width);
  }

  get steps(): number {
    return this.#steps;
  }

  get interrupted(): BackwardState | null {
    return this.#interrupted;
  }

  gradientBuffer(): null {
    return null;
  }

  begin(): void {
    this.#throwFailure();
    this.#steps++;
  }

  /** Errors: those of reading and of earlier writing. */
  async prepare(parameters: readonly Parameter[], next: readonly Parameter[]): Promise<void> {
    this.#throwFailure();
    if (this.#isLean) return;
    const needed = this.#partsOf(parameters);
    for (const part of needed) this.#buffers.busy(part);
    const entering = needed.map((part) => this.#enter(part));
    for (const part of this.#partsOf(next)) this.#enter(part).catch(() => undefined);
    await Promise.all(entering);
    this.#throwFailure();
  }

  async update(parameter: Parameter, gradient: Float32Array, step: AdamStep): Promise<void> {
    const part = this.#partOf(parameter)!;
    await this.#enter(part);
    part.update(gradient, stepFor(parameter, step, this.#settings));
    this.#writing.push(handledLater(this.#write(part)));
  }

  updateRows({ name }: Parameter, { rows, values }: RowGradient, step: AdamStep): void {
    const tensor = this.#rows.get(name)!;
    const width = tensor.shape[1]!;
    const fresh = takeRows(tensor, rows);
    rows.forEach((row, index) => {
      if (tensor.trained.has(row)) return;
      const weight = fresh.slice(index * width, (index + 1) * width);
      tensor.trained.set(row, { weight, m: new Float32Array(width), v: new Float32Array(width) });
    });
    this.#rowArena.reset();
    const [w, m, v, gradient] = [0, 0, 0, 0].map(() => this.#rowArena.floats(width)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const place = new Map(Array.from(rows, (row, index) => [row, index]));
    for (const [row, trained] of tensor.trained) {
      const index = place.get(row);
      w.set(trained.weight);
      m.set(trained.m);
      v.set(trained.v);
      if (index === undefined) gradient.fill(0);
      else gradient.set(values.subarray(index * width, (index + 1) * width));
      const address = (view: Float32Array) => this.#rowArena.address(view);
      this.#rowArena.kernels.adam(address(w), address(m), address(v), address(gradient), width, step);
      trained.weight.set(w);
      trained.m.set(m);
      trained.v.set(v);
    }
    tensor.changed();
  }

  async reached(state: BackwardState): Promise<void> {
    const step = this.#steps;
    const written = this.#written();
    this.#commit(async () => {
      const files = await written;
      const boundary = writeBoundary(this.#folder, step, state);
      this.#replace({ ...this.#record, files: { ...this.#record.files, ...files }, boundary });
    });
  }

  async end(loss: number): Promise<void> {
    const step = this.#steps;
    this.#interrupted = null;
    const written = this.#written();
    const rows = Object.fromEntries(
      [...this.#rows].map(([name, tensor]) => [name, writeRows(this.#folder, name, step, tensor.trained)]),
    );
    this.#commit(async () => {
      const files = { ...this.#record.files, ...(await written) };
      this.#replace({ ...this.#record, steps: step, losses: [...this.#record.losses, loss], files, rows, boundary: null });
    });
    // What a step changed is on disk before the next one begins to change it again
    await this.#commits;
    this.#throwFailure();
  }

  /** Waits until everything that was reached is on disk. */
  async settleCommits(): Promise<void> {
    await this.#commits;
    this.#throwFailure();
  }

  async settle(): Promise<void> {
    await this.settleCommits();
    for (const part of this.#parts.values()) await part.dropMoments();
  }

  /** Removes the folder; the weights cannot be read afterwards. */
  async remove(): Promise<void> {
    await this.#commits;
    await rm(this.#folder, { recursive: true, force: true });
  }

  #partOf(parameter: Parameter): ScratchPart | undefined {
    return this.#parts.get(partKey(parameter));
  }

  #partsOf(parameters: readonly Parameter[]): ScratchPart[] {
    return parameters.flatMap((parameter) => this.#partOf(parameter) ?? []);
  }

  /** Brings a part into memory, or waits for it where it is on its way. */
  #enter(part: ScratchPart): Promise<void> {
    if (part.values()) {
      this.#buffers.busy(part);
      return Promise.resolve();
    }
    let entering = this.#entering.get(part);
    if (!entering) {
      entering = this.#buffers.take(part.elements).then((buffer) => part.enter(buffer));
      this.#entering.set(part, entering);
      const done = () => this.#entering.delete(part);
      entering.then(done, done);
    }
    return entering;
  }

  /** Writes a part as it is after this step and lets go of its memory; the record does not name the file yet. */
  async #write(part: ScratchPart): Promise<[key: string, step: number]> {
    const step = this.#steps;
    await part.write(step);
    part.useFile(step);
    this.#buffers.idle(part);
    return [part.key, step];
  }

  /** The files of what was changed so far, when they are on disk. */
  #written(): Promise<Record<string, number>> {
    const writing = this.#writing;
    this.#writing = [];
    return handledLater(Promise.all(writing).then((files) => Object.fromEntries(files)));
  }

  /** Does `action` after all earlier ones; its failure ends the training at the next occasion. */
  #commit(action: () => Promise<void>): void {
    this.#commits = this.#commits.then(async () => {
      if (this.#failure !== null) return;
      try {
        await action();
      } catch (error) {
        this.#failure = error;
      }
    });
  }

  /** Makes the record what counts, then removes what it no longer names. */
  #replace(record: ScratchRecord): void {
    const before = this.#record;
    writeRecord(this.#folder, record);
    this.#record = record;
    const stale: string[] = [];
    for (const [key, step] of Object.entries(record.files)) {
      const old = before.files[key];
      if (old !== undefined && old !== step) stale.push(`${key}.step-${old}`);
    }
    for (const [name, file] of Object.entries(before.rows)) if (record.rows[name] !== file) stale.push(file);
    if (before.boundary && before.boundary.file !== record.boundary?.file) stale.push(before.boundary.file);
    removeFiles(this.#folder, stale);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

/** The promise, whose failure somebody will see in time. */
function handledLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
