/**
 * Runs a training plan on a model's weights and returns what it measured and changed. It writes no files.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Progress } from '../../shared/records.ts';
import type { Executor, Targets, TokenBatch, Weights } from '../execution/executor.ts';
import type { Tokenizer } from '../files/tokenizer.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import { encodePair, labelTargets, lossTargets, padTokens } from './batch.ts';
import { drawOrder } from './finetune.ts';
import type { TrainingPlan } from './plan.ts';
import { Trainer } from './trainer.ts';

export interface PlanOutcome {
  /** Before each step. */
  losses: number[];
  secondsPerStep: number[];
  /** The trained parameters after the last step, by name. */
  trained: ReadonlyMap<string, FloatTensor>;
  /** All weights after the last step. */
  weights: Weights;
  /** By step, counted from 1: the gradients of the trained parameters. */
  gradients: ReadonlyMap<number, ReadonlyMap<string, FloatTensor>>;
}

export interface RunPlanOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

interface Step {
  batch: TokenBatch;
  targets: Targets;
}

/**
 * Errors: `BadPlan` for a step to save that there is not, `BadTrainable`, `BadPair`, `NothingToLearn`, `TextTooLong`,
 * `TokenOutsideVocabulary`, `LossNotFinite`; what the signal aborts with.
 */
export async function runPlan(
  executor: Executor,
  base: Weights,
  tokenizer: Tokenizer,
  plan: TrainingPlan,
  { onProgress, signal }: RunPlanOptions = {},
): Promise<PlanOutcome> {
  const steps = stepsOf(plan, tokenizer);
  checkSteps(executor, plan, steps);
  const trainer = new Trainer(executor, base, {
    ...plan.adam,
    trainable: plan.trainable,
    learningRate: plan.learningRate,
    clip: null,
  });
  const losses: number[] = [];
  const secondsPerStep: number[] = [];
  const gradients = new Map<number, Map<string, FloatTensor>>();
  for (const [index, { batch, targets }] of steps.entries()) {
    // Lets an interruption in between steps
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    const kept = plan.saveGradients.includes(index + 1) ? new Map<string, FloatTensor>() : null;
    if (kept) gradients.set(index + 1, kept);
    const started = performance.now();
    const loss = kept
      ? await trainer.step(batch, targets, {
          observe: ({ name, shape }, gradient) => void kept.set(name, floatTensor(shape, gradient.slice())),
        })
      : await trainer.step(batch, targets);
    losses.push(loss);
    secondsPerStep.push((performance.now() - started) / 1000);
    onProgress?.({
      done: index + 1,
      total: steps.length,
      message: `step ${index + 1} of ${steps.length}, loss ${loss.toFixed(3)}`,
      secondsLeft: null,
    });
  }
  return { losses, secondsPerStep, trained: trainer.state.weights, weights: trainer.weights, gradients };
}

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
