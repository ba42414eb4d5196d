/**
 * The data sets of projects as screens ask for them, and the content behind the reference that a spec holds.
 * Checks of content are in dataset-content.ts, the tables in database/datasets.ts; compute fills templates.
 */
import {
  addVersion,
  createDataset,
  deleteDataset,
  getDataset,
  getDatasetRuns,
  getVersion,
  getVersionById,
  isDatasetDeleted,
  listDatasets,
  type NewVersion,
  renameDataset,
  restoreDataset,
} from '../database/datasets.ts';
import type { Database } from '../database/open.ts';
import { requireProject } from '../database/projects.ts';
import type {
  DatasetContent,
  DatasetKindName,
  DatasetReference,
  DatasetService,
  DatasetVersion,
  LinkedFacts,
} from '../shared/contract-datasets.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec, Json } from '../shared/records.ts';
import type { ComputeKeeper } from './compute-keeper.ts';
import { readContent } from './dataset-content.ts';
import { draftMembers } from './dataset-drafts.ts';
import { cleanName } from './names.ts';

const longestName = 200;
const longestNote = 2000;

/** The members of `DatasetService` over a database and compute. */
export function datasetMembers(database: Database, compute: Pick<ComputeKeeper, 'use'>): DatasetService {
  return {
    async datasets(project) {
      requireProject(database, whole(project, 'project'));
      return listDatasets(database, project);
    },
    dataset: async (dataset) => getDataset(database, whole(dataset, 'data set')),

    async datasetVersion(dataset, version) {
      getDataset(database, whole(dataset, 'data set'));
      return getVersion(database, dataset, whole(version, 'version'));
    },

    async datasetVersionOfRun(id) {
      const { content: _content, ...version } = getVersionById(database, whole(id, 'version'));
      return { ...version, isDeleted: isDatasetDeleted(database, version.dataset) };
    },

    async datasetRuns(dataset) {
      getDataset(database, whole(dataset, 'data set'));
      return getDatasetRuns(database, dataset);
    },

    async createDataset(given) {
      const { project, name, kind, content, note = '' } = given;
      requireProject(database, whole(project, 'project'));
      if (kind !== 'facts' && kind !== 'daxwug')
        throw new HopscopeError('BadArgument', 'The kind of a data set is facts or daxwug.');
      const created = new Date().toISOString();
      const first = content === undefined ? null : versionOf(kind, content, note, created);
      return { dataset: createDataset(database, { project, name: nameOf(name), kind, created }, first) };
    },

    async renameDataset(dataset, name) {
      renameDataset(database, whole(dataset, 'data set'), nameOf(name));
    },

    async duplicateDataset(dataset) {
      const { project, name, kind, versions } = getDataset(database, whole(dataset, 'data set'));
      const created = new Date().toISOString();
      const first =
        versions === 0
          ? null
          : versionOf(kind, getVersion(database, dataset).content, `Copy of ${name}, version ${versions}`, created);
      const copy = { project, name: `${name.slice(0, longestName - 7)} (copy)`, kind, created };
      return { dataset: createDataset(database, copy, first) };
    },

    async deleteDataset(dataset) {
      deleteDataset(database, whole(dataset, 'data set'), new Date().toISOString());
    },

    async restoreDataset(dataset) {
      restoreDataset(database, whole(dataset, 'data set'));
    },

    async saveDatasetVersion(dataset, content, note, base) {
      const { kind } = getDataset(database, whole(dataset, 'data set'));
      return addVersion(
        database,
        dataset,
        versionOf(kind, content, note, new Date().toISOString()),
        whole(base, 'version it was made from'),
      );
    },

    ...draftMembers(database),
    builtinDataset: (model, name) => compute.use((client) => client.builtinDataset(model, name)),
    generateDataset: (request) => compute.use((client) => client.generateDataset(request)),
    makeWords: (request) => compute.use((client) => client.makeWords(request)),
  };
}

/** A spec whose data are all in it, and the version they came from. */
export interface SpecWithData {
  spec: ExperimentSpec;
  /** Null where the spec names no data set of a project. */
  version: Omit<DatasetVersion, 'content'> | null;
  /** The spec that compute completed, naming the version again in place of its content. */
  refer(complete: ExperimentSpec): ExperimentSpec;
}

/**
 * Puts the content in the place of `{project_dataset, version}`, without the links that experiments have no use for.
 * Errors: `BadSpec`, `VersionNotFound`.
 */
export function withData(database: Database, spec: ExperimentSpec): SpecWithData {
  const reference = referenceOf(spec.dataset);
  if (reference === null) return { spec, version: null, refer: (complete) => complete };
  const { content, ...version } = getVersion(database, reference.project_dataset, reference.version);
  const dataset = { project_dataset: version.dataset, version: version.number };
  return {
    spec: { ...spec, dataset: withoutLinks(content) as unknown as Json },
    version,
    refer: (complete) => ({ ...complete, dataset }),
  };
}

/** The name of a version in titles and lists. */
export function versionTitle({ name, number }: Pick<DatasetVersion, 'name' | 'number'>): string {
  return `${name} (version ${number})`;
}

/** Null where a spec's `dataset` is something else. Errors: `BadSpec` where it is one, but malformed. */
function referenceOf(dataset: Json | undefined): DatasetReference | null {
  if (typeof dataset !== 'object' || dataset === null || Array.isArray(dataset) || !('project_dataset' in dataset)) return null;
  const { project_dataset, version, ...others } = dataset;
  const good =
    Number.isSafeInteger(project_dataset) &&
    (version === undefined || Number.isSafeInteger(version)) &&
    Object.keys(others).length === 0;
  if (!good) {
    throw new HopscopeError(
      'BadSpec',
      'dataset: a data set of a project is named by {project_dataset: NUMBER, version: NUMBER}, the version being optional.',
    );
  }
  return dataset as unknown as DatasetReference;
}

function withoutLinks(content: DatasetContent): DatasetContent {
  if (!('train' in content)) return content;
  const { train, test, options }: LinkedFacts = content;
  return { train, test, options };
}

function versionOf(kind: DatasetKindName, given: unknown, note: unknown, created: string): NewVersion {
  if (typeof note !== 'string' || note.length > longestNote)
    throw new HopscopeError('BadArgument', `A note is a text of up to ${longestNote} characters.`);
  return { ...readContent(kind, given), note: note.trim(), created };
}

function nameOf(given: unknown): string {
  const name = typeof given === 'string' ? cleanName(given) : '';
  if (name === '' || name.length > longestName)
    throw new HopscopeError('EmptyName', `Give the data set a name of 1 to ${longestName} characters.`);
  return name;
}

function whole(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw new HopscopeError('BadArgument', `The number of the ${what} is not a whole number.`);
  return value as number;
}
