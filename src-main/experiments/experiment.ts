/**
 * The contract of an experiment: a description from which forms, help and validation follow, how much work it is, and a function that runs it.
 * Experiments see a prepared model and emit rows; they know neither database nor screens.
 */

import type { DatasetKind, ResolvedDataset } from '../datasets/dataset.ts';
import type { Executor } from '../engine/execution/executor.ts';
import type { Model } from '../engine/models/model.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import type { Figure } from '../shared/figures.ts';
import type { Emission, ExperimentDescription, ExperimentSpec, Json, Pair } from '../shared/records.ts';
import type { KeptTrainings } from './kept-trainings.ts';
import type { RunScratch } from './run-scratch.ts';

/** What an experiment works with. `spec` is complete: every parameter is there. */
export interface ExperimentContext {
  spec: ExperimentSpec;
  model: Model;
  weights: Weights;
  executor: Executor;
  dataset: ResolvedDataset;
  /** The lists of `sets`, encoded for the model, by key. */
  sets: Readonly<Record<string, EncodedSet>>;
  emit(emission: Emission): void;
  /** Reports that `done` of the plan's units are done. */
  progress(done: number, message: string): void;
  signal: AbortSignal | undefined;
  /** A place of its own for each training whose state memory does not hold; null: it is kept in memory. */
  scratch: RunScratch | null;
  /** Where what trainings learned goes; null: it is not kept. */
  kept: KeptTrainings | null;
  /** Awaited between two steps: resolves once the run is not paused. Rejects when the signal aborts. */
  turn(): Promise<void>;
}

/** How much work a run is: training steps of `batchSize` examples, and evaluations of all items. */
export interface Work {
  steps: number;
  batchSize: number;
  evaluations: number;
  /** Trained sets of weights that are in memory at one time; default 1. */
  trainedSets?: number;
  /** Trainings whose weights may be kept on disk in the end; default one for every seed. */
  keptTrainings?: number;
}

/** A list of items to be trained on or measured: the name it is stored under, its pairs and the options they are ranked among. */
export interface ItemList {
  set: string;
  pairs: Pair[];
  options: string[];
}

export interface Experiment {
  description: ExperimentDescription;
  /** What its data set must hold. */
  datasetKind: DatasetKind;
  /** The lists it works with, by the key under which it finds them in its context. */
  lists(dataset: ResolvedDataset): Record<string, ItemList>;
  work(spec: ExperimentSpec, dataset: ResolvedDataset, model: Model): Work;
  /** Returns the result object. Rejects when the signal aborts. */
  run(context: ExperimentContext): Promise<Json>;
  /** What to show of the results. */
  figures(results: Json, context: ExperimentContext): Figure[];
}
