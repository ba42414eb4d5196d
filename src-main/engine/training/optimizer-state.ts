/**
 * What a trainer needs of the place where trained parameters and their Adam moments live, and the constants of a step.
 * In memory it is adam-state.ts; on disk, for models whose state is larger than memory, scratch-state.ts.
 */
import type { RowGradient } from '../execution/embedding.ts';
import type { BackwardState, GradientBuffer } from '../execution/gradient-sink.ts';
import type { AdamStep } from '../kernels/kernels.ts';
import type { Parameter } from '../models/parameters.ts';
import type { Weights } from '../weights.ts';

export interface AdamSettings {
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled (AdamW); 0 is plain Adam. */
  weightDecay: number;
  /** Which parameters decay: all, as torch.optim.AdamW by default, or matrices and embeddings only, as is usual in pretraining. */
  decayed: 'all' | 'matrices';
}

/** torch.optim.Adam's defaults, as the paper's runs use them. */
export const defaultAdam: AdamSettings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decayed: 'all' };

export interface OptimizerState {
  /** Steps begun. */
  readonly steps: number;
  /** The losses of steps done before this process, where there were any. */
  readonly losses: readonly number[];
  /** The trained parameters as they are at the time they are read. */
  readonly weights: Weights;
  /** A step that was interrupted, to be gone on with; null: none. */
  readonly interrupted: BackwardState | null;
  /** Where a parameter's gradient has a place of its own; null: it passes through a buffer of the trainer's. */
  gradientBuffer(parameter: Parameter): GradientBuffer | null;
  /** Starts step 1, 2, ... */
  begin(): void;
  /** Said before a group is worked on, and which one is likely to be next. */
  prepare(parameters: readonly Parameter[], next: readonly Parameter[]): Promise<void>;
  update(parameter: Parameter, gradient: GradientBuffer, step: AdamStep): void | Promise<void>;
  /** Adam on a matrix of which only some rows have a gradient; exact without weight decay. */
  updateRows(parameter: Parameter, gradient: RowGradient, step: AdamStep): void | Promise<void>;
  /** Sum of squares of a gradient, for norm clipping; only where all gradients are there at once. */
  sumOfSquares?(name: string, gradient: GradientBuffer): number | Promise<number>;
  /** Said when a group is done: from `state` on the step can be taken up again. */
  reached(state: BackwardState): Promise<void>;
  /** Ends the step whose loss it was. */
  end(loss: number): Promise<void>;
  /** Nothing more is trained: lets go of moments, keeps the weights readable. */
  settle(): Promise<void>;
  /** Nothing is read any more: gives back what is kept on disk. */
  remove(): Promise<void>;
}

/** The constants of step 1, 2, ... with its learning rate and the factor on all gradients. */
export function adamStep(settings: AdamSettings, step: number, learningRate: number, gradientScale = 1): AdamStep {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  return {
    learningRate,
    beta1,
    beta2,
    epsilon,
    correction1: 1 - beta1 ** step,
    correction2: 1 - beta2 ** step,
    decay: weightDecay,
    gradientScale,
  };
}

/** The constants for one parameter: where only matrices decay, others do not. */
export function stepFor({ shape }: Parameter, step: AdamStep, { decayed }: AdamSettings): AdamStep {
  return decayed === 'matrices' && shape.length < 2 ? { ...step, decay: 0 } : step;
}

/** Gradients from other memories are staged in pieces of this many elements (1 MiB), which stay in the cache. */
export const stagingElements = 2 ** 18;
