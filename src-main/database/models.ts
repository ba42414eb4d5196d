/**
 * The models table: folders that a project works with, and where they were before. Removing keeps the row; purge.ts removes it later.
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

/** Errors: `ModelUnknown`. */
export function getModel(database: Database, id: number): ModelRow & { project: number } {
  const row = reading(database, () =>
    database.prepare('SELECT id, project, path, added FROM models WHERE id = ? AND deleted IS NULL').get(id),
  ) as (ModelRow & { project: number }) | undefined;
  if (row === undefined) throw unknown(id);
  return row;
}

/** Gives a model another path and keeps the one that it had. Errors: `ModelUnknown`, `ModelAlreadyThere`. */
export function moveModel(database: Database, id: number, path: string): ModelRow {
  return inTransaction(database, () => {
    const { project, ...row } = getModel(database, id);
    if (row.path === path) return row;
    const other = database.prepare('SELECT id FROM models WHERE project = ? AND path = ? AND deleted IS NULL').get(project, path);
    if (other !== undefined)
      throw new HopscopeError(
        'ModelAlreadyThere',
        `${path} is in this project already as a model of its own; remove that entry first, or give another folder.`,
      );
    database.prepare('INSERT OR IGNORE INTO model_paths (model, path) VALUES (?, ?)').run(id, row.path);
    database.prepare('UPDATE models SET path = ? WHERE id = ?').run(path, id);
    return { ...row, path };
  });
}

/**
 * A query for all paths under which specs may name the model that is at a path: that one, and those it had before. `path` is the
 * parameter that stands for it, twice.
 */
export function pathsOfModel(path: '@path' | '?'): string {
  return `SELECT ${path} UNION SELECT model_paths.path FROM model_paths JOIN models ON models.id = model_paths.model
    WHERE models.path = ${path} AND models.deleted IS NULL`;
}

/** Hashes of the model at `path` in what its runs recorded, with how many of them; runs that never began are left out. */
export function hashesOfModel(database: Database, path: string): { hash: string; runs: number }[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT json_extract(provenance, '$.modelHash') AS hash, count(*) AS runs FROM runs
           WHERE json_extract(spec, '$.model') IN (${pathsOfModel('@path')}) AND provenance IS NOT NULL AND deleted IS NULL GROUP BY hash`,
        )
        .all({ path }) as { hash: string; runs: number }[],
  );
}

/** Where the model is now that a run recorded at `path`: there, if it was not moved or is there again. */
export function presentPath(database: Database, path: string): string {
  const moved = reading(database, () =>
    database
      .prepare(
        `SELECT models.path AS path FROM model_paths JOIN models ON models.id = model_paths.model
         WHERE model_paths.path = @path AND models.deleted IS NULL
           AND NOT EXISTS (SELECT 1 FROM models WHERE path = @path AND deleted IS NULL)
         ORDER BY models.id DESC LIMIT 1`,
      )
      .get({ path }),
  ) as { path: string } | undefined;
  return moved?.path ?? path;
}

/** `deleted`: since when; null brings it back. Errors: `ModelUnknown`. */
export function markModelDeleted(database: Database, id: number, deleted: string | null): void {
  markDeleted(database, 'models', id, deleted, () => unknown(id));
}

function unknown(id: number): HopscopeError {
  return new HopscopeError('ModelUnknown', `No project of this data folder has a model number ${id}.`);
}
