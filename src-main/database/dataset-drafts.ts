/**
 * What was written into data sets and not saved yet: at most one draft for each, deflated JSON. Versions are in datasets.ts.
 * What a draft may hold is for service/dataset-drafts.ts to check.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import type { DatasetDraft, DraftAnswer } from '../shared/contract-datasets.ts';
import { type Database, inTransaction, reading } from './open.ts';

/** Null where there is none. */
export function getDraft(database: Database, dataset: number): DatasetDraft | null {
  const row = reading(database, () =>
    database.prepare('SELECT base, written, content FROM dataset_drafts WHERE dataset = ?').get(dataset),
  ) as { base: number; written: string; content: Buffer } | undefined;
  if (row === undefined) return null;
  const { rows, options } = JSON.parse(inflateSync(row.content).toString('utf8')) as Pick<DatasetDraft, 'rows' | 'options'>;
  return { base: row.base, written: row.written, rows, options };
}

/** In place of the one that was there. The data set itself must have a row, deleted or not. */
export function setDraft(database: Database, dataset: number, { base, written, rows, options }: DatasetDraft): void {
  const content = deflateSync(JSON.stringify({ rows, options }));
  inTransaction(database, () =>
    database
      .prepare(
        `INSERT INTO dataset_drafts (dataset, base, written, content) VALUES (@dataset, @base, @written, @content)
         ON CONFLICT DO UPDATE SET base = excluded.base, written = excluded.written, content = excluded.content`,
      )
      .run({ dataset, base, written, content }),
  );
}

export function removeDraft(database: Database, dataset: number): void {
  inTransaction(database, () => database.prepare('DELETE FROM dataset_drafts WHERE dataset = ?').run(dataset));
}

/** What a data set was called, in which project and since when it is deleted; undefined where it is gone for good. */
export function nameOfDataset(database: Database, dataset: number): Omit<DraftAnswer, 'folder' | 'draft'> | undefined {
  return reading(database, () => database.prepare('SELECT name, deleted FROM datasets WHERE id = ?').get(dataset)) as
    | Omit<DraftAnswer, 'folder' | 'draft'>
    | undefined;
}
