/**
 * Trains some of a model's parameters: each step asks the executor for gradients and applies Adam as they arrive, so that in block mode
 * only one block's gradients exist at a time. It draws no batches and measures nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { RowGradient } from '../execution/embedding.ts';
import type { Executor, GradientSink, Targets, TokenBatch, Weights } from '../execution/executor.ts';
import { type Delta, subtract } from '../files/weight-sets.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import { type Parameter, type Trainable, trainableNames } from '../models/parameters.ts';
import { elementCount } from '../tensor.ts';
import { type AdamSettings, AdamState, defaultAdam } from './adam-state.ts';

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
  readonly state: AdamState;
  /** All weights, the trained ones as they are now. */
  readonly weights: Weights;
  readonly #executor: Executor;
  readonly #base: Weights;
  readonly #settings: TrainerSettings;
  readonly #trained: Set<string>;
  readonly #shared = new Map<string, Float32Array>();
  #pending: { parameter: Parameter; gradient: Float32Array }[] = [];
  #step: AdamStep | null = null;
  #observer: GradientObserver | null = null;

  constructor(executor: Executor, base: Weights, settings: TrainerSettings) {
    const { parameters } = executor.outline;
    this.#executor = executor;
    this.#base = base;
    this.#settings = settings;
    this.#trained = trainableNames(parameters, settings.trainable);
    if (settings.clip !== null && executor.mode !== 'whole') {
      throw new HopscopeError(
        'ClipNeedsWholeModel',
        'Clipping the gradients needs all of them at once, which this model is too large for; leave clip out.',
      );
    }
    const trained = parameters.all.filter(({ name }) => this.#trained.has(name));
    this.state = new AdamState(trained, base, settings, executor.mode === 'whole');
    this.weights = new Map([...base, ...this.state.weights]);
  }

  /** One step; returns the loss before it. `learningRate` overrides the settings' for schedules. */
  async step(
    batch: TokenBatch,
    targets: Targets,
    options: { learningRate?: number; observe?: GradientObserver } = {},
  ): Promise<number> {
    const learningRate = options.learningRate ?? this.#settings.learningRate;
    this.#observer = options.observe ?? null;
    this.#pending = [];
    this.#step = this.#settings.clip === null ? this.state.begin(learningRate) : null;
    const loss = await this.#executor.lossAndGradients(this.weights, batch, targets, this.#trained, this);
    if (this.#settings.clip !== null) this.#applyClipped(learningRate, this.#settings.clip);
    return loss;
  }

  /** What training changed so far; it knows the weights that it is counted from. */
  delta(): Delta {
    return subtract(this.state.weights, this.#base);
  }

  buffer(parameter: Parameter): Float32Array {
    return this.state.gradientBuffer(parameter.name) ?? this.#sharedBuffer(parameter);
  }

  complete(parameters: readonly Parameter[]): void {
    for (const parameter of parameters) this.#take(parameter, this.buffer(parameter));
  }

  completeRows(embedding: Parameter, gradient: RowGradient): void {
    // Norms, decay and observers are about the whole matrix
    if (this.#settings.clip !== null || this.#settings.weightDecay !== 0 || this.#observer) {
      const dense = this.buffer(embedding);
      dense.fill(0);
      const width = embedding.shape[1]!;
      for (const [index, row] of gradient.rows.entries()) {
        dense.set(gradient.values.subarray(index * width, (index + 1) * width), row * width);
      }
      if (this.#settings.clip !== null || this.#settings.weightDecay !== 0) {
        this.#take(embedding, dense);
        return;
      }
      this.#observer?.(embedding, dense);
    }
    this.state.updateRows(embedding.name, gradient, this.#step!);
  }

  #take(parameter: Parameter, gradient: Float32Array): void {
    this.#observer?.(parameter, gradient);
    if (this.#step) this.state.update(parameter.name, gradient, this.#step);
    else this.#pending.push({ parameter, gradient });
  }

  #applyClipped(learningRate: number, clip: number): void {
    let squares = 0;
    for (const { parameter, gradient } of this.#pending) squares += this.state.sumOfSquares(parameter.name, gradient);
    // torch.nn.utils.clip_grad_norm_
    const step = this.state.begin(learningRate, Math.min(1, clip / (Math.sqrt(squares) + 1e-6)));
    for (const { parameter, gradient } of this.#pending) this.state.update(parameter.name, gradient, step);
  }

  /** Blocks take turns with one buffer per role; embedding and head keep their own. */
  #sharedBuffer({ role, name, layer, shape }: Parameter): Float32Array {
    const key = layer === null ? name : role;
    let buffer = this.#shared.get(key);
    if (!buffer) {
      buffer = new Float32Array(elementCount(shape));
      this.#shared.set(key, buffer);
    }
    return buffer;
  }
}
