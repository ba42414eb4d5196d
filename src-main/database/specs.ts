/**
 * The specs table: settings of experiments kept under a name in their project, to be started again. Deleting keeps the row;
 * purge.ts removes it later. Whether a spec makes sense is compute's to judge.
 */
import type { SavedSpec } from '../shared/contract-projects.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec } from '../shared/records.ts';
import { changeRow, markDeleted } from './changes.ts';
import { type Database, inTransaction, reading } from './open.ts';

interface Row extends Omit<SavedSpec, 'spec'> {
  spec: string;
}

const columns = 'id, project, name, spec, created, changed';

/** The one changed last comes first. */
export function listSpecs(database: Database, project: number): SavedSpec[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT ${columns} FROM specs
           WHERE project = ? AND deleted IS NULL ORDER BY changed DESC, id DESC`,
        )
        .all(project) as Row[],
  );
  return rows.map(specOf);
}

/** Errors: `SpecNotFound`. */
export function getSpec(database: Database, id: number): SavedSpec {
  const row = reading(
    database,
    () => database.prepare(`SELECT ${columns} FROM specs WHERE id = ? AND deleted IS NULL`).get(id) as Row | undefined,
  );
  if (row === undefined) throw notFound(id);
  return specOf(row);
}

/** Returns its number. */
export function createSpec(
  database: Database,
  given: { project: number; name: string; spec: ExperimentSpec; now: string },
): number {
  const { project, name, spec, now } = given;
  return inTransaction(database, () =>
    Number(
      database
        .prepare('INSERT INTO specs (project, name, spec, created, changed) VALUES (?, ?, ?, ?, ?)')
        .run(project, name, JSON.stringify(spec), now, now).lastInsertRowid,
    ),
  );
}

/** Replaces the name, and the spec where one is given. Errors: `SpecNotFound`. */
export function changeSpec(
  database: Database,
  id: number,
  given: { name: string; spec: ExperimentSpec | null; now: string },
): void {
  changeRow(
    database,
    'UPDATE specs SET name = @name, spec = coalesce(@spec, spec), changed = @now WHERE id = @id AND deleted IS NULL',
    { id, name: given.name, spec: given.spec === null ? null : JSON.stringify(given.spec), now: given.now },
    () => notFound(id),
  );
}

/** `deleted`: since when; null brings it back. Errors: `SpecNotFound`. */
export function deleteSpec(database: Database, id: number, deleted: string | null): void {
  markDeleted(database, 'specs', id, deleted, () => notFound(id));
}

function specOf(row: Row): SavedSpec {
  return { ...row, spec: JSON.parse(row.spec) as ExperimentSpec };
}

function notFound(id: number): HopscopeError {
  return new HopscopeError('SpecNotFound', `There is no saved spec ${id} in this data folder; it may have been deleted.`);
}
