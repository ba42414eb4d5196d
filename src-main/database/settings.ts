/**
 * Named settings of the workbench, each a JSON value. It gives none a meaning or a default.
 */
import type { Json } from '../shared/records.ts';
import { type Database, inTransaction, reading } from './open.ts';

/** Null where it was never set. */
export function getSetting(database: Database, name: string): Json {
  const text = reading(database, () => database.prepare('SELECT value FROM settings WHERE name = ?').pluck().get(name)) as
    | string
    | undefined;
  return text === undefined ? null : (JSON.parse(text) as Json);
}

export function setSetting(database: Database, name: string, value: Json): void {
  inTransaction(database, () =>
    database
      .prepare('INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
      .run(name, JSON.stringify(value)),
  );
}
