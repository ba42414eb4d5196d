/**
 * A model ready to compute with in this process: opened, loaded, and an executor on the chosen device.
 * It is for the commands that work on files; experiments run in the compute process.
 */
import { Executor } from '../engine/execution/executor.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { type MemoryPlan, modeOf, type PlannedWork, planMemory } from '../engine/execution/memory-plan.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import type { Weights } from '../engine/weights.ts';
import { type EncodedSet, encodeSet, measuringWork } from '../scores/evaluation.ts';
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
  const settings = { ...(await context.session()), onDeviceFailure: context.warn };
  const model = await openModel(folder);
  for (const warning of model.warnings) context.warn(warning);
  let executor: Executor | null = null;
  try {
    const plan = planMemory(model, workOf(model), context.memory);
    context.signal.throwIfAborted();
    executor = new Executor(model, { ...settings, ...modeOf(plan) });
    return await use({ model, weights: loadWeights(model, plan.weightBytes, plan.keptInFiles), executor, plan });
  } finally {
    executor?.release();
    model.checkpoint.close();
  }
}

/** A list of prompts as a command is given it. */
export interface GivenPairs {
  pairs: readonly Pair[];
  options: readonly string[];
  /** The value of `--collisions`. */
  collisions: string | undefined;
}

/** The same with a list to be measured or scored, which is read by the tokenizer before any weights are. Errors: also those of `encodeSet`. */
export function withModelAndSet<T>(
  folder: string,
  context: Context,
  kind: 'forward' | 'scores',
  { pairs, options, collisions }: GivenPairs,
  use: (loaded: LoadedModel & { set: EncodedSet }) => Promise<T>,
): Promise<T> {
  let set: EncodedSet;
  const workOf = ({ tokenizer }: Model) => {
    set = encodeSet(tokenizer, 'pairs', pairs, options, collisions === 'merge' ? 'merge' : 'error');
    for (const warning of set.warnings) context.warn(warning);
    return workOfSet(kind, set);
  };
  return withModel(folder, context, workOf, (loaded) => use({ ...loaded, set }));
}

/** An evaluation runs prompts in passes, a scoring has all of them open. */
function workOfSet(kind: 'forward' | 'scores', set: EncodedSet): PlannedWork {
  const work = measuringWork([set]);
  return kind === 'forward' ? work : { ...work, kind, batch: set.examples.length, rows: 0 };
}
