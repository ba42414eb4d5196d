/**
 * A model ready to compute with in this process: opened, loaded, and an executor on the chosen device.
 * It is for the commands that work on files; experiments run in the compute process.
 */
import { Executor } from '../engine/execution/executor.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { type MemoryPlan, needsBlocks, type PlannedWork, planMemory } from '../engine/execution/memory-plan.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import { encodePair } from '../engine/training/batch.ts';
import type { Weights } from '../engine/weights.ts';
import type { Pair } from '../shared/records.ts';
import type { Context } from './command.ts';

export interface LoadedModel {
  model: Model;
  weights: Weights;
  executor: Executor;
  /** How the work fits into memory. */
  plan: MemoryPlan;
}

/** The work in numbers, given the model that it is done with. */
export type WorkOf = (model: Model) => PlannedWork;

/** Opens `folder`, calls `use`, and closes everything, whatever happens. Errors: those of `openModel`, `planMemory`, `loadWeights`. */
export async function withModel<T>(
  folder: string,
  context: Context,
  workOf: WorkOf,
  use: (loaded: LoadedModel) => Promise<T>,
): Promise<T> {
  const settings = await context.session();
  const model = await openModel(folder);
  for (const warning of model.warnings) context.warn(warning);
  let executor: Executor | null = null;
  try {
    const plan = planMemory(model, workOf(model), context.memory);
    context.signal.throwIfAborted();
    executor = new Executor(model, needsBlocks(plan) ? { ...settings, mode: 'blocks' } : settings);
    return await use({ model, weights: loadWeights(model, plan.weightBytes), executor, plan });
  } finally {
    executor?.release();
    model.checkpoint.close();
  }
}

/** Texts that run together in one pass of an evaluation. */
const textsPerPass = 32;

/** Measuring or scoring prompts: an evaluation runs them in passes, a scoring has all of them open. Errors: `BadPair`. */
export function workOfPairs(kind: 'forward' | 'scores', { tokenizer }: Model, pairs: readonly Pair[]): PlannedWork {
  const examples = pairs.map((pair) => encodePair(tokenizer, pair));
  return {
    kind,
    batch: kind === 'scores' ? pairs.length : Math.min(pairs.length, textsPerPass),
    positions: Math.max(...examples.map(({ ids }) => ids.length)),
    rows:
      kind === 'scores'
        ? 0
        : Math.min(pairs.length, textsPerPass) *
          Math.max(...examples.map(({ questionEnd, lastLabel }) => lastLabel - questionEnd)),
  };
}
