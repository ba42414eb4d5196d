/**
 * The circuits table: what people marked and named in a run's scores. A deleted circuit keeps its row with the time of deletion.
 * The scores themselves are in scores.ts and component-scores.ts.
 */
import type { CircuitRecord } from '../shared/contract-circuits.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Json } from '../shared/records.ts';
import { changeRow, markDeleted } from './changes.ts';
import { type Database, inTransaction, reading } from './open.ts';

/** In the order of their names, deleted ones left out; empty for an unknown run. */
export function listCircuits(database: Database, run: string): CircuitRecord[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT circuits.id AS circuit, runs.run AS run, name, view, circuits.created AS created, changed
           FROM circuits JOIN runs ON runs.id = circuits.run
           WHERE runs.run = ? AND circuits.deleted IS NULL ORDER BY name COLLATE NOCASE, circuits.id`,
        )
        .all(run) as (Omit<CircuitRecord, 'view'> & { view: string })[],
  );
  return rows.map((row) => ({ ...row, view: JSON.parse(row.view) as Json }));
}

/** Returns its number. Errors: `RunNotFound`. */
export function insertCircuit(database: Database, run: string, name: string, view: Json, now: string): number {
  return inTransaction(database, () => {
    const id = database.prepare('SELECT id FROM runs WHERE run = ?').pluck().get(run);
    if (id === undefined) throw new HopscopeError('RunNotFound', `There is no run "${run}" in this data folder.`);
    const { lastInsertRowid } = database
      .prepare('INSERT INTO circuits (run, name, view, created, changed) VALUES (?, ?, ?, ?, ?)')
      .run(id, name, JSON.stringify(view), now, now);
    return Number(lastInsertRowid);
  });
}

/** Changes name, view or both. Errors: `CircuitNotFound`. */
export function updateCircuit(database: Database, circuit: number, change: { name?: string; view?: Json }, now: string): void {
  const view = change.view === undefined ? null : JSON.stringify(change.view);
  changeRow(
    database,
    `UPDATE circuits SET name = coalesce(@name, name), view = coalesce(@view, view), changed = @now
     WHERE id = @circuit AND deleted IS NULL`,
    { circuit, name: change.name ?? null, view, now },
    () => notFound(circuit),
  );
}

/** `deleted`: since when; null brings it back. Errors: `CircuitNotFound`. */
export function markCircuitDeleted(database: Database, circuit: number, deleted: string | null): void {
  markDeleted(database, 'circuits', circuit, deleted, () => notFound(circuit));
}

function notFound(circuit: number): HopscopeError {
  return new HopscopeError('CircuitNotFound', `There is no circuit ${circuit} to change; it may have been deleted elsewhere.`);
}
