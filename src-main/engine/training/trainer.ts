/**
 * Trains some of a model's parameters: each step asks the executor for gradients and applies Adam as they arrive, so that in block mode
 * only one block's gradients exist at a time. It draws no batches and measures nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { RowGradient } from '../execution/embedding.ts';
import type { BackwardState, Executor, GradientSink, Targets, TokenBatch } from '../execution/executor.ts';
import { type Delta, subtract } from '../files/weight-sets.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import { trainingOf } from '../models/adapters.ts';
import type { Parameter, Trainable } from '../models/parameters.ts';
import { elementCount } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { AdamState } from './adam-state.ts';
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
  #pending: { parameter: Parameter; gradient: Float32Array }[] = [];
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
    this.#running = new Map([...base, ...state.weights]);
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
      : await AdamState.create(trained, base, settings, executor.mode === 'whole');
    return new Trainer(executor, base, settings, names, state, null);
  }

  /** One step; returns the loss before it. `learningRate` overrides the settings' for schedules. */
  async step(
    batch: TokenBatch,
    targets: Targets,
    options: { learningRate?: number; observe?: GradientObserver } = {},
  ): Promise<number> {
    const learningRate = options.learningRate ?? this.#settings.learningRate;
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
    return this.lora?.merged ?? this.state.weights;
  }

  /** What training changed so far; it knows the weights that it is counted from. */
  delta(): Delta {
    return subtract(this.trained, this.#base);
  }

  async prepare(parameters: readonly Parameter[], next: readonly Parameter[] = []): Promise<void> {
    await this.state.prepare(parameters, next);
  }

  buffer(parameter: Parameter): Float32Array {
    return this.state.gradientBuffer(parameter) ?? this.#sharedBuffer(parameter);
  }

  async complete(parameters: readonly Parameter[]): Promise<void> {
    for (const parameter of parameters) await this.#take(parameter, this.buffer(parameter));
  }

  async completeRows(embedding: Parameter, gradient: RowGradient): Promise<void> {
    const { clip, weightDecay } = this.#settings;
    // Norms, decay and observers are about the whole matrix
    if (clip !== null || weightDecay !== 0 || this.#observer) {
      const dense = this.buffer(embedding);
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
  }

  async reached(state: BackwardState): Promise<void> {
    await this.state.reached(state);
  }

  async #take(parameter: Parameter, gradient: Float32Array): Promise<void> {
    this.#observer?.(parameter, gradient);
    if (this.#step) await this.state.update(parameter, gradient, this.#step);
    else this.#pending.push({ parameter, gradient });
  }

  async #applyClipped(learningRate: number, clip: number): Promise<void> {
    let squares = 0;
    for (const { parameter, gradient } of this.#pending) squares += this.adam.sumOfSquares(parameter.name, gradient);
    // torch.nn.utils.clip_grad_norm_
    const scale = Math.min(1, clip / (Math.sqrt(squares) + 1e-6));
    const step = adamStep(this.#settings, this.state.steps, learningRate, scale);
    for (const { parameter, gradient } of this.#pending) await this.state.update(parameter, gradient, step);
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
