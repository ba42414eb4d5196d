/**
 * The tables of kept weights and of walked paths of strengths. Files themselves are kept-files.ts's of the service; numbers of a path are stored
 * as they were measured and never computed here.
 */
import type { DialPath, DialPoint, KeptOfModel, KeptTraining } from '../shared/contract-weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { KeptWeights } from '../shared/records.ts';
import { pathsOfModel } from './models.ts';
import { type Database, inTransaction, reading } from './open.ts';

/** What a training sent again takes the first one's place. */
export function insertWeights(database: Database, run: number, { seed, stage, file, form, bytes, hash }: KeptWeights): void {
  database
    .prepare(
      `INSERT INTO weights (run, seed, stage, file, form, bytes, hash) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (run, seed, stage) DO UPDATE SET file = excluded.file, form = excluded.form, bytes = excluded.bytes, hash = excluded.hash`,
    )
    .run(run, seed, stage, file, form, bytes, hash);
}

/** In the order of the trainings; empty for an unknown run. */
export function listWeights(database: Database, run: string): KeptWeights[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT seed, stage, file, form, bytes, hash FROM weights JOIN runs ON runs.id = weights.run
           WHERE runs.run = ? ORDER BY weights.id`,
        )
        .all(run) as KeptWeights[],
  );
}

/** Errors: `WeightsNotKept`. */
export function getWeights(database: Database, { run, seed, stage }: KeptTraining): KeptWeights {
  const found = listWeights(database, run).find((row) => row.seed === seed && row.stage === stage);
  if (found !== undefined) return found;
  throw new HopscopeError(
    'WeightsNotKept',
    `Run ${run} keeps no weights of ${JSON.stringify(stage)}, seed ${seed}. Runs keep what they learn where the setting "keep" says so; run it again with keep: all.`,
  );
}

/** Of all runs of the model at this path, the newest run first; deleted ones left out. */
export function listWeightsOfModel(database: Database, path: string): KeptOfModel[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT runs.run AS run, title, created, seed, stage FROM weights JOIN runs ON runs.id = weights.run
           WHERE json_extract(spec, '$.model') IN (${pathsOfModel('@path')}) AND deleted IS NULL ORDER BY runs.id DESC, weights.id`,
        )
        .all({ path }) as KeptOfModel[],
  );
}

/** Every run's name with its files, whether it is deleted or not; `active`: it waits or runs and may be writing more. */
export function listKeptFiles(database: Database): Map<string, { active: boolean; files: string[] }> {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT runs.run AS run, state IN ('queued', 'running') AS active, file FROM runs LEFT JOIN weights ON runs.id = weights.run`,
        )
        .all() as { run: string; active: number; file: string | null }[],
  );
  const runs = new Map<string, { active: boolean; files: string[] }>();
  for (const { run, active, file } of rows) {
    const entry = runs.get(run) ?? { active: active === 1, files: [] };
    if (file !== null) entry.files.push(file);
    runs.set(run, entry);
  }
  return runs;
}

/** Returns its number. Errors: `RunNotFound`. */
export function insertDialPath(
  database: Database,
  { run, seed, stage }: KeptTraining,
  points: readonly DialPoint[],
  created: string,
): number {
  return inTransaction(database, () => {
    const id = database.prepare('SELECT id FROM runs WHERE run = ? AND deleted IS NULL').pluck().get(run);
    if (id === undefined) throw new HopscopeError('RunNotFound', `There is no run ${JSON.stringify(run)} in this data folder.`);
    const { lastInsertRowid } = database
      .prepare('INSERT INTO dial_paths (run, seed, stage, points, created) VALUES (?, ?, ?, ?, ?)')
      .run(id, seed, stage, JSON.stringify(points), created);
    return Number(lastInsertRowid);
  });
}

/** Oldest first, deleted ones left out; empty for an unknown run. */
export function listDialPaths(database: Database, run: string): DialPath[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT dial_paths.id AS path, seed, stage, points, dial_paths.created AS created
           FROM dial_paths JOIN runs ON runs.id = dial_paths.run
           WHERE runs.run = ? AND dial_paths.deleted IS NULL ORDER BY dial_paths.id`,
        )
        .all(run) as (Omit<DialPath, 'points'> & { points: string })[],
  );
  return rows.map((row) => ({ ...row, points: JSON.parse(row.points) as DialPoint[] }));
}

/** Marks a path as deleted, or no longer so (`deleted` null). Errors: `PathNotFound` where that changes nothing. */
export function markDialPathDeleted(database: Database, path: number, deleted: string | null): void {
  const { changes } = inTransaction(database, () =>
    database
      .prepare('UPDATE dial_paths SET deleted = @deleted WHERE id = @path AND (deleted IS NULL) <> (@deleted IS NULL)')
      .run({ deleted, path }),
  );
  if (changes === 0)
    throw new HopscopeError('PathNotFound', `There is no path ${path} to change; it may have been deleted elsewhere.`);
}
