/**
 * What screens may ask of projects: the projects themselves, their saved specs, runs brought back, and a search over everything.
 * Types only; the rest of what may be asked for is in contract.ts. Deleting keeps a row for 30 days, in which it can be restored.
 */
import type { Event } from './contract.ts';
import type { ExperimentSpec, Json, RunState } from './records.ts';

/** What a project owns, deleted things left out. */
export interface ProjectCounts {
  runs: number;
  models: number;
  datasets: number;
  specs: number;
}

/** One project as a list shows it. Times are ISO 8601, UTC. */
export interface ProjectSummary {
  project: number;
  name: string;
  created: string;
  /** When it was last looked at. */
  opened: string;
  archived: string | null;
  /** When something in it was last added or changed, at the least its creation. */
  active: string;
  counts: ProjectCounts;
  /** Whether its notes hold anything. */
  hasNotes: boolean;
}

export interface ProjectDetail extends ProjectSummary {
  /** Markdown. */
  notes: string;
}

/** A spec kept under a name. */
export interface SavedSpec {
  id: number;
  project: number;
  name: string;
  spec: ExperimentSpec;
  created: string;
  changed: string;
}

/** What a list of runs can be sorted by: `facts` and `implications` by the mean rank of that list in the end. */
export type RunOrder = 'created' | 'title' | 'experiment' | 'model' | 'state' | 'facts' | 'implications' | 'seconds';

/** Which runs are listed; what is left out does not restrict. */
export interface RunQuery {
  limit: number;
  offset: number;
  project?: number;
  /** Words, each of which is somewhere in title, experiment, model, data set, state, name or notes, whatever the case. */
  search?: string;
  state?: RunState;
  experiment?: string;
  /** As specs name it: a folder, or `small-world`; runs of a model that was moved are found by its place now too. */
  model?: string;
  /** Newest first where nothing is said, and among equals; runs without a value come last either way. */
  sort?: { by: RunOrder; descending: boolean };
}

/** What is fixed about a run besides its spec, before it starts. */
export interface RunPlan {
  /** The project looked at last where it is left out. Errors: `ProjectNotFound`. */
  project?: number;
  /** What is expected of the run; its form is the wizard's business. An object is stored with a `seal` (prediction-seal.ts). */
  prediction?: Json;
  /** The row of the data set's version that the spec's data were taken from. */
  datasetVersion?: number;
}

export type SearchKind = 'project' | 'run' | 'model' | 'dataset' | 'spec' | 'circuit';

/** Something that was found. */
export interface SearchHit {
  kind: SearchKind;
  /** A run's name, a circuit's run and number with a slash between; of everything else its number, as text. */
  id: string;
  title: string;
  /** One line that tells it from others of its title. */
  detail: string;
  /** What was written where the words stand, where they are in notes; null: they are elsewhere. */
  excerpt: string | null;
  project: number;
}

/** Something that was deleted and can be brought back, by the restoring member of its kind. */
export interface DeletedThing {
  kind: SearchKind;
  /** A run's name; of everything else its number, as text. */
  id: string;
  title: string;
  /** The project it is of, its own number for a project. */
  project: number;
  /** That project's name. */
  owner: string;
  /** Since when, and until when it is kept at the least: ISO 8601, UTC. */
  deleted: string;
  until: string;
}

/** What projects own besides runs, whose changes have an event of their own; `project` is the projects themselves and their notes. */
export type ProjectPart = 'project' | 'model' | 'dataset' | 'spec' | 'circuit';

export interface ProjectService {
  /** Archived ones too; the one looked at last comes first. */
  projects(): Promise<ProjectSummary[]>;
  /** Errors here and below: `ProjectNotFound`. */
  project(project: number): Promise<ProjectDetail>;
  /** A name that another project has gets a number: `Plans (2)`. Errors: `EmptyName`. */
  createProject(name: string): Promise<ProjectDetail>;
  /** Notes that it is looked at. */
  openProject(project: number): Promise<ProjectDetail>;
  /** As `createProject` names it. Errors: `EmptyName`. */
  renameProject(project: number, name: string): Promise<void>;
  archiveProject(project: number, archived: boolean): Promise<void>;
  /** Errors: `LastProject`, `RunActive` while a run of it is under way. */
  deleteProject(project: number): Promise<void>;
  /** With all that it owns; where another one took its name meanwhile, it gets a number. */
  restoreProject(project: number): Promise<void>;
  /** `base`: the notes that were changed; where others are stored by now, nothing is. Errors: `NotesChanged`. */
  saveProjectNotes(project: number, notes: string, base?: string): Promise<void>;
  /** What can be brought back, the last deleted first, 500 at the most. What went with something else comes back with it and is not listed. */
  deleted(): Promise<DeletedThing[]>;
  /** Brings a deleted run back. Errors: `RunNotFound`. */
  restoreRun(run: string): Promise<void>;
  /** As `saveProjectNotes`. Errors: `RunNotFound`, `NotesChanged`. */
  saveRunNotes(run: string, notes: string, base?: string): Promise<void>;
  /** The one changed last comes first. */
  specs(project: number): Promise<SavedSpec[]>;
  /** Errors: `SpecNotFound`. */
  spec(id: number): Promise<SavedSpec>;
  /** With `id` it takes the place of that one. Errors: `EmptyName`, `SpecNotFound`. */
  saveSpec(given: { project: number; name: string; spec: ExperimentSpec; id?: number }): Promise<{ id: number }>;
  /** Errors here and below: `SpecNotFound`. */
  renameSpec(id: number, name: string): Promise<void>;
  deleteSpec(id: number): Promise<void>;
  restoreSpec(id: number): Promise<void>;
  /** Something of that kind was made, changed, deleted or restored by anyone who asks this host: fetch again. */
  onProjectChanged: Event<{ part: ProjectPart }>;
  /** Best first, 30 at the most unless `limit` says otherwise. All words must be found. */
  search(text: string, options?: { project?: number; limit?: number }): Promise<SearchHit[]>;
}
