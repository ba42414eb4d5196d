/**
 * What screens may ask of a project's data sets: their versions, what is made from templates, how a tokenizer reads texts.
 * Types only. Specs name a version as `dataset: {project_dataset: ID, version: N}`; the host puts its content in that place for compute.
 */
import type { Daxwug, FactsAndImplications, RunState } from './records.ts';

/** Facts with implications, or the nonce words of DAXWUG. */
export type DatasetKindName = 'facts' | 'daxwug';

/**
 * Facts and implications with what follows from what: `links[j]` is the index of the fact that implication j follows from, -1 where
 * none is named. Left out: the n-th follows from the n-th where there are as many, else nothing is said.
 */
export interface LinkedFacts extends FactsAndImplications {
  links?: number[];
}

export type DatasetContent = LinkedFacts | Daxwug;

/** How a spec names a version of a project's data set. */
export interface DatasetReference {
  /** `DatasetSummary.dataset`. */
  project_dataset: number;
  /** 1, 2, ...; left out: the latest. */
  version?: number;
}

/** One data set as a list shows it. Times are ISO 8601, UTC. */
export interface DatasetSummary {
  dataset: number;
  project: number;
  name: string;
  kind: DatasetKindName;
  created: string;
  /** When the latest version was saved; its creation before the first. */
  changed: string;
  /** Rows of the latest version; 0 before the first. */
  rows: number;
  /** Number of the latest version; 0: none yet. */
  versions: number;
  /** Runs that used any version. */
  runs: number;
}

/** One saved version without its content. */
export interface DatasetVersionSummary {
  /** The row that a run keeps: `RunDetail.datasetVersion`. */
  id: number;
  number: number;
  created: string;
  note: string;
  rows: number;
  /** sha256 of the content's canonical JSON. */
  hash: string;
  runs: number;
}

export interface DatasetDetail extends DatasetSummary {
  /** Newest first. */
  history: DatasetVersionSummary[];
}

export interface DatasetVersion extends DatasetVersionSummary {
  dataset: number;
  name: string;
  kind: DatasetKindName;
  content: DatasetContent;
}

/** The version that a run kept; the data set itself may have been deleted since. */
export interface UsedDatasetVersion extends Omit<DatasetVersion, 'content'> {
  isDeleted: boolean;
}

/** A run that used a version of a data set. */
export interface DatasetRun {
  run: string;
  title: string;
  state: RunState;
  /** ISO 8601, UTC. */
  created: string;
  /** `DatasetVersionSummary.number`. */
  version: number;
}

/** What was written into a data set of facts and not saved yet, as the cells hold it. */
export interface DatasetDraft {
  /** Number of the version that it changes; 0: there was none yet. */
  base: number;
  /** ISO 8601, UTC. */
  written: string;
  /** Cells of the editing grid. */
  rows: string[][];
  options: { train: string[]; test: string[] };
}

/** The draft of a data set, which may itself be deleted. */
export interface DraftAnswer {
  name: string;
  /** Since when, ISO 8601, UTC; null: it is there. */
  deleted: string | null;
  /** A name of the data folder that no other one has. */
  folder: string;
  /** Null where there is none. */
  draft: DatasetDraft | null;
}

/** A sentence with `{column}` slots; the answer is the value of a column. */
export interface SentenceTemplate {
  prompt: string;
  answer: string;
}

/** Everything a data set is made of: a table of entities and sentences about each. */
export interface GenerationRequest {
  columns: string[];
  rows: string[][];
  facts: SentenceTemplate[];
  implications: SentenceTemplate[];
  /** Moves these columns' values together to other rows, so that nobody keeps theirs. */
  counterfactual?: { columns: string[]; seed: number };
}

/** What is wrong with a template, and where: `row` counts from 0, null for all rows; `slot` is the column asked for, or ''. */
export interface GenerationProblem {
  code: string;
  list: 'facts' | 'implications' | 'table';
  template: number;
  row: number | null;
  slot: string;
  message: string;
}

/** The data set, entity by entity; null where there are problems, of which at most 200 are named. */
export interface Generated {
  content: LinkedFacts | null;
  problems: GenerationProblem[];
}

/** Nonce words that all models read in equally many tokens with different first ones. */
export interface WordRequest {
  models: string[];
  count: number;
  seed: number;
  kind: 'word' | 'name';
  without: string[];
}

export interface DatasetService extends DatasetCompute {
  /** Newest change first. Errors: `ProjectNotFound`. */
  datasets(project: number): Promise<DatasetSummary[]>;
  /** Errors here and below: `DatasetNotFound`. */
  dataset(dataset: number): Promise<DatasetDetail>;
  /** Errors: `VersionNotFound`. */
  datasetVersion(dataset: number, version: number): Promise<DatasetVersion>;
  /** The version that a run kept, by the row it names; of deleted data sets too. Errors: `VersionNotFound`. */
  datasetVersionOfRun(id: number): Promise<UsedDatasetVersion>;
  /** The runs that used any version, newest first; those of other projects among them. Errors: `DatasetNotFound`. */
  datasetRuns(dataset: number): Promise<DatasetRun[]>;
  /** With content it gets its first version. Errors: `EmptyName`, `BadDataset`, `DatasetTooLarge`, `ProjectNotFound`. */
  createDataset(given: {
    project: number;
    name: string;
    kind: DatasetKindName;
    content?: DatasetContent;
    note?: string;
  }): Promise<{ dataset: number }>;
  renameDataset(dataset: number, name: string): Promise<void>;
  /** A new data set with the latest version of this one. */
  duplicateDataset(dataset: number): Promise<{ dataset: number }>;
  deleteDataset(dataset: number): Promise<void>;
  restoreDataset(dataset: number): Promise<void>;
  /**
   * Adds a version; where the content is that of the latest one already, it stays the latest. `base` is the number of the version that the
   * content was made from, 0 where there was none. Errors: `BadDataset`, `DatasetTooLarge`, `VersionConflict` where `base` is not the latest.
   */
  saveDatasetVersion(
    dataset: number,
    content: DatasetContent,
    note: string,
    base: number,
  ): Promise<{ version: number; added: boolean }>;
  /** Of deleted data sets too. Errors here and below: `DatasetNotFound` where it is gone for good. */
  datasetDraft(dataset: number): Promise<DraftAnswer>;
  /** Null: there is none any more. Errors: `DatasetTooLarge`. */
  saveDatasetDraft(dataset: number, draft: DatasetDraft | null): Promise<void>;
}

/** The part of it that compute answers. */
export interface DatasetCompute {
  /** The built-in set of a model. Errors: `UnknownDataset`, `ModelNotFound`. */
  builtinDataset(model: string, name: string): Promise<{ kind: DatasetKindName; content: DatasetContent }>;
  /** Fills templates; what is wrong with them comes back as problems. Errors: `BadTable`, `NoOtherAssignment`. */
  generateDataset(request: GenerationRequest): Promise<Generated>;
  /** Errors: `BadCount`, `NotEnoughWords`, and those of a model folder. */
  makeWords(request: WordRequest): Promise<string[]>;
}
