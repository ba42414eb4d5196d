/**
 * What the circuit explorer asks of the host: which scores a run stored, one component's scores over seeds and items, and saved circuits.
 * It is types only; contract.ts makes it part of `Service`.
 */
import type { Json } from './records.ts';

/** A run that stored scores of components. */
export interface ScoredRun {
  run: string;
  title: string;
  experiment: string;
  model: string;
  dataset: string;
  /** ISO 8601, UTC. */
  created: string;
  /** Circuits saved on it. */
  circuits: number;
}

/** One scoring of a run: what is stored of one seed at one stage. */
export interface ScoreListing {
  seed: number;
  stage: string;
  /** The list that its items are of. */
  set: string;
  /** Item indices in ascending order; -1 is the average. */
  points: number[];
  names: string[];
}

/** Which component is asked for: one layer's MLP or attention (`head` null: all heads added), or one head. */
export interface ComponentQuery {
  stage: string;
  /** Names of scores, such as `upstream.mlp`; those without the asked head are left out. */
  names: string[];
  layer: number;
  head: number | null;
}

/** One component's score of one seed and item (-1: the average), by token. */
export interface ComponentScores {
  seed: number;
  point: number;
  name: string;
  values: number[];
}

/** A saved circuit: `view` is what the screen needs to show it again. */
export interface CircuitRecord {
  circuit: number;
  run: string;
  name: string;
  view: Json;
  created: string;
  changed: string;
}

export interface CircuitService {
  /** Newest first, deleted ones left out; of one project where it is given. */
  scoredRuns(project?: number): Promise<ScoredRun[]>;
  /** Stages in the order in which they were stored; empty where nothing is. Errors: `RunNotFound`. */
  scoreListing(run: string): Promise<ScoreListing[]>;
  /** Errors: `RunNotFound`, `BadArgument`. */
  componentScores(run: string, query: ComponentQuery): Promise<ComponentScores[]>;
  /** Circuits of a run in the order of their names, deleted ones left out. Errors: `RunNotFound`. */
  circuits(run: string): Promise<CircuitRecord[]>;
  /** Errors: `RunNotFound`, `BadArgument` for an empty name or a view of more than 1 MiB. */
  createCircuit(run: string, circuit: { name: string; view: Json }): Promise<{ circuit: number }>;
  /** Changes what is given. Errors: `CircuitNotFound`, `BadArgument`. */
  changeCircuit(circuit: number, change: { name?: string; view?: Json }): Promise<void>;
  /** It can be brought back. Errors: `CircuitNotFound`. */
  deleteCircuit(circuit: number): Promise<void>;
  /** Brings a deleted circuit back. Errors: `CircuitNotFound`. */
  restoreCircuit(circuit: number): Promise<void>;
}
