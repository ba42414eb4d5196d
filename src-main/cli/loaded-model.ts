/**
 * A model ready to compute with in this process: opened, loaded, and an executor on the chosen device.
 * It is for the commands that work on files; experiments run in the compute process.
 */
import { Executor, type Weights } from '../engine/execution/executor.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import type { Context } from './command.ts';

export interface LoadedModel {
  model: Model;
  weights: Weights;
  executor: Executor;
}

/** Opens `folder`, calls `use`, and closes everything, whatever happens. Errors: those of `openModel`, `loadWeights`. */
export async function withModel<T>(folder: string, context: Context, use: (loaded: LoadedModel) => Promise<T>): Promise<T> {
  const settings = await context.session();
  const model = await openModel(folder);
  for (const warning of model.warnings) context.warn(warning);
  const executor = new Executor(model, settings);
  try {
    context.signal.throwIfAborted();
    return await use({ model, weights: loadWeights(model), executor });
  } finally {
    executor.release();
    model.checkpoint.close();
  }
}
