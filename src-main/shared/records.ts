/**
 * The plain, JSON-able data that crosses process boundaries and is stored: specs, runs, evaluations, models.
 * It holds no behaviour; who sends what to whom is in contract.ts.
 */
import type { ErrorRecord } from './errors.ts';
import type { Figure } from './figures.ts';

/** Any value that survives JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** `[prompt, continuation]`; the text is `{prompt} {continuation}`. */
export type Pair = [prompt: string, continuation: string];

/** Facts (`train`) and implications (`test`) with the options each is ranked among, as a spec may hold them inline. */
export interface FactsAndImplications {
  train: Pair[];
  test: Pair[];
  options: { train: string[]; test: string[] };
}

/** One assignment of DAXWUG: `{name} dax is` city, `{city} wug is the` animal, `{name} zong is the` animal. */
export interface DaxwugVariant {
  left: Pair[];
  right: Pair[];
  both: Pair[];
}

/** The three sentences about nonce words, in two assignments. Slices are [first, end) of the names of `left` and `both`. */
export interface Daxwug {
  variant_1: DaxwugVariant;
  variant_2: DaxwugVariant;
  options: { left: string[]; right: string[]; both: string[] };
  test_slice: [number, number];
  train_slice: [number, number];
}

/** What `run SPEC.yaml` and a wizard both write. Keys are those of the command line's contract; absent ones take the experiment's defaults. */
export interface ExperimentSpec {
  experiment: string;
  model: string;
  dataset: Json;
  [parameter: string]: Json | undefined;
}

/** How one setting is asked for: forms, command line help and validation all follow from this. */
export type ParameterKind =
  | 'number'
  | 'integer'
  | 'integers' // a list of integers, such as seeds
  | 'choice'
  | 'boolean'
  | 'model' // a folder, or `small-world`
  | 'folders' // a list of folders
  | 'dataset' // a built-in name, a file, or inline
  | 'trainables' // several of the next kind, by name
  | 'trainable' // all | mlp_attn | {layers: [...]} | {except: {layers: [...]}} | lora | {lora: {...}} | [tensor names]
  | 'prompt' // {prompt, answer}
  | 'components' // a list of {part, layer, head, token}
  | 'counterfactuals' // all | {count, seed} | a list of item indices per item
  | 'memory' // bytes, as a number or such as 8GiB
  | 'orders'; // batches given by index instead of drawn

export interface Parameter {
  name: string;
  label: string;
  /** One or two sentences for a researcher: what it does, what the paper used and why. */
  help: string;
  kind: ParameterKind;
  /** Used when the spec leaves the parameter out; undefined: it must be given (or is optional if `optional`). */
  default?: Json;
  /** Takes the place of `default` where the model is a small-world model, whose learning rates and epochs are its own. */
  smallWorldDefault?: Json;
  optional?: boolean;
  minimum?: number;
  maximum?: number;
  /** For `choice`, and suggestions for `model` and `dataset`. */
  choices?: { value: string; label: string }[];
  /** Shown under "Advanced" in forms. */
  advanced?: boolean;
}

/** An experiment as the screens and the command line see it. */
export interface ExperimentDescription {
  id: string;
  title: string;
  /** The question it answers, one sentence. */
  question: string;
  /** Two or three sentences: what is done and what the outcome says. */
  explanation: string;
  parameters: Parameter[];
}

export type RunState = 'queued' | 'running' | 'finished' | 'failed' | 'stopped' | 'interrupted';

export interface Progress {
  done: number;
  total: number;
  /** What is happening, for example `seed 1, epoch 4 of 12`. */
  message: string;
  secondsLeft: number | null;
}

/** What a run came to in one training: its first, which is the only one of most runs; of emergence its last, from the whole model. */
export interface RunOutcome {
  /** Of a run that has trained nothing yet, the stage measured first. */
  stage: string;
  /** How many stages of the run have trained so far. */
  trainings: number;
  /** By list: mean ranks at the first epoch and at the last one reached, over the seeds that have reached it. */
  lists: { [set: string]: { first: number; last: number } };
}

/** A time in which a run was halted; ISO 8601, UTC. `ended` is null where it has not gone on, or never did. */
export interface RunPause {
  begun: string;
  ended: string | null;
}

/** One run as the run list shows it. */
export interface RunSummary {
  run: string;
  /** The project it belongs to. */
  project: number;
  experiment: string;
  title: string;
  model: string;
  dataset: string;
  state: RunState;
  /** ISO 8601, UTC. */
  created: string;
  started: string | null;
  finished: string | null;
  /** Seconds of computation so far. */
  seconds: number;
  progress: Progress | null;
  error: ErrorRecord | null;
  /** As far as it has got; null where nothing was measured. */
  outcome: RunOutcome | null;
  /** Halted between two steps while it is `running`. */
  paused: boolean;
}

/** Everything needed to run a run again. */
export interface Provenance {
  modelPath: string;
  /** sha256 over the model folder's files. */
  modelHash: string;
  /** sha256 of the data set's canonical JSON. */
  datasetHash: string;
  device: string;
  threads: number;
  versions: { [name: string]: string };
}

/** A run with its spec (defaults filled in), its results so far and where they came from. */
export interface RunDetail extends RunSummary {
  spec: ExperimentSpec;
  provenance: Provenance | null;
  /** The experiment's result object (the command line's `results`), null until finished. */
  results: Json;
  warnings: string[];
  /** Markdown. */
  notes: string;
  /** What was expected of it, fixed before it started; null: nothing was. */
  prediction: Json;
  /** The row of the data set's version that was used; null: no data set of a project was. */
  datasetVersion: number | null;
  /** In order. */
  pauses: RunPause[];
}

/** One training step as it is stored. */
export interface StepRow {
  seed: number;
  /** Which training of the run, for experiments with several; `finetune` for OCR. */
  stage: string;
  epoch: number;
  step: number;
  loss: number;
  seconds: number;
}

/** One measurement of a list of items (facts or implications) under one set of weights. */
export interface EvaluationRow {
  seed: number;
  stage: string;
  /** Measured before this epoch; the last one comes after the last epoch. */
  epoch: number;
  /** `facts` or `implications`, or another list's name. */
  set: string;
  meanRank: number;
  /** Mean cross entropy of the set as one batch. */
  loss: number;
  items: ItemMeasurement[];
}

/** One item of an evaluation. Everything shown about an item derives from `logits`. */
export interface ItemMeasurement {
  item: number;
  rank: number;
  /** Logit of each candidate (the set's `candidates` order) at the prompt's last token. */
  logits: number[];
}

/** The list an evaluation's items and logits refer to. */
export interface ItemSet {
  set: string;
  pairs: Pair[];
  options: string[];
  /** Distinct first tokens of the options; the axis of `logits`. */
  candidates: number[];
  /** The option behind each candidate, as people read it; several that were merged are joined by ` / `. */
  labels: string[];
  /** Index into `candidates` of each item's right answer. */
  answers: number[];
}

/** One score of a component kind for one item or averaged, as a table over layers, (heads,) tokens. */
export interface ScoreRow {
  seed: number;
  /** Which scoring of the run, for experiments with several. */
  stage: string;
  /** The list that the items are of. */
  set: string;
  /** Item index, or -1 for the average over items shown on the accumulation prompt's tokens. */
  point: number;
  /** `upstream.mlp`, `downstream.attn`, `informative.q_proj`, ... */
  name: string;
  /** [layers, tokens] or [layers, heads, tokens]. */
  shape: number[];
  /** Row-major; float32 values. */
  values: number[];
}

/** Which stored scores are asked for; what is left out is not restricted. */
export interface ScoreQuery {
  seed: number;
  point: number;
  stage?: string;
  names?: string[];
}

/** What the model says after the prompts of one list, before any training of the run and by the weights that one of them ended with. */
export interface ContinuationRow {
  seed: number;
  stage: string;
  set: string;
  /** Texts as they follow the item's prompt; empty where the model ends the text at once. */
  rows: { item: number; before: string; after: string }[];
}

/** What one training of a run learned, as it is kept in a file. */
export interface KeptWeights {
  seed: number;
  stage: string;
  /** Below the folder of kept weights: `RUN/NAME.safetensors`. */
  file: string;
  /** `values`: trained values of the tensors that changed; `low-rank`: the adapters that were trained. */
  form: 'values' | 'low-rank';
  bytes: number;
  /** sha256 of the file. */
  hash: string;
}

/** What compute sends while an experiment runs, in order. */
export type Emission =
  | { kind: 'provenance'; provenance: Provenance }
  | { kind: 'warning'; message: string }
  | { kind: 'items'; items: ItemSet }
  | { kind: 'step'; row: StepRow }
  | { kind: 'evaluation'; row: EvaluationRow }
  | { kind: 'scores'; rows: ScoreRow[] }
  | { kind: 'weights'; row: KeptWeights }
  | { kind: 'continuations'; row: ContinuationRow }
  | { kind: 'figures'; figures: Figure[] }
  | { kind: 'progress'; progress: Progress };

/** `hopscope model FOLDER`. Sizes in bytes. */
export interface ModelDescription {
  path: string;
  family: string;
  layers: number;
  heads: number;
  kv_heads: number;
  hidden: number;
  vocabulary: number;
  parameters: number;
  dtype: 'float32' | 'bfloat16' | 'float16';
  tied_embeddings: boolean;
  context: number;
  tokenizer: string;
  /** What work takes where everything is kept in memory, and what is available. */
  memory: { forward: number; scores: number; train_all: number; train_mlp_attn: number; available: number };
  /** What usual work will take here. */
  plan: ModelPlan;
}

/** What a piece of work takes on this machine within a budget of memory; sizes in bytes. */
export interface WorkEstimate {
  /** The process's peak. */
  memory: number;
  /** Where the model's weights are kept: as float32 in memory, in 16 bits there, or some of them on disk. */
  residency: 'memory' | '16-bit' | 'disk';
  /** Where what trains is kept. */
  state: 'none' | 'memory' | 'scratch';
  /** Of the disk, while it runs. */
  disk: number;
  seconds: number;
  /** Whether it can run within the budget at all. */
  fits: boolean;
}

/** Estimates of usual pieces of work, each with what it is in words. */
export interface ModelPlan {
  budget: number;
  forward: WorkEstimate & { of: string };
  scores: WorkEstimate & { of: string };
  train_all: WorkEstimate & { of: string };
  train_mlp_attn: WorkEstimate & { of: string };
  train_lora: WorkEstimate & { of: string };
}

/** Something the preflight found in a data set as a model's tokenizer reads it. */
export interface Finding {
  /** `error`: a run stops with this code; `warning`: results may mislead; `note`: good to know. */
  severity: 'error' | 'warning' | 'note';
  /** One PascalCase word; for an error that of the run's own error. */
  code: string;
  message: string;
  /** The list that `items` index into, by the name it is stored under. */
  set: string;
  /** Indices of the pairs concerned; empty: the list as a whole. */
  items: number[];
}

/** What computing keeps to where a spec leaves it out; sizes in bytes. */
export interface ComputeDefaults {
  device?: string;
  threads?: number;
  memory?: number;
  /** Memory of the device; no spec has it. */
  deviceMemory?: number;
}

/** What a wizard shows before starting: the data as it will be used and what the run will cost here. */
export interface Preview {
  spec: ExperimentSpec;
  /** Names of the settings that differ from the defaults that this model and data set would have had. */
  changed: string[];
  model: ModelDescription;
  sets: ItemSet[];
  /** Token strings of each set's first item, to show how the model reads it. */
  tokens: { set: string; tokens: string[] }[];
  warnings: string[];
  /** The preflight of these sets; no errors, which reject. */
  findings: Finding[];
  /** `kept`: bytes of disk that what is learned will take beside the run at most. */
  cost: WorkEstimate & { steps: number; evaluations: number; kept: number };
}

/** One device of this machine and whether its self-test passed. */
export interface DeviceReport {
  device: string;
  available: boolean;
  /** Why it is refused, or the largest difference to the CPU in the self-test. */
  detail: string;
  /** Whether it computes with 16-bit floats, so that weights may lie there in half the memory; of devices that keep tensors. */
  half_precision?: boolean;
  /** Bytes that a single tensor may take there; of devices that keep tensors. */
  largest_buffer?: number;
}

export interface About {
  version: string;
  dataFolder: string;
  smallWorld: string;
  versions: { [name: string]: string };
  memory: { total: number; available: number };
  threads: number;
}
