/**
 * What may be asked of models: which folders a project has, which there are on this machine, and two questions to a model itself.
 * Types only; what a model's folder holds is `describeModel` of contract.ts. Folders are never copied, written or moved.
 */
import type { Event } from './contract.ts';
import type { KeptFile, KeptTraining } from './contract-weights.ts';

/** A model of a project, or the one that ships, which is number 0 of every project. */
export interface ProjectModel {
  id: number;
  /** As specs name it: a folder, or `small-world`. */
  path: string;
  /** `OWNER/NAME` in a Hugging Face cache, else the folder's name. */
  name: string;
  /** ISO 8601, UTC; null for the one that ships. */
  added: string | null;
}

/** A folder inside another one. */
export interface SubFolder {
  name: string;
  path: string;
  /** Whether a config.json is in it. */
  isModel: boolean;
}

/** What a folder holds, folders only. */
export interface FolderListing {
  path: string;
  /** Null at the top. */
  parent: string | null;
  isModel: boolean;
  folders: SubFolder[];
  /** Folders beyond the first 1,000, which are left out. */
  more: number;
  /** Where models usually are: the home folder, the cache of Hugging Face, and so on. */
  places: { name: string; path: string }[];
}

/** A folder with a config.json that a scan has found. */
export interface FoundModel {
  path: string;
  name: string;
  /** Bytes of its weights (safetensors files); 0: it has none. */
  bytes: number;
}

export interface ModelScan {
  /** Looked into. */
  folders: number;
  /** Could not be read. */
  refused: number;
  /** False where a limit on folders ended it early. */
  complete: boolean;
  models: FoundModel[];
}

export interface ModelFile {
  name: string;
  bytes: number;
}

/** One text as a model's tokenizer reads it; the lists have one entry for each token. */
export interface TokenizedText {
  text: string;
  ids: number[];
  /** As the vocabulary writes them. */
  tokens: string[];
  /** [start, end) in code points of the text, [0, 0] for what is put around it; null where they cannot be told. */
  offsets: [start: number, end: number][] | null;
  special: boolean[];
  /** The text that the ids stand for, special tokens left out. */
  decoded: string;
}

export interface Tokenization {
  kind: string;
  /** Tokens in the vocabulary. */
  vocabulary: number;
  texts: TokenizedText[];
}

/** What is asked about the token after a prompt. */
export interface NextTokenQuery {
  /** How many of the likeliest tokens, 1 to 200. */
  top: number;
  /** Continuations of interest, each told by the first token of ` option`; at most 200. */
  options: string[];
}

/** A token that may come next. */
export interface NextToken {
  id: number;
  /** As the vocabulary writes it, and as text. */
  token: string;
  text: string;
  logit: number;
  /** Softmax over the whole vocabulary. */
  probability: number;
  /** Tokens of the whole vocabulary that are above it; 0 is the likeliest. */
  rank: number;
}

export interface NextTokens {
  /** Tokens of the prompt, special ones included. */
  promptTokens: number;
  /** The likeliest first. */
  top: NextToken[];
  /** In the order given; `rankAmong`: among the distinct first tokens of all options, as experiments rank, 0 best. */
  options: (NextToken & { option: string; rankAmong: number })[];
  /** Where the weights were kept. */
  residency: 'memory' | '16-bit' | 'disk';
  /** With loading. */
  seconds: number;
}

/** Questions to one model, which compute answers. `path` as in specs. */
export interface ModelQuestions {
  /** sha256 over the folder's files, as runs record it; reads all of them. Errors: those of opening a checkpoint. */
  modelHash(path: string): Promise<string>;
  /** Needs no weights. Errors: those of a folder's tokenizer, `BadArgument`. */
  tokenize(path: string, texts: string[]): Promise<Tokenization>;
  /**
   * Loads and runs the model, with a training's weights where they are given. Errors: those of `describeModel`, `NotEnoughMemory`, `PromptEmpty`,
   * `PromptTooLong`, `BadOption`, `Interrupted`; `KeptWeightsMissing`, `KeptWeightsChanged`, `ModelChanged`.
   */
  nextTokens(
    path: string,
    prompt: string,
    query: NextTokenQuery & { kept?: KeptFile },
    signal?: AbortSignal,
  ): Promise<NextTokens>;
}

export interface ModelService extends Pick<ModelQuestions, 'tokenize'> {
  /** As compute answers it; `training`: after this training of a run. Errors: also `WeightsNotKept`. */
  nextTokens(
    path: string,
    prompt: string,
    query: NextTokenQuery & { training?: KeptTraining },
    signal?: AbortSignal,
  ): Promise<NextTokens>;
  /** The one that ships first, then in the order they were added. Errors: `ProjectNotFound`. */
  models(project: number): Promise<ProjectModel[]>;
  /**
   * Adds a folder, or finds it there already; a repository's folder of a Hugging Face cache stands for its current snapshot.
   * Errors: `FolderNotFound`, `NoModelHere`, `ProjectNotFound`.
   */
  addModel(project: number, path: string): Promise<{ model: ProjectModel; isNew: boolean }>;
  /**
   * Tells where a model's folder is now; its runs, which keep the path that they recorded, stay its own. Where they used other files than
   * those that are there it is refused, but for `anyway`.
   * Errors: `ModelUnknown`, `ModelAlreadyThere`, `ModelDiffers`; `FolderNotFound`, `NoModelHere`; those of `modelHash` where it has runs.
   */
  locateModel(id: number, path: string, anyway?: boolean): Promise<ProjectModel>;
  /** The folder stays as it is. Errors here and below: `ModelUnknown`. */
  removeModel(id: number): Promise<void>;
  restoreModel(id: number): Promise<void>;
  /** Files of a model's folder by name. Errors: `FolderNotFound`. */
  modelFiles(path: string): Promise<ModelFile[]>;
  /** Folders inside `path`, without it those of the home folder. Errors: `FolderNotFound`. */
  browseFolders(path?: string): Promise<FolderListing>;
  /** Looks for models in a folder and below; `scan` is a name of the caller's for `onModelScan`. Errors: `FolderNotFound`, `Interrupted`. */
  scanModels(path: string, scan: string, signal?: AbortSignal): Promise<ModelScan>;
  /** How far a scan is, a few times a second. */
  onModelScan: Event<{ scan: string; folders: number; found: number; path: string }>;
}
