/**
 * Changing one row of a table that must be there, and marking it as deleted. Which tables there are and what their rows mean is
 * in the files of the tables; purge.ts removes what was marked long ago.
 */
import type { HopscopeError } from '../shared/errors.ts';
import { type Database, inTransaction } from './open.ts';

type Value = string | number | null;

/** Runs one statement, whose parameters have names. Errors: `missing()` where it changes no row. */
export function changeRow(
  database: Database,
  statement: string,
  values: { [name: string]: Value },
  missing: () => HopscopeError,
): void {
  const { changes } = inTransaction(database, () => database.prepare(statement).run(values));
  if (changes === 0) throw missing();
}

/**
 * `deleted`: since when, ISO 8601, UTC; null brings the row back, and leaves one that was not deleted as it is.
 * Errors: `missing()` where there is no row `id`, or where it is to be deleted and is so already.
 */
export function markDeleted(
  database: Database,
  table: 'projects' | 'models' | 'datasets' | 'specs' | 'circuits',
  id: number,
  deleted: string | null,
  missing: () => HopscopeError,
): void {
  changeRow(
    database,
    `UPDATE ${table} SET deleted = @deleted WHERE id = @id AND (deleted IS NULL OR @deleted IS NULL)`,
    { id, deleted },
    missing,
  );
}
