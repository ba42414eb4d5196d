/**
 * What trainings of runs have learned, as it is kept in files: which there are, and how ranks and losses move with the strength of it.
 * Types and bounds only; the files are the data folder's, and compute reads them.
 */
import type { Event } from './contract.ts';
import type { ItemSet, KeptWeights } from './records.ts';

/** Layers [first, last], or all (null), and how much of their change is put in: 0 none of it, 1 all of it. */
export interface StrengthBlock {
  layers: [first: number, last: number] | null;
  strength: number;
}

export const leastStrength = -1;
export const mostStrength = 2;

/** One list measured at a strength. */
export interface DialSet {
  set: string;
  meanRank: number;
  /** Mean cross entropy of the list as one batch. */
  loss: number;
  /** By item. */
  ranks: number[];
}

export interface DialAnswer {
  sets: DialSet[];
  /** Of the model. */
  layers: number;
  /** Of measuring alone. */
  seconds: number;
  /** Where the model's weights were kept. */
  residency: 'memory' | '16-bit' | 'disk';
}

/** A point that was visited: strengths and mean ranks by list. */
export interface DialPoint {
  strengths: StrengthBlock[];
  ranks: { set: string; meanRank: number; loss: number }[];
}

/** Visited points that were stored with a run. */
export interface DialPath {
  path: number;
  seed: number;
  stage: string;
  points: DialPoint[];
  /** ISO 8601, UTC. */
  created: string;
}

/** Kept weights of any run of one model. */
export interface KeptOfModel {
  run: string;
  title: string;
  /** ISO 8601, UTC. */
  created: string;
  seed: number;
  stage: string;
}

/** A training of a run whose weights are kept. */
export type KeptTraining = Pick<KeptOfModel, 'run' | 'seed' | 'stage'>;

export interface WeightsService {
  /** In the order of the trainings; empty where nothing is kept. Errors: `RunNotFound`. */
  keptWeights(run: string): Promise<KeptWeights[]>;
  /** What is kept of all runs of a model, as specs name it, the newest run first. */
  keptOfModel(path: string): Promise<KeptOfModel[]>;
  /**
   * Measures the training's lists with base + strength x change: the base's own weights at 0 and the trained ones at 1, bit for bit. Layers that no
   * block names keep the base's. What lies in front of the layers goes with the first of them, what lies behind with the last.
   * `dial` is a name of the caller's for `onDial`. Errors: `WeightsNotKept`, `BadArgument`, those of `DialCompute`.
   */
  dial(training: KeptTraining, strengths: StrengthBlock[], dial: string, signal?: AbortSignal): Promise<DialAnswer>;
  /** How far a measurement is: items done of all. */
  onDial: Event<{ dial: string; done: number; total: number }>;
  /** Those of all trainings of a run, oldest first. Errors: `RunNotFound`. */
  dialPaths(run: string): Promise<DialPath[]>;
  /** Returns its number. Errors: `RunNotFound`, `WeightsNotKept`, `BadArgument`. */
  saveDialPath(training: KeptTraining, points: DialPoint[]): Promise<{ path: number }>;
  /** Errors here and below: `PathNotFound`. */
  deleteDialPath(path: number): Promise<void>;
  restoreDialPath(path: number): Promise<void>;
}

/** A file of kept weights as compute opens it. */
export interface KeptFile {
  path: string;
  /** sha256 of it, as it was written. */
  hash: string;
}

export interface DialQuestion {
  /** As specs name it. */
  model: string;
  kept: KeptFile;
  /** Of the run's computation: the same number gives the same bits. */
  threads: number;
  strengths: StrengthBlock[];
  sets: ItemSet[];
  dial: string;
}

export interface DialCompute {
  /**
   * Keeps model and weights at hand for a while. Errors: those of a model folder; `KeptWeightsMissing`, `KeptWeightsChanged`, `ModelChanged`,
   * `NotEnoughMemory`, `BadArgument`, `Interrupted`.
   */
  dial(question: DialQuestion, signal?: AbortSignal): Promise<DialAnswer>;
  onDial: WeightsService['onDial'];
}
