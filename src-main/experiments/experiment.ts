/**
 * The contract of an experiment: a description from which forms, help and validation follow, how much work it is, and a function that runs it.
 * Experiments see a prepared model and emit rows; they know neither database nor screens.
 */
import type { Executor, Weights } from '../engine/execution/executor.ts';
import type { Model } from '../engine/models/model.ts';
import type { Emission, ExperimentDescription, ExperimentSpec, Json } from '../shared/records.ts';
import type { ResolvedDataset } from '../datasets/dataset.ts';

/** What an experiment works with. `spec` is complete: every parameter is there. */
export interface ExperimentContext {
  spec: ExperimentSpec;
  model: Model;
  weights: Weights;
  executor: Executor;
  dataset: ResolvedDataset;
  emit(emission: Emission): void;
  /** Reports that `done` of the plan's units are done. */
  progress(done: number, message: string): void;
  signal: AbortSignal | undefined;
}

/** How much work a run is: training steps of `batchSize` examples, and evaluations of all items. */
export interface Work {
  steps: number;
  batchSize: number;
  evaluations: number;
}

export interface Experiment {
  description: ExperimentDescription;
  work(spec: ExperimentSpec, dataset: ResolvedDataset): Work;
  /** Returns the result object. Rejects when the signal aborts. */
  run(context: ExperimentContext): Promise<Json>;
}
