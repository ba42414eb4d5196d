/**
 * What screens may ask of runs that wait or run, of many runs at once, and of one item across runs: the queue, halting and going on,
 * deleting together, and where else an item was measured. Types only; the rest of what may be asked for is in contract.ts.
 */
import type { ContinuationRow } from './records.ts';

/** A run of this program that has not ended. */
export interface QueueEntry {
  run: string;
  title: string;
  /** The first entry alone can be running; the others wait in this order. */
  running: boolean;
  /** Halted between two steps, or about to be. */
  paused: boolean;
}

/** The same prompt and answer as measured by another run. */
export interface ItemTwin {
  run: string;
  title: string;
  /** ISO 8601, UTC. */
  created: string;
  set: string;
  /** Index in the set. */
  item: number;
  /** The training that the run list's outcome is of, or of those that measured the item the one that comes closest: a training, the first. */
  stage: string;
  /** The last epoch that any seed has reached in it. */
  epoch: number;
  /** Rank at that epoch, one for each seed that has reached it, ascending. */
  ranks: { seed: number; rank: number }[];
}

export interface RunService {
  /** Runs of this program that wait or run, in order; those of other programs in the same data folder are not among them. */
  queue(): Promise<QueueEntry[]>;
  /** Halts a running run after its current step, until `resumeRun`; it keeps its place and its memory. Errors: `RunNotRunning`. */
  pauseRun(run: string): Promise<void>;
  /** Errors: `RunNotRunning`. */
  resumeRun(run: string): Promise<void>;
  /** Gives a run another title. Errors: `RunNotFound`, `EmptyName`. */
  renameRun(run: string, title: string): Promise<void>;
  /** Deletes those of up to 100,000 runs that have ended, in one step, and says which; they can be brought back for 30 days. */
  deleteRuns(runs: string[]): Promise<{ deleted: string[] }>;
  /** Brings those back that are deleted. */
  restoreRuns(runs: string[]): Promise<void>;
  /** The item in other runs of the same project, newest first, 20 at the most. Errors: `RunNotFound`, `ItemNotFound`. */
  itemTwins(run: string, set: string, item: number): Promise<ItemTwin[]>;
  /**
   * What the model said after items' prompts before and after trainings, by training and list; of one list or one item where that is asked for.
   * Empty where the run wrote none. Errors: `RunNotFound`.
   */
  continuations(run: string, set?: string, item?: number): Promise<ContinuationRow[]>;
}
