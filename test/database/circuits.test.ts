/** Circuits are kept with their run, deleted ones can be brought back; scores are found by component and listed by scoring. */
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { insertCircuit, listCircuits, markCircuitDeleted, updateCircuit } from '../../src-main/database/circuits.ts';
import { getComponentScores, listScoredRuns, listScores } from '../../src-main/database/component-scores.ts';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { createRun } from '../../src-main/database/runs.ts';
import type { ScoreRow } from '../../src-main/shared/records.ts';
import { newRun, temporaryFolder } from './support.ts';

let database: Database;
const [early, late] = ['2026-11-22T10:00:00.000Z', '2026-11-22T11:00:00.000Z'] as const;

beforeEach(() => {
  database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  createRun(database, newRun('a'));
  createRun(database, newRun('b'));
});

function row(values: Partial<ScoreRow>): ScoreRow {
  return {
    seed: 0,
    stage: 'finetune',
    set: 'implications',
    point: -1,
    name: 'upstream.attn',
    shape: [2, 3, 4],
    values: Array.from({ length: 24 }, (_, index) => index),
    ...values,
  };
}

test('circuits are listed by name and changed in place', () => {
  const second = insertCircuit(database, 'a', 'recall', { pins: ['mlp.1.t2'] }, early);
  const first = insertCircuit(database, 'a', 'Answer', {}, early);
  insertCircuit(database, 'b', 'other', {}, early);
  expect(listCircuits(database, 'a').map(({ circuit }) => circuit)).toEqual([first, second]);
  updateCircuit(database, second, { name: 'a first' }, late);
  updateCircuit(database, first, { view: [1] }, late);
  expect(listCircuits(database, 'a')).toEqual([
    { circuit: second, run: 'a', name: 'a first', view: { pins: ['mlp.1.t2'] }, created: early, changed: late },
    { circuit: first, run: 'a', name: 'Answer', view: [1], created: early, changed: late },
  ]);
});

test('a deleted circuit is gone from the list until it is brought back', () => {
  const circuit = insertCircuit(database, 'a', 'recall', {}, early);
  markCircuitDeleted(database, circuit, late);
  expect(listCircuits(database, 'a')).toEqual([]);
  const gone = expect.objectContaining({ code: 'CircuitNotFound' });
  expect(() => updateCircuit(database, circuit, { name: 'x' }, late)).toThrow(gone);
  expect(() => markCircuitDeleted(database, circuit, late)).toThrow(gone);
  markCircuitDeleted(database, circuit, null);
  expect(listCircuits(database, 'a')).toHaveLength(1);
  // Brought back elsewhere meanwhile: nothing is lost by asking once more
  markCircuitDeleted(database, circuit, null);
  expect(listCircuits(database, 'a')).toHaveLength(1);
  expect(() => insertCircuit(database, 'nowhere', 'x', {}, early)).toThrow(expect.objectContaining({ code: 'RunNotFound' }));
});

test('a run says which scores it has', () => {
  storeEmissions(
    database,
    'a',
    [
      {
        kind: 'scores',
        rows: [
          row({ stage: 'step-2', seed: 1 }),
          row({ stage: 'step-10' }),
          row({ stage: 'step-10', point: 11 }),
          row({ stage: 'step-10', point: 3, name: 'upstream.mlp', shape: [2, 2], values: [1, 2, 3, 4] }),
        ],
      },
    ],
    1,
  );
  expect(listScores(database, 'a')).toEqual([
    { seed: 1, stage: 'step-2', set: 'implications', points: [-1], names: ['upstream.attn'] },
    { seed: 0, stage: 'step-10', set: 'implications', points: [-1, 3, 11], names: ['upstream.attn', 'upstream.mlp'] },
  ]);
  expect(listScores(database, 'b')).toEqual([]);
  insertCircuit(database, 'a', 'recall', {}, early);
  expect(listScoredRuns(database, null).map(({ run, circuits }) => [run, circuits])).toEqual([['a', 1]]);
  expect(listScoredRuns(database, 1)).toHaveLength(1);
  expect(listScoredRuns(database, 2)).toEqual([]);
});

test('one component of every seed and item, heads apart or added', () => {
  const rows = [row({ seed: 1 }), row({}), row({ point: 0, name: 'upstream.mlp', shape: [2, 2], values: [1, 2, 3, 4] })];
  storeEmissions(database, 'a', [{ kind: 'scores', rows }], 1);
  const names = ['upstream.attn', 'upstream.mlp', 'none'];
  const ask = (layer: number, head: number | null) =>
    getComponentScores(database, 'a', { stage: 'finetune', names, layer, head });
  expect(ask(1, 2)).toEqual([
    { seed: 0, point: -1, name: 'upstream.attn', values: [20, 21, 22, 23] },
    { seed: 1, point: -1, name: 'upstream.attn', values: [20, 21, 22, 23] },
  ]);
  expect(ask(1, null)[0]!.values).toEqual([12 + 16 + 20, 13 + 17 + 21, 14 + 18 + 22, 15 + 19 + 23]);
  expect(ask(1, null)[1]).toEqual({ seed: 0, point: 0, name: 'upstream.mlp', values: [3, 4] });
  expect(ask(2, null)).toEqual([]);
  expect(ask(0, 3)).toEqual([]);
});
