import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { getEvaluations, getItemSets, getSteps, storeEmissions } from '../../src-main/database/measurements.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import {
  createRun,
  deleteRun,
  getRun,
  interruptRunsOf,
  listRuns,
  markEnded,
  markRunning,
  type Outcome,
  requestStop,
  stopRequests,
} from '../../src-main/database/runs.ts';
import { getSetting, setSetting } from '../../src-main/database/settings.ts';
import type { Emission, Progress, Provenance } from '../../src-main/shared/records.ts';
import { evaluation, itemSet, step } from './rows.ts';
import { newRun, temporaryFolder } from './support.ts';

let database: Database;
const now = '2026-11-22T10:00:01.000Z';
const done: Outcome = { state: 'finished', finished: now, seconds: 2.5, error: null, results: { epochs: [] } };

beforeEach(() => {
  database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
});

test('a run from queued to finished', () => {
  createRun(database, newRun('a'));
  expect(getRun(database, 'a')).toEqual({
    run: 'a',
    experiment: 'ocr',
    title: 'OCR · first-hop · small-world',
    model: 'small-world',
    dataset: 'first-hop',
    state: 'queued',
    created: '2026-11-22T10:00:00.000Z',
    started: null,
    finished: null,
    seconds: 0,
    progress: null,
    error: null,
    spec: newRun('a').spec,
    provenance: null,
    results: null,
    warnings: [],
  });
  expect([markRunning(database, 'a', now), markRunning(database, 'a', now)]).toEqual([true, false]);
  expect(markEnded(database, 'a', { ...done, results: { epochs: [] } })).toBe(true);
  // Whoever comes second changes nothing.
  expect(markEnded(database, 'a', { ...done, state: 'failed', error: { code: 'X', message: 'x', kind: 'failure' } })).toBe(false);
  expect(getRun(database, 'a')).toMatchObject({
    state: 'finished',
    started: now,
    finished: now,
    seconds: 2.5,
    error: null,
    results: { epochs: [] },
  });
});

test('everything emitted is read back as it was, in order', () => {
  createRun(database, newRun('a'));
  const provenance: Provenance = {
    modelPath: '/m',
    modelHash: 'h',
    datasetHash: 'd',
    device: 'cpu',
    threads: 2,
    versions: { hopscope: '0' },
  };
  const progress: Progress = { done: 1, total: 2, message: 'seed 0, epoch 1 of 2', secondsLeft: null };
  const emissions: Emission[] = [
    { kind: 'provenance', provenance },
    { kind: 'items', items: itemSet },
    { kind: 'warning', message: 'Two options share a first token.' },
    { kind: 'evaluation', row: evaluation(0) },
    step(0),
    step(1),
    { kind: 'warning', message: '"Quoted" ünïcode' },
    { kind: 'evaluation', row: evaluation(1) },
    { kind: 'progress', progress: { ...progress, done: 0 } },
    { kind: 'progress', progress },
  ];
  storeEmissions(database, 'a', emissions, 1.5);
  expect(getRun(database, 'a')).toMatchObject({
    provenance,
    progress,
    seconds: 1.5,
    warnings: ['Two options share a first token.', '"Quoted" ünïcode'],
  });
  expect(getSteps(database, 'a')).toEqual([step(0), step(1)].map((one) => (one.kind === 'step' ? one.row : null)));
  expect(getItemSets(database, 'a')).toEqual([itemSet]);
  expect(getEvaluations(database, 'a', true)).toEqual([evaluation(0), evaluation(1)]);
  expect(getEvaluations(database, 'a', false)).toEqual([evaluation(0, 0), evaluation(1, 0)]);
  storeEmissions(database, 'a', [{ kind: 'items', items: { ...itemSet, options: ['Oslo'] } }], 1.5);
  expect(getItemSets(database, 'a')).toEqual([{ ...itemSet, options: ['Oslo'] }]);
});

test('a batch with a number that is none is refused whole', () => {
  createRun(database, newRun('a'));
  const bad: Emission[] = [
    { kind: 'step', row: { seed: 0, stage: 'finetune', epoch: 0, step: 7, loss: Number.NaN, seconds: 0 } },
    { kind: 'evaluation', row: { ...evaluation(0), loss: Number.POSITIVE_INFINITY } },
    { kind: 'evaluation', row: { ...evaluation(0), items: [{ item: 0, rank: 0, logits: [1, JSON.parse('null')] }] } },
  ];
  for (const emission of bad) {
    expect(() => storeEmissions(database, 'a', [step(0), emission], 1)).toThrow(expect.objectContaining({ code: 'NotFinite' }));
  }
  expect([getSteps(database, 'a'), getEvaluations(database, 'a', true), getRun(database, 'a').seconds]).toEqual([[], [], 0]);
});

test('runs are listed newest first, in pages', () => {
  for (const run of ['a', 'b', 'c']) createRun(database, newRun(run));
  const { runs, total } = listRuns(database, { limit: 2, offset: 1 });
  expect([runs.map((run) => run.run), total]).toEqual([['b', 'a'], 3]);
});

test('deleting takes all rows along, and only of a run that has ended', () => {
  createRun(database, newRun('a'));
  storeEmissions(database, 'a', [step(0), { kind: 'items', items: itemSet }, { kind: 'evaluation', row: evaluation(0) }], 1);
  expect(() => deleteRun(database, 'a')).toThrow(expect.objectContaining({ code: 'RunActive' }));
  markEnded(database, 'a', done);
  deleteRun(database, 'a');
  for (const table of ['runs', 'steps', 'item_sets', 'evaluations', 'items']) {
    expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(), table).toBe(0);
  }
  expect(() => deleteRun(database, 'a')).toThrow(expect.objectContaining({ code: 'RunNotFound' }));
  expect(() => getRun(database, `' OR 1=1 --`)).toThrow(expect.objectContaining({ code: 'RunNotFound' }));
});

test('only unfinished runs of the dead owner are interrupted', () => {
  for (const [run, owner] of [
    ['a', 'dead'],
    ['b', 'dead'],
    ['c', 'alive'],
  ] as const)
    createRun(database, newRun(run, owner));
  markEnded(database, 'a', done);
  expect(interruptRunsOf(database, 'dead', now, { code: 'HostDied', message: 'm', kind: 'failure' })).toEqual(['b']);
  expect(['a', 'b', 'c'].map((run) => getRun(database, run).state)).toEqual(['finished', 'interrupted', 'queued']);
});

test("a stop asked for by another process is the owner's to see", () => {
  createRun(database, newRun('a', 'me'));
  createRun(database, newRun('b', 'you'));
  requestStop(database, 'a');
  requestStop(database, 'b');
  expect(stopRequests(database, 'me')).toEqual(['a']);
});

test('settings keep JSON values by name', () => {
  expect(getSetting(database, 'theme')).toBeNull();
  setSetting(database, 'theme', { name: 'dark' });
  setSetting(database, 'theme', { name: 'light', contrast: [1, 2] });
  expect(getSetting(database, 'theme')).toEqual({ name: 'light', contrast: [1, 2] });
});
