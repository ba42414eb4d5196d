/**
 * Runs a training plan on a model's weights and returns what it measured and changed. It writes no files.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Progress } from '../../shared/records.ts';
import type { Executor, TokenBatch } from '../execution/executor.ts';
import type { Targets } from '../execution/gradient-sink.ts';
import type { PlannedWork } from '../execution/memory-plan.ts';
import type { Tokenizer } from '../files/tokenizer.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import { encodePair, labelTargets, lossTargets, padTokens } from './batch.ts';
import { drawOrder } from './finetune.ts';
import type { LoraTraining } from './lora.ts';
import type { OptimizerState } from './optimizer-state.ts';
import type { TrainingPlan } from './plan.ts';
import type { ScratchPlace } from './scratch-state.ts';
import { type GradientObserver, Trainer } from './trainer.ts';

export interface PlanOutcome {
  /** Before each step. */
  losses: number[];
  secondsPerStep: number[];
  /** The trained parameters after the last step, by name. */
  trained: Weights;
  /** All weights after the last step. */
  weights: Weights;
  /** By step, counted from 1: the gradients of the trained parameters. */
  gradients: ReadonlyMap<number, ReadonlyMap<string, FloatTensor>>;
  /** The adapters, where they are what trained; `gradients` are theirs then. */
  lora: LoraTraining | null;
  /** Steps that an earlier run of the plan had done; their seconds are not known and 0. */
  stepsBefore: number;
  state: OptimizerState;
}

export interface RunPlanOptions {
  /** Where parameters in training and their moments are kept on disk; absent: in memory. A training found there is gone on with. */
  scratch?: ScratchPlace | undefined;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

interface Step {
  batch: TokenBatch;
  targets: Targets;
}

/**
 * Runs all steps of a plan, or those that are left of one that was interrupted. Errors: `BadPlan` for a step to save that there is not, `BadTrainable`, `BadPair`, `NothingToLearn`, `TextTooLong`,
 * `TokenOutsideVocabulary`, `LossNotFinite`; what the signal aborts with.
 */
export async function runPlan(
  executor: Executor,
  base: Weights,
  tokenizer: Tokenizer,
  plan: TrainingPlan,
  { onProgress, signal, scratch }: RunPlanOptions = {},
): Promise<PlanOutcome> {
  const steps = stepsOf(plan, tokenizer);
  checkSteps(executor, plan, steps);
  const { adam, trainable, learningRate } = plan;
  const trainer = await Trainer.create(executor, base, { ...adam, trainable, learningRate, clip: null }, scratch);
  const done = trainer.state.steps;
  const losses: number[] = [...trainer.state.losses];
  const secondsPerStep: number[] = losses.map(() => 0);
  const gradients = new Map<number, Map<string, FloatTensor>>();
  for (const [index, { batch, targets }] of steps.entries()) {
    if (index < done) continue;
    // Lets an interruption in between steps
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const kept = plan.saveGradients.includes(index + 1) ? new Map<string, FloatTensor>() : null;
    if (kept) gradients.set(index + 1, kept);
    const started = performance.now();
    const loss = await trainer.step(batch, targets, kept ? { observe: keepIn(kept, executor) } : {});
    losses.push(loss);
    secondsPerStep.push((performance.now() - started) / 1000);
    onProgress?.({
      done: index + 1,
      total: steps.length,
      message: `step ${index + 1} of ${steps.length}, loss ${loss.toFixed(3)}`,
      secondsLeft: mean(secondsPerStep.slice(done)) * (steps.length - index - 1),
    });
  }
  return {
    losses,
    secondsPerStep,
    trained: trainer.trained,
    weights: trainer.weights,
    gradients,
    lora: trainer.lora,
    stepsBefore: done,
    state: trainer.state,
  };
}

/** Copies gradients; those of a matrix that comes in stretches are put together. */
function keepIn(kept: Map<string, FloatTensor>, { outline }: Executor): GradientObserver {
  const shapes = new Map(outline.parameters.all.map(({ name, shape }) => [name, shape]));
  return ({ name, shape, firstRow = 0 }, gradient) => {
    // Adapters are none of the model's parameters and come whole
    const tensor = kept.get(name) ?? floatTensor(shapes.get(name) ?? shape);
    tensor.data.set(gradient, firstRow * (shape[1] ?? 1));
    kept.set(name, tensor);
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function stepsOf({ data, epochs }: TrainingPlan, tokenizer: Tokenizer): Step[] {
  if ('batches' in data) {
    const once = data.batches.map(({ ids, labels }) => {
      const batch = padTokens(ids);
      return { batch, targets: labelTargets(labels, batch.positions) };
    });
    return Array.from({ length: epochs }, () => once).flat();
  }
  const examples = data.pairs.map((pair) => encodePair(tokenizer, pair));
  return drawOrder(examples.length, data.batchSize, epochs, data.seed)
    .flat()
    .map((members) => {
      const chosen = members.map((index) => examples[index]!);
      const batch = padTokens(chosen.map(({ ids }) => ids));
      return { batch, targets: lossTargets(chosen, batch.positions) };
    });
}

/** Steps of a plan. Errors: `BadPair`. */
export const stepsOfPlan = (plan: TrainingPlan, tokenizer: Tokenizer): number => stepsOf(plan, tokenizer).length;

/** The largest batch of a plan. Errors: `BadPair`. */
export function workOfPlan(plan: TrainingPlan, tokenizer: Tokenizer): PlannedWork {
  // Later passes draw other batches of the same texts
  const steps = stepsOf({ ...plan, epochs: 1 }, tokenizer);
  const most = (of: (step: Step) => number) => steps.reduce((largest, step) => Math.max(largest, of(step)), 0);
  return {
    kind: 'train',
    batch: most(({ batch }) => batch.batch),
    positions: most(({ batch }) => batch.positions),
    rows: most(({ targets }) => targets.rows.length),
    trainable: plan.trainable,
    keptGradients: plan.saveGradients.length,
  };
}

/** Finds before the first step what would end a later one. */
function checkSteps(executor: Executor, plan: TrainingPlan, steps: readonly Step[]): void {
  const { vocabulary, context } = executor.outline.configuration;
  const late = plan.saveGradients.find((step) => step > steps.length);
  if (late !== undefined) {
    throw new HopscopeError('BadPlan', `save_gradients names step ${late}, but the plan has ${steps.length} steps.`);
  }
  for (const [index, { batch, targets }] of steps.entries()) {
    if (batch.positions > context) {
      throw new HopscopeError(
        'TextTooLong',
        `Step ${index + 1} has ${batch.positions} tokens in a row; the model's context is ${context}.`,
      );
    }
    const outside = batch.tokens.find((token) => token >= vocabulary) ?? targets.targets.find((token) => token >= vocabulary);
    if (outside !== undefined) {
      throw new HopscopeError(
        'TokenOutsideVocabulary',
        `Step ${index + 1} has token ${outside}; the model's vocabulary has ${vocabulary}.`,
      );
    }
  }
}
