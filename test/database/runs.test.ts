import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { getEvaluations, getItemSets, getSteps, storeEmissions } from '../../src-main/database/measurements.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { createProject } from '../../src-main/database/projects.ts';
import { purge } from '../../src-main/database/purge.ts';
import { listRuns } from '../../src-main/database/run-list.ts';
import {
  createRun,
  deleteRun,
  deleteRuns,
  getFigures,
  getRun,
  interruptRunsOf,
  markEnded,
  markRunning,
  type Outcome,
  requestStop,
  restoreRun,
  restoreRuns,
  saveRunNotes,
  stateOf,
  stopRequests,
} from '../../src-main/database/runs.ts';
import { getSetting, setSetting } from '../../src-main/database/settings.ts';
import type { RunOrder } from '../../src-main/shared/contract-projects.ts';
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
    project: 1,
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
    outcome: null,
    spec: newRun('a').spec,
    provenance: null,
    results: null,
    warnings: [],
    paused: false,
    pauses: [],
    notes: '',
    prediction: null,
    datasetVersion: null,
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

test('deleting hides an ended run, restoring brings it back, the purge takes all rows along', () => {
  createRun(database, newRun('a'));
  storeEmissions(database, 'a', [step(0), { kind: 'items', items: itemSet }, { kind: 'evaluation', row: evaluation(0) }], 1);
  expect(() => deleteRun(database, 'a', now)).toThrow(expect.objectContaining({ code: 'RunActive' }));
  markEnded(database, 'a', done);
  deleteRun(database, 'a', now);
  expect(listRuns(database, { limit: 9, offset: 0 }).total).toBe(0);
  for (const lookUp of [getRun, stateOf, getFigures, (from: Database, run: string) => deleteRun(from, run, now)])
    expect(() => lookUp(database, 'a')).toThrow(expect.objectContaining({ code: 'RunNotFound' }));
  purge(database, now);
  restoreRun(database, 'a');
  expect([getRun(database, 'a').results, getSteps(database, 'a').length]).toEqual([{ epochs: [] }, 1]);
  deleteRun(database, 'a', now);
  purge(database, '2026-11-22T10:00:01.001Z');
  for (const table of ['runs', 'steps', 'item_sets', 'evaluations', 'items']) {
    expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(), table).toBe(0);
  }
  expect(() => restoreRun(database, 'a')).toThrow(expect.objectContaining({ code: 'RunNotFound' }));
  expect(() => getRun(database, `' OR 1=1 --`)).toThrow(expect.objectContaining({ code: 'RunNotFound' }));
});

test('runs are filtered by project, state, experiment and words, which are no patterns', () => {
  const other = createProject(database, 'Other', now);
  createRun(database, { ...newRun('a'), project: 1, title: '100% sure_thing' });
  createRun(database, { ...newRun('b'), project: other, experiment: 'ablation', title: 'O\\Brien' });
  createRun(database, { ...newRun('c'), project: 1, title: '100 sure things' });
  markEnded(database, 'c', done);
  saveRunNotes(database, 'c', 'The rank *falls*.');
  const found = (query: object) => {
    const { runs, total } = listRuns(database, { limit: 9, offset: 0, ...query });
    expect(total).toBe(runs.length);
    return runs.map(({ run }) => run);
  };
  expect(found({})).toEqual(['c', 'b', 'a']);
  expect(found({ project: other })).toEqual(['b']);
  expect(found({ state: 'queued', project: 1 })).toEqual(['a']);
  expect(found({ experiment: 'ablation' })).toEqual(['b']);
  expect(found({ search: '100%' })).toEqual(['a']);
  expect(found({ search: 'sure_t' })).toEqual(['a']);
  expect(found({ search: '  SURE first-hop ' })).toEqual(['c', 'a']);
  expect(found({ search: 'o\\b' })).toEqual(['b']);
  expect(found({ search: 'falls' })).toEqual(['c']);
  expect(found({ search: 'falls not' })).toEqual([]);
  expect(found({ search: "'; DROP TABLE runs" })).toEqual([]);
});

test('a run keeps what was predicted and which data it used; without a project it is of the one looked at last', () => {
  const other = createProject(database, 'Other', '2030-01-01T00:00:00.000Z');
  createRun(database, { ...newRun('a'), prediction: { below: 2.5 }, datasetVersion: 7 });
  expect(getRun(database, 'a')).toMatchObject({ project: other, prediction: { below: 2.5 }, datasetVersion: 7 });
});

test('runs are sorted by what is asked for, those without a value last, the newest first among equals', () => {
  const ranks: [run: string, title: string, model: string, facts: number | null, seconds: number][] = [
    ['a', 'beta', 'Qwen', 2, 30],
    ['b', 'Alpha', 'llama', null, 0],
    ['c', 'gamma', 'Gemma', 0.5, 10],
    ['d', 'beta', 'gemma', 11, 20],
  ];
  for (const [run, title, model, facts, seconds] of ranks) {
    createRun(database, { ...newRun(run), title, model, experiment: run === 'a' ? 'ablation' : 'ocr' });
    if (facts !== null)
      storeEmissions(database, run, [{ kind: 'evaluation', row: { ...evaluation(0), meanRank: facts } }], seconds);
    if (run !== 'b') markEnded(database, run, { ...done, seconds, state: run === 'c' ? 'failed' : 'finished' });
  }
  const sorted = (by: RunOrder, descending: boolean) =>
    listRuns(database, { limit: 9, offset: 0, sort: { by, descending } })
      .runs.map(({ run }) => run)
      .join('');
  expect([sorted('created', false), sorted('created', true)]).toEqual(['abcd', 'dcba']);
  expect([sorted('title', false), sorted('title', true)]).toEqual(['bdac', 'cdab']);
  expect([sorted('model', false), sorted('experiment', false)]).toEqual(['dcba', 'adcb']);
  expect([sorted('state', false), sorted('state', true)]).toEqual(['bdac', 'cdab']);
  expect([sorted('facts', false), sorted('facts', true)]).toEqual(['cadb', 'dacb']);
  expect([sorted('seconds', false), sorted('seconds', true)]).toEqual(['cdab', 'adcb']);
  expect(sorted('implications', true)).toBe('dcba');
});

test('lists are read from their index alone, whatever is asked for', () => {
  const asked: string[] = [];
  const spied = new Proxy(database, {
    get(target, name) {
      if (name !== 'prepare') return Reflect.get(target, name, target);
      return (sql: string) => {
        asked.push(sql);
        return target.prepare(sql);
      };
    },
  });
  for (const query of [
    {},
    { project: 1, search: 'a b', state: 'failed' as const, sort: { by: 'facts' as const, descending: true } },
  ])
    listRuns(spied, { limit: 9, offset: 0, ...query });
  expect(asked).toHaveLength(4);
  for (const sql of asked) {
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(sql.match(/\?/g) ?? []).map(() => 1)) as {
      detail: string;
    }[];
    expect(plan.map(({ detail }) => detail).find((detail) => /\bruns\b/.test(detail))).toContain('COVERING INDEX runs_listed');
  }
});

test('many runs are deleted and brought back together, those under way left alone', () => {
  for (const run of ['a', 'b', 'c']) createRun(database, newRun(run));
  for (const run of ['a', 'c']) markEnded(database, run, done);
  const names = (changed: { run: string }[]) => changed.map(({ run }) => run).sort();
  expect(names(deleteRuns(database, ['c', 'a', 'b', 'nothing', 'a'], now))).toEqual(['a', 'c']);
  expect(deleteRuns(database, ['a', 'c'], now)).toEqual([]);
  expect(listRuns(database, { limit: 9, offset: 0 }).runs.map(({ run }) => run)).toEqual(['b']);
  expect(names(restoreRuns(database, ['a', 'b', 'c']))).toEqual(['a', 'c']);
  expect(listRuns(database, { limit: 9, offset: 0 }).total).toBe(3);
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
