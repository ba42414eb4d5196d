/**
 * The continuations table: what the model said after an item's prompt before and after a training. It stores texts as they came
 * and compares them with no answer.
 */
import type { ContinuationRow } from '../shared/records.ts';
import { type Database, reading } from './open.ts';

/** Inserts rows inside the caller's transaction; a text sent again takes the first one's place. */
export function insertContinuations(database: Database, run: number, { seed, stage, set, rows }: ContinuationRow): void {
  const insert = database.prepare(
    `INSERT INTO continuations (run, seed, stage, item_set, item, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET before = excluded.before, after = excluded.after`,
  );
  for (const { item, before, after } of rows) insert.run(run, seed, stage, set, item, before, after);
}

/** By training and list, in the order they came; of one list or one item where that is asked for. Empty for an unknown run. */
export function getContinuations(database: Database, run: string, set?: string, item?: number): ContinuationRow[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT seed, stage, item_set AS "set", item, before, after FROM continuations
           WHERE run = (SELECT id FROM runs WHERE run = @run)
             AND (@set IS NULL OR item_set = @set) AND (@item IS NULL OR item = @item)
           ORDER BY id`,
        )
        .all({ run, set: set ?? null, item: item ?? null }) as (Omit<ContinuationRow, 'rows'> &
        ContinuationRow['rows'][number])[],
  );
  const lists = new Map<string, ContinuationRow>();
  for (const { seed, stage, set: list, ...row } of rows) {
    const key = JSON.stringify([seed, stage, list]);
    const known = lists.get(key) ?? { seed, stage, set: list, rows: [] };
    lists.set(key, known);
    known.rows.push(row);
  }
  return [...lists.values()];
}
