/** What the model says is stored as it came, found by list and item, and goes with its run. */
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { getContinuations } from '../../src-main/database/continuations.ts';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { purge } from '../../src-main/database/purge.ts';
import { createRun, deleteRun, markEnded } from '../../src-main/database/runs.ts';
import type { ContinuationRow } from '../../src-main/shared/records.ts';
import { newRun, temporaryFolder } from './support.ts';

let database: Database;

beforeEach(() => {
  database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  createRun(database, newRun('a'));
});

const row = (values: Partial<ContinuationRow> = {}): ContinuationRow => ({
  seed: 0,
  stage: 'finetune',
  set: 'facts',
  rows: [
    { item: 0, before: ' in “Oslo”', after: '' },
    { item: 1, before: '\ufffd', after: ' 東京' },
  ],
  ...values,
});
const store = (...rows: ContinuationRow[]) =>
  storeEmissions(
    database,
    'a',
    rows.map((each) => ({ kind: 'continuations', row: each })),
    1,
  );

test('texts come back as they were, by what is asked for', () => {
  const rows = [row(), row({ set: 'implications' }), row({ seed: 1 }), row({ stage: 'later' })];
  store(...rows);
  expect(getContinuations(database, 'a')).toEqual(rows);
  expect(getContinuations(database, 'a', 'implications')).toEqual([rows[1]]);
  expect(getContinuations(database, 'a', 'facts', 1)).toEqual(
    [rows[0]!, rows[2]!, rows[3]!].map((each) => ({ ...each, rows: [each.rows[1]] })),
  );
  expect(getContinuations(database, 'a', 'facts', 2)).toEqual([]);
  expect(getContinuations(database, 'other')).toEqual([]);
});

test('a text sent again takes the first one’s place', () => {
  const again = row({ rows: [{ item: 1, before: 'a', after: 'b' }] });
  store(row(), again);
  expect(getContinuations(database, 'a', 'facts')).toEqual([row({ rows: [row().rows[0]!, again.rows[0]!] })]);
});

test('they go with their run', () => {
  store(row());
  markEnded(database, 'a', { state: 'finished', finished: '2026-11-22T11:00:00.000Z', seconds: 1, error: null, results: null });
  deleteRun(database, 'a', '2026-11-22T12:00:00.000Z');
  purge(database, '2027-01-01T00:00:00.000Z');
  expect(database.prepare('SELECT count(*) FROM continuations').pluck().get()).toBe(0);
});
