/**
 * Who may ask whom for what: `Service` is what screens ask of the host, `Compute` what the host asks of the compute process.
 * It is types only; rpc.ts carries any such interface over any message port (a member `onX` is an event, every other one a call).
 */
import type { CircuitService } from './contract-circuits.ts';
import type { DatasetCompute, DatasetService } from './contract-datasets.ts';
import type { ModelQuestions, ModelService } from './contract-models.ts';
import type { ProjectService, RunPlan, RunQuery } from './contract-projects.ts';
import type { RunService } from './contract-runs.ts';
import type { DialCompute, WeightsService } from './contract-weights.ts';
import type { Figure } from './figures.ts';
import type {
  About,
  DeviceReport,
  Emission,
  EvaluationRow,
  ExperimentDescription,
  ExperimentSpec,
  Finding,
  ItemSet,
  Json,
  ModelDescription,
  Preview,
  RunDetail,
  RunSummary,
  ScoreQuery,
  ScoreRow,
  StepRow,
} from './records.ts';

/** Subscribes a listener and returns the way to end the subscription. */
export type Event<T> = (listener: (value: T) => void) => () => void;

export interface Service extends CircuitService, ProjectService, RunService, DatasetService, ModelService, WeightsService {
  about(): Promise<About>;
  /** What this machine has to compute with, each device self-tested. May take seconds. */
  devices(): Promise<DeviceReport[]>;
  experiments(): Promise<ExperimentDescription[]>;
  /** Errors: `ModelNotFound` and the named errors of a broken folder. */
  describeModel(path: string): Promise<ModelDescription>;
  /** Checks a spec, fills in defaults, loads data and tokenizer, estimates the cost. Nothing is stored. */
  preview(spec: ExperimentSpec): Promise<Preview>;
  /** How the chosen model's tokenizer reads a spec's data, errors that `preview` rejects with among them; empty: nothing to say. */
  preflight(spec: ExperimentSpec): Promise<Finding[]>;
  /** Validates, stores and queues a run. */
  startRun(spec: ExperimentSpec, plan?: RunPlan): Promise<{ run: string }>;
  /** Stops a queued or running run; what it has measured stays. */
  stopRun(run: string): Promise<void>;
  /** It can be brought back for 30 days. Errors: `RunActive`. */
  deleteRun(run: string): Promise<void>;
  /** Newest first; `total` counts all that the query fits. */
  runs(query?: RunQuery): Promise<{ runs: RunSummary[]; total: number }>;
  /** Errors: `RunNotFound`. */
  run(run: string): Promise<RunDetail>;
  steps(run: string): Promise<StepRow[]>;
  itemSets(run: string): Promise<ItemSet[]>;
  /** Without `items`: curves only, each row's `items` empty. */
  evaluations(run: string, options?: { items: boolean }): Promise<EvaluationRow[]>;
  /** Scores of one item (`point` its index) or averaged over items (-1); empty where none are stored. */
  scores(run: string, query: ScoreQuery): Promise<ScoreRow[]>;
  /** What the experiment drew of its results; empty until it has finished. */
  figures(run: string): Promise<Figure[]>;
  /** Rows changed: fetch again. At most about 10 a second for one run. */
  onRunChanged: Event<{ run: string; state: RunSummary['state'] }>;
}

export interface Compute extends DatasetCompute, ModelQuestions, DialCompute {
  experiments(): Promise<ExperimentDescription[]>;
  devices(): Promise<DeviceReport[]>;
  describeModel(path: string): Promise<ModelDescription>;
  preview(spec: ExperimentSpec): Promise<Preview>;
  preflight(spec: ExperimentSpec): Promise<Finding[]>;
  /**
   * Runs one experiment to its end and returns its results; rows arrive through `onEmission` meanwhile. Aborting rejects with `Interrupted`.
   * `weights`: the folder below which files of what trainings learned are kept; left out, none are.
   */
  execute(run: string, spec: ExperimentSpec, signal?: AbortSignal, weights?: string): Promise<Json>;
  /** Halts the run under way after its current step, until `resume`. Errors: `RunNotRunning`. */
  pause(run: string): Promise<void>;
  /** Errors: `RunNotRunning`. */
  resume(run: string): Promise<void>;
  onEmission: Event<{ run: string; emission: Emission }>;
}
