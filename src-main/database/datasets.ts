/**
 * The data sets of projects and their versions: versions are only ever added, their content is deflated JSON.
 * What a content may hold is for service/datasets.ts to check; which run kept which version is the runs table's column.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import type {
  DatasetContent,
  DatasetDetail,
  DatasetKindName,
  DatasetRun,
  DatasetSummary,
  DatasetVersion,
  DatasetVersionSummary,
} from '../shared/contract-datasets.ts';
import { HopscopeError } from '../shared/errors.ts';
import { changeRow, markDeleted } from './changes.ts';
import { type Database, inTransaction, reading } from './open.ts';

/** A version about to be stored. */
export interface NewVersion {
  created: string;
  note: string;
  rows: number;
  hash: string;
  content: DatasetContent;
}

const summaryColumns = `datasets.id AS dataset, project, name, kind, datasets.created,
  coalesce((SELECT max(created) FROM dataset_versions WHERE dataset = datasets.id), datasets.created) AS changed,
  coalesce((SELECT rows FROM dataset_versions WHERE dataset = datasets.id ORDER BY number DESC LIMIT 1), 0) AS rows,
  coalesce((SELECT max(number) FROM dataset_versions WHERE dataset = datasets.id), 0) AS versions,
  (SELECT count(*) FROM runs JOIN dataset_versions ON dataset_versions.id = runs.dataset_version
    WHERE dataset_versions.dataset = datasets.id AND runs.deleted IS NULL) AS runs`;

const versionColumns = `dataset_versions.id, number, dataset_versions.created, note, rows, hash,
  (SELECT count(*) FROM runs WHERE dataset_version = dataset_versions.id AND deleted IS NULL) AS runs`;

/** The one changed last comes first; deleted ones are left out. */
export function listDatasets(database: Database, project: number): DatasetSummary[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT ${summaryColumns} FROM datasets WHERE project = ? AND deleted IS NULL ORDER BY changed DESC, datasets.id DESC`,
        )
        .all(project) as DatasetSummary[],
  );
}

/** Errors: `DatasetNotFound`. */
export function getDataset(database: Database, dataset: number): DatasetDetail {
  return reading(database, () => {
    const summary = database
      .prepare(`SELECT ${summaryColumns} FROM datasets WHERE datasets.id = ? AND deleted IS NULL`)
      .get(dataset) as DatasetSummary | undefined;
    if (summary === undefined) throw notFound(dataset);
    const history = database
      .prepare(`SELECT ${versionColumns} FROM dataset_versions WHERE dataset = ? ORDER BY number DESC`)
      .all(dataset) as DatasetVersionSummary[];
    return { ...summary, history };
  });
}

/** A version of a data set, the latest where `number` is undefined; of a deleted one too. Errors: `VersionNotFound`. */
export function getVersion(database: Database, dataset: number, number?: number): DatasetVersion {
  const found = reading(database, () =>
    number === undefined
      ? database.prepare('SELECT id FROM dataset_versions WHERE dataset = ? ORDER BY number DESC LIMIT 1').pluck().get(dataset)
      : database.prepare('SELECT id FROM dataset_versions WHERE dataset = ? AND number = ?').pluck().get(dataset, number),
  ) as number | undefined;
  if (found === undefined) {
    throw new HopscopeError(
      'VersionNotFound',
      number === undefined
        ? `The data set ${dataset} has no version yet; save one.`
        : `There is no version ${number} of the data set ${dataset} in this data folder.`,
    );
  }
  return getVersionById(database, found);
}

/** By the number that runs keep. Errors: `VersionNotFound`. */
export function getVersionById(database: Database, id: number): DatasetVersion {
  const row = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT ${versionColumns}, dataset, name, kind, content FROM dataset_versions JOIN datasets ON datasets.id = dataset
           WHERE dataset_versions.id = ?`,
        )
        .get(id) as (Omit<DatasetVersion, 'content'> & { content: Buffer }) | undefined,
  );
  if (row === undefined)
    throw new HopscopeError('VersionNotFound', `There is no data set version with the row ${id} in this data folder.`);
  return { ...row, content: JSON.parse(inflateSync(row.content).toString('utf8')) as DatasetContent };
}

/** The runs that used any version of it, newest first; deleted runs are left out. */
export function getDatasetRuns(database: Database, dataset: number): DatasetRun[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT run, title, state, runs.created, number AS version FROM runs
           JOIN dataset_versions ON dataset_versions.id = runs.dataset_version
           WHERE dataset_versions.dataset = ? AND runs.deleted IS NULL ORDER BY runs.id DESC`,
        )
        .all(dataset) as DatasetRun[],
  );
}

/** Whether a data set, known to have been there, is deleted or gone for good. */
export function isDatasetDeleted(database: Database, dataset: number): boolean {
  return reading(
    database,
    () => database.prepare('SELECT 1 FROM datasets WHERE id = ? AND deleted IS NULL').get(dataset) === undefined,
  );
}

/** Returns its number. */
export function createDataset(
  database: Database,
  given: { project: number; name: string; kind: DatasetKindName; created: string },
  first: NewVersion | null,
): number {
  return inTransaction(database, () => {
    const dataset = Number(
      database.prepare('INSERT INTO datasets (project, name, kind, created) VALUES (@project, @name, @kind, @created)').run(given)
        .lastInsertRowid,
    );
    if (first !== null) insertVersion(database, dataset, 1, first);
    return dataset;
  });
}

/**
 * Adds a version, unless the latest one has the same hash. `base` is the number of the version that it was made from, 0: none.
 * Errors: `DatasetNotFound`, `VersionConflict` where another one was added since.
 */
export function addVersion(
  database: Database,
  dataset: number,
  version: NewVersion,
  base: number,
): { version: number; added: boolean } {
  return inTransaction(database, () => {
    getDataset(database, dataset);
    const latest = database
      .prepare('SELECT number, hash FROM dataset_versions WHERE dataset = ? ORDER BY number DESC LIMIT 1')
      .get(dataset) as { number: number; hash: string } | undefined;
    if (latest?.hash === version.hash) return { version: latest.number, added: false };
    if ((latest?.number ?? 0) !== base) {
      const message = `Version ${latest?.number ?? 0} of the data set was saved meanwhile, in another window or by another program. Look at it first.`;
      throw new HopscopeError('VersionConflict', message);
    }
    const number = base + 1;
    insertVersion(database, dataset, number, version);
    return { version: number, added: true };
  });
}

/** Errors here and below: `DatasetNotFound`. */
export function renameDataset(database: Database, dataset: number, name: string): void {
  changeRow(database, 'UPDATE datasets SET name = @name WHERE id = @dataset AND deleted IS NULL', { dataset, name }, () =>
    notFound(dataset),
  );
}

export function deleteDataset(database: Database, dataset: number, deleted: string): void {
  markDeleted(database, 'datasets', dataset, deleted, () => notFound(dataset));
}

export function restoreDataset(database: Database, dataset: number): void {
  markDeleted(database, 'datasets', dataset, null, () => notFound(dataset));
}

function insertVersion(database: Database, dataset: number, number: number, { content, ...version }: NewVersion): void {
  database
    .prepare(
      `INSERT INTO dataset_versions (dataset, number, created, note, rows, hash, content)
       VALUES (@dataset, @number, @created, @note, @rows, @hash, @content)`,
    )
    .run({ ...version, dataset, number, content: deflateSync(JSON.stringify(content)) });
}

function notFound(dataset: number): HopscopeError {
  return new HopscopeError('DatasetNotFound', `There is no data set ${dataset} in this data folder; it may have been deleted.`);
}
