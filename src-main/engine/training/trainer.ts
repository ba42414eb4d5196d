/**
 * Trains some of a model's parameters: each step asks the executor for gradients and applies Adam as they arrive, so that in block mode
 * only one block's gradients exist at a time. It draws no batches and measures nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { DeviceStage } from '../execution/device-stage.ts';
import type { RowGradient } from '../execution/embedding.ts';
import type { Executor, TokenBatch } from '../execution/executor.ts';
import type { BackwardState, GradientBuffer, GradientSink, Targets } from '../execution/gradient-sink.ts';
import { type Delta, subtract } from '../files/weight-sets.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import { trainingOf } from '../models/adapters.ts';
import type { Parameter, Trainable } from '../models/parameters.ts';
import { elementCount } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { AdamState, type SavedState } from './adam-state.ts';
import { ChangingTensor } from './changing-tensor.ts';
import { Checkpoint } from './checkpoint.ts';
import { DeviceState } from './device-state.ts';
import { LoraTraining } from './lora.ts';
import { type AdamSettings, adamStep, defaultAdam, type OptimizerState } from './optimizer-state.ts';
import { type ScratchPlace, ScratchState } from './scratch-state.ts';

export interface TrainerSettings extends AdamSettings {
  trainable: Trainable;
  learningRate: number;
  /** Gradients are scaled down to this global norm; null: never. Needs all gradients at once (whole-model execution). */
  clip: number | null;
}

export const defaultTraining: TrainerSettings = { ...defaultAdam, trainable: 'all', learningRate: 3e-6, clip: null };

/** Called with every gradient of a step before it is applied; the data must be copied to be kept. */
export type GradientObserver = (parameter: Parameter, gradient: Float32Array) => void;

export class Trainer implements GradientSink {
  /** Of the parameters that have gradients: with adapters those of the adapters. */
  readonly state: OptimizerState;
  /** All weights under the model's own names, the trained ones as they are now. */
  readonly weights: Weights;
  /** Adapters in training, where they are what trains. */
  readonly lora: LoraTraining | null;
  readonly #executor: Executor;
  readonly #base: Weights;
  readonly #settings: TrainerSettings;
  /** What gradients are taken in, and at which weights. */
  readonly #names: ReadonlySet<string>;
  readonly #running: Weights;
  readonly #shared = new Map<string, Float32Array>();
  /** Where it computes on a device. */
  readonly #stage: DeviceStage | null;
  readonly #checkpoint: Checkpoint | null;
  readonly #stateWeights: Weights;
  readonly #changes = new Map<string, number>();
  #pending: { parameter: Parameter; gradient: GradientBuffer }[] = [];
  #step: AdamStep | null = null;
  #observer: GradientObserver | null = null;

  private constructor(
    executor: Executor,
    base: Weights,
    settings: TrainerSettings,
    names: ReadonlySet<string>,
    state: OptimizerState,
    lora: LoraTraining | null,
  ) {
    this.#executor = executor;
    this.#base = base;
    this.#settings = settings;
    this.#names = names;
    this.state = state;
    this.lora = lora;
    this.#stage = executor.stage instanceof DeviceStage ? executor.stage : null;
    this.#checkpoint = this.#stage?.recovers ? Checkpoint.of(state) : null;
    this.#stateWeights = this.#stage ? this.#changing(state.weights) : state.weights;
    this.#running = new Map([...base, ...this.#stateWeights]);
    if (state instanceof DeviceState) state.keptBy(this);
    if (this.#checkpoint) this.#stage?.register(this);
    this.weights = lora ? new Map([...base, ...lora.merged]) : this.#running;
  }

  /**
   * A trainer on the given weights, which stay as they are. Parameters and moments live in memory unless a place on disk is given; adapters, which
   * are small, always do. Errors: `BadTrainable`, `ClipNeedsWholeModel`, `OutOfMemory`; those of the scratch folder.
   */
  static async create(executor: Executor, base: Weights, settings: TrainerSettings, scratch?: ScratchPlace): Promise<Trainer> {
    const training = trainingOf(executor.outline, settings.trainable);
    const { names, lora } = training;
    if (settings.clip !== null && executor.mode !== 'whole') {
      throw new HopscopeError(
        'ClipNeedsWholeModel',
        'Clipping the gradients needs all of them at once, which this model is too large for; leave clip out.',
      );
    }
    if (lora) {
      const adapters = await LoraTraining.create(executor, base, training, lora, settings);
      return new Trainer(adapters.executor, base, settings, names, adapters.state, adapters);
    }
    const trained = executor.outline.parameters.all.filter(({ name }) => names.has(name));
    const state = scratch
      ? await ScratchState.open(executor, trained, base, settings, scratch)
      : await residentState(executor, trained, base, settings);
    return new Trainer(executor, base, settings, names, state, null);
  }

  /** One step; returns the loss before it. `learningRate` overrides the settings' for schedules. */
  async step(
    batch: TokenBatch,
    targets: Targets,
    options: { learningRate?: number; observe?: GradientObserver } = {},
  ): Promise<number> {
    const learningRate = options.learningRate ?? this.#settings.learningRate;
    const take = () => this.#takeStep(batch, targets, { ...options, learningRate });
    const stage = this.#stage;
    if (!stage?.recovers || !this.#checkpoint) return take();
    this.#checkpoint.before();
    let loss: number;
    try {
      loss = await take();
      stage.worked();
    } catch (error) {
      if (!(await stage.recover(error))) throw error;
      loss = await take();
    }
    this.#checkpoint.after({ batch, targets, learningRate });
    return loss;
  }

  /** Said when the device is lost: brings the state back to where it was after the last step, in memory. */
  async recover(): Promise<void> {
    if (!this.#checkpoint) return;
    const { saved, steps } = this.#checkpoint.last;
    if (this.state instanceof DeviceState) await this.state.retreat(this.#base, saved);
    else if (saved) this.adam.restore(saved);
    for (const name of this.#stateWeights.keys()) this.#changed(name);
    for (const { batch, targets, learningRate } of steps) await this.#takeStep(batch, targets, { learningRate });
  }

  async #takeStep(
    batch: TokenBatch,
    targets: Targets,
    options: { learningRate: number; observe?: GradientObserver },
  ): Promise<number> {
    const { learningRate } = options;
    const { clip } = this.#settings;
    this.#observer = options.observe ?? null;
    this.#pending = [];
    this.state.begin();
    this.#step = clip === null ? adamStep(this.#settings, this.state.steps, learningRate) : null;
    const { interrupted } = this.state;
    const loss = await this.#executor.lossAndGradients(this.#running, batch, targets, this.#names, this, interrupted);
    if (clip !== null) await this.#applyClipped(learningRate, clip);
    await this.state.end(loss);
    return loss;
  }

  /** The state in memory. Throws a TypeError where it is on disk. */
  get adam(): AdamState {
    if (this.state instanceof AdamState) return this.state;
    throw new TypeError('The optimizer state is not in memory.');
  }

  /** The parameters that training changes under the model's own names, as they are at the time they are read. */
  get trained(): Weights {
    return this.lora?.merged ?? this.#stateWeights;
  }

  /** What training changed so far; it knows the weights that it is counted from. */
  delta(): Delta {
    // What lies on a device would be read from there only later
    const now = this.#device?.copies() ?? (this.state instanceof AdamState && !this.lora ? this.state.weights : this.trained);
    return subtract(now, this.#base);
  }

  /** What training goes on from; views or copies. Throws a TypeError where the state is on disk. */
  saved(): SavedState {
    return (this.#device ?? this.adam).state();
  }

  /** Goes back to a saved state. Errors: `MissingTensor`. */
  restore(state: SavedState): void {
    (this.#device ?? this.adam).restore(state);
    for (const name of this.#stateWeights.keys()) this.#changed(name);
  }

  async prepare(parameters: readonly Parameter[], next: readonly Parameter[] = []): Promise<void> {
    await this.state.prepare(parameters, next);
  }

  buffer(parameter: Parameter): GradientBuffer {
    return this.state.gradientBuffer(parameter) ?? this.#sharedBuffer(parameter);
  }

  async complete(parameters: readonly Parameter[]): Promise<void> {
    for (const parameter of parameters) await this.#take(parameter, this.buffer(parameter));
  }

  async completeRows(embedding: Parameter, gradient: RowGradient): Promise<void> {
    const { clip, weightDecay } = this.#settings;
    if (this.#device?.isOnDevice) {
      await this.#take(embedding, await this.#device.gradientOfRows(embedding, gradient));
      return;
    }
    // Norms, decay and observers are about the whole matrix
    if (clip !== null || weightDecay !== 0 || this.#observer) {
      const dense = this.buffer(embedding) as Float32Array;
      dense.fill(0);
      const width = embedding.shape[1]!;
      for (const [index, row] of gradient.rows.entries()) {
        dense.set(gradient.values.subarray(index * width, (index + 1) * width), row * width);
      }
      if (clip !== null || weightDecay !== 0) {
        await this.#take(embedding, dense);
        return;
      }
      this.#observer?.(embedding, dense);
    }
    await this.state.updateRows(embedding, gradient, this.#step!);
    this.#changed(embedding.name);
  }

  async reached(state: BackwardState): Promise<void> {
    await this.state.reached(state);
  }

  async addRows(parameter: Parameter, gradient: RowGradient): Promise<void> {
    await this.#device?.addRows(parameter, gradient);
  }

  /** The state, where it is or was on a device. */
  get #device(): DeviceState | null {
    return this.state instanceof DeviceState ? this.state : null;
  }

  async #take(parameter: Parameter, gradient: GradientBuffer): Promise<void> {
    this.#observer?.(parameter, gradient instanceof Float32Array ? gradient : this.#device!.readGradient(gradient));
    if (!this.#step) {
      this.#pending.push({ parameter, gradient });
      return;
    }
    await this.state.update(parameter, gradient, this.#step);
    this.#changed(parameter.name);
  }

  async #applyClipped(learningRate: number, clip: number): Promise<void> {
    let squares = 0;
    const { state } = this;
    if (!state.sumOfSquares) throw new TypeError('The optimizer state does not have all gradients at once.');
    for (const { parameter, gradient } of this.#pending) squares += await state.sumOfSquares(parameter.name, gradient);
    // torch.nn.utils.clip_grad_norm_
    const scale = Math.min(1, clip / (Math.sqrt(squares) + 1e-6));
    const step = adamStep(this.#settings, this.state.steps, learningRate, scale);
    for (const { parameter, gradient } of this.#pending) {
      await state.update(parameter, gradient, step);
      this.#changed(parameter.name);
    }
  }

  /** Values in memory that programs on a device are to have copies of. */
  #changing(weights: Weights): Weights {
    return new Map(
      [...weights].map(([name, tensor]) => [
        name,
        tensor.type === 'stored' ? tensor : new ChangingTensor(tensor, () => this.#changes.get(name) ?? 0),
      ]),
    );
  }

  #changed(name: string): void {
    this.#changes.set(name, (this.#changes.get(name) ?? 0) + 1);
  }

  /** Blocks take turns with one buffer per role; embedding and head keep their own. */
  #sharedBuffer({ role, name, layer, shape }: Parameter): Float32Array {
    // Stretches of a matrix take turns as well, the last one being smaller
    const key = layer === null ? `${name} ${shape[0]}` : role;
    let buffer = this.#shared.get(key);
    if (!buffer) {
      buffer = new Float32Array(elementCount(shape));
      this.#shared.set(key, buffer);
    }
    return buffer;
  }
}

/** In the memory of the device that the executor computes on, where that has room for it, else in the CPU's. */
async function residentState(
  executor: Executor,
  trained: readonly Parameter[],
  base: Weights,
  settings: TrainerSettings,
): Promise<OptimizerState> {
  const { stage } = executor;
  if (stage instanceof DeviceStage && !stage.isLost) {
    try {
      return await DeviceState.create(executor, stage, trained, base, settings);
    } catch (error) {
      if (!(error instanceof HopscopeError && error.code === 'OutOfDeviceMemory')) throw error;
      stage.tell(
        `What is trained does not fit the device with its moments; steps are taken in the CPU's memory. (${error.message})`,
      );
    }
  }
  return AdamState.create(trained, base, settings, executor.mode === 'whole');
}
