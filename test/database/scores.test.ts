/** Scores are stored as float32, found by seed, point, stage and names, and go with their run. */
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { purge } from '../../src-main/database/purge.ts';
import { createRun, deleteRun, markEnded } from '../../src-main/database/runs.ts';
import { getScores } from '../../src-main/database/scores.ts';
import type { ScoreRow } from '../../src-main/shared/records.ts';
import { newRun, temporaryFolder } from './support.ts';

let database: Database;

beforeEach(() => {
  database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  createRun(database, newRun('a'));
});

function row(values: Partial<ScoreRow> = {}): ScoreRow {
  const scores = Array.from({ length: 24 }, (_, index) => Math.fround(index / 7 - 1));
  return {
    seed: 0,
    stage: 'finetune',
    set: 'implications',
    point: -1,
    name: 'upstream.attn',
    shape: [2, 3, 4],
    values: scores,
    ...values,
  };
}

const mlp = row({ name: 'upstream.mlp', shape: [2, 4], values: [0, -0, 1, 2 ** -140, -1.5, 3, 4, 5].map(Math.fround) });

test('rows come back as they were, by what is asked for', () => {
  const rows = [row(), mlp, row({ point: 0 }), row({ seed: 1 }), row({ stage: 'later', set: 'both' })];
  storeEmissions(database, 'a', [{ kind: 'scores', rows }], 1);
  expect(getScores(database, 'a', { seed: 0, point: -1 })).toEqual([rows[0], rows[1], rows[4]]);
  expect(getScores(database, 'a', { seed: 0, point: -1, stage: 'finetune' })).toEqual([rows[0], rows[1]]);
  expect(getScores(database, 'a', { seed: 0, point: -1, names: ['upstream.mlp', 'none'] })).toEqual([mlp]);
  expect(getScores(database, 'a', { seed: 0, point: 0 })).toEqual([rows[2]]);
  expect(getScores(database, 'a', { seed: 2, point: 0 })).toEqual([]);
  expect(getScores(database, 'other', { seed: 0, point: 0 })).toEqual([]);
});

test('a table sent again takes the first one’s place', () => {
  storeEmissions(database, 'a', [{ kind: 'scores', rows: [mlp] }], 1);
  const again = { ...mlp, values: mlp.values.map((value) => -value) };
  storeEmissions(database, 'a', [{ kind: 'scores', rows: [again] }], 1);
  expect(getScores(database, 'a', { seed: 0, point: -1 })).toEqual([again]);
});

test('a number that is none, or a shape that does not fit, is refused whole', () => {
  const bad: [ScoreRow, string][] = [
    [row({ values: [...row().values.slice(1), Number.NaN] }), 'NotFinite'],
    [row({ shape: [2, 3] }), 'BadScores'],
  ];
  for (const [rowOf, code] of bad) {
    expect(() => storeEmissions(database, 'a', [{ kind: 'scores', rows: [mlp, rowOf] }], 1)).toThrow(
      expect.objectContaining({ code }),
    );
    expect(getScores(database, 'a', { seed: 0, point: -1 })).toEqual([]);
  }
});

test('they go with their run', () => {
  storeEmissions(database, 'a', [{ kind: 'scores', rows: [row(), mlp] }], 1);
  markEnded(database, 'a', { state: 'stopped', finished: '2026-11-22T10:00:01.000Z', seconds: 1, error: null, results: null });
  deleteRun(database, 'a', '2026-11-22T12:00:00.000Z');
  purge(database, '2026-11-22T13:00:00.000Z');
  expect(database.prepare('SELECT count(*) FROM scores').pluck().get()).toBe(0);
});
