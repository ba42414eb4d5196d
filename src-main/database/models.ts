/**
 * The models table: folders that a project works with. Removing keeps the row; purge.ts removes it later.
 * It holds paths only, and neither looks at folders nor knows of the model that ships.
 */
import { HopscopeError } from '../shared/errors.ts';
import { markDeleted } from './changes.ts';
import { type Database, inTransaction, reading } from './open.ts';

export interface ModelRow {
  id: number;
  path: string;
  /** ISO 8601, UTC. */
  added: string;
}

/** In the order they were added. */
export function listModels(database: Database, project: number): ModelRow[] {
  return reading(
    database,
    () =>
      database
        .prepare('SELECT id, path, added FROM models WHERE project = ? AND deleted IS NULL ORDER BY id')
        .all(project) as ModelRow[],
  );
}

/** A folder that the project has already keeps its row. */
export function addModel(
  database: Database,
  { project, path, added }: { project: number; path: string; added: string },
): { row: ModelRow; isNew: boolean } {
  return inTransaction(database, () => {
    const known = database
      .prepare('SELECT id, path, added FROM models WHERE project = ? AND path = ? AND deleted IS NULL')
      .get(project, path) as ModelRow | undefined;
    if (known !== undefined) return { row: known, isNew: false };
    const { lastInsertRowid } = database
      .prepare('INSERT INTO models (project, path, added) VALUES (?, ?, ?)')
      .run(project, path, added);
    return { row: { id: Number(lastInsertRowid), path, added }, isNew: true };
  });
}

/** `deleted`: since when; null brings it back. Errors: `ModelUnknown`. */
export function markModelDeleted(database: Database, id: number, deleted: string | null): void {
  markDeleted(
    database,
    'models',
    id,
    deleted,
    () => new HopscopeError('ModelUnknown', `No project of this data folder has a model number ${id}.`),
  );
}
