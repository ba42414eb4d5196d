/**
 * The scores table: what components contribute, by item and averaged, as compressed float32 blobs.
 * It neither computes nor averages; a number that is none is refused by name.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { HopscopeError } from '../shared/errors.ts';
import type { ScoreQuery, ScoreRow } from '../shared/records.ts';
import { type Database, reading } from './open.ts';

/** Inserts rows inside the caller's transaction; a row sent again takes the first one's place. Errors: `NotFinite`, `BadScores`. */
export function insertScores(database: Database, run: number, rows: readonly ScoreRow[]): void {
  const insert = database.prepare(
    `INSERT INTO scores (run, seed, stage, item_set, point, name, shape, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET item_set = excluded.item_set, shape = excluded.shape, data = excluded.data`,
  );
  for (const { seed, stage, set, point, name, shape, values } of rows) {
    const where = `${name} of ${point < 0 ? 'the average' : `item ${point}`} in ${stage}, seed ${seed}`;
    const elements = shape.reduce((product, size) => product * size, 1);
    if (values.length !== elements) {
      throw new HopscopeError(
        'BadScores',
        `The scores ${where} are ${values.length} numbers for a shape of ${elements}.`,
        'failure',
      );
    }
    if (!values.every((value) => Number.isFinite(value))) {
      throw new HopscopeError(
        'NotFinite',
        `A number is not finite in the scores ${where}: the training diverged; try a lower learning rate.`,
        'failure',
      );
    }
    insert.run(run, seed, stage, set, point, name, JSON.stringify(shape), deflateSync(bytesOf(values)));
  }
}

/** In the order they came. Empty for an unknown run. */
export function getScores(database: Database, run: string, { seed, point, stage, names }: ScoreQuery): ScoreRow[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT seed, stage, item_set AS "set", point, name, shape, data FROM scores JOIN runs ON runs.id = scores.run
           WHERE runs.run = @run AND seed = @seed AND point = @point AND (@stage IS NULL OR stage = @stage)
             AND (@names IS NULL OR name IN (SELECT value FROM json_each(@names)))
           ORDER BY scores.id`,
        )
        .all({ run, seed, point, stage: stage ?? null, names: names === undefined ? null : JSON.stringify(names) }) as (Omit<
        ScoreRow,
        'shape' | 'values'
      > & { shape: string; data: Buffer })[],
  );
  return rows.map(({ shape, data, ...row }) => ({ ...row, shape: JSON.parse(shape) as number[], values: scoreValues(data) }));
}

function bytesOf(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, 4 * index);
  return bytes;
}

/** The numbers of one stored table. */
export function scoreValues(data: Buffer): number[] {
  const bytes = inflateSync(data);
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(4 * index));
}
