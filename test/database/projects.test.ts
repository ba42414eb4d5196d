import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { insertCircuit, markCircuitDeleted } from '../../src-main/database/circuits.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import {
  archiveProject,
  createProject,
  deleteProject,
  getProject,
  listProjects,
  markOpened,
  recentProject,
  renameProject,
  requireProject,
  restoreProject,
  saveProjectNotes,
} from '../../src-main/database/projects.ts';
import { purge } from '../../src-main/database/purge.ts';
import { listRuns } from '../../src-main/database/run-list.ts';
import { createRun, deleteRun, markEnded, saveRunNotes } from '../../src-main/database/runs.ts';
import { search } from '../../src-main/database/search.ts';
import { changeSpec, createSpec, deleteSpec, listSpecs } from '../../src-main/database/specs.ts';
import { newRun, temporaryFolder } from './support.ts';

let database: Database;
/** Times in order, all later than the first project's creation. */
const at = (second: number) => `2040-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
const done = { state: 'finished', finished: at(9), seconds: 1, error: null, results: null } as const;
const code = (name: string) => expect.objectContaining({ code: name });

beforeEach(() => {
  database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
});

function addModel(project: number, path: string): void {
  database.prepare('INSERT INTO models (project, path, added) VALUES (?, ?, ?)').run(project, path, at(3));
}

function addDataset(project: number, name: string): number {
  const { lastInsertRowid } = database
    .prepare(`INSERT INTO datasets (project, name, kind, created) VALUES (?, ?, 'facts', ?)`)
    .run(project, name, at(3));
  database
    .prepare(`INSERT INTO dataset_versions (dataset, number, created, rows, hash, content) VALUES (?, 1, ?, 2, 'h', x'00')`)
    .run(lastInsertRowid, at(5));
  return Number(lastInsertRowid);
}

const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get();

test('a first project is there, and the one looked at last comes first', () => {
  expect(listProjects(database).map(({ name }) => name)).toEqual(['First project']);
  const second = createProject(database, 'Second', at(1));
  const third = createProject(database, 'Third', at(2));
  expect(listProjects(database).map(({ project }) => project)).toEqual([third, second, 1]);
  markOpened(database, second, at(3));
  expect([recentProject(database), listProjects(database)[0]?.project]).toEqual([second, second]);
  archiveProject(database, second, at(4));
  // Archived ones are listed, but nothing new goes there unasked.
  expect([recentProject(database), getProject(database, second).archived]).toEqual([third, at(4)]);
  archiveProject(database, second, null);
  expect(getProject(database, second).archived).toBeNull();
});

test('counts and the last activity leave out what was deleted', () => {
  const project = createProject(database, 'Counted', at(1));
  expect(getProject(database, project)).toEqual({
    project,
    hasNotes: false,
    name: 'Counted',
    notes: '',
    created: at(1),
    opened: at(1),
    archived: null,
    active: at(1),
    counts: { runs: 0, models: 0, datasets: 0, specs: 0 },
  });
  createRun(database, { ...newRun('a'), project });
  createRun(database, { ...newRun('b'), project });
  addModel(project, '/models/one');
  addDataset(project, 'mayors');
  expect(getProject(database, project).active).toBe(at(5));
  markEnded(database, 'a', done);
  expect(getProject(database, project)).toMatchObject({ active: at(9), counts: { runs: 2, models: 1, datasets: 1, specs: 0 } });
  deleteRun(database, 'a', at(10));
  expect(getProject(database, project)).toMatchObject({ active: at(5), counts: { runs: 1 } });
});

test('renaming and notes, and names that look like SQL', () => {
  renameProject(database, 1, `Robert'); DROP TABLE projects;--`);
  saveProjectNotes(database, 1, '# Plan\n<b>not HTML</b>');
  expect(getProject(database, 1)).toMatchObject({
    name: `Robert'); DROP TABLE projects;--`,
    notes: '# Plan\n<b>not HTML</b>',
  });
  for (const change of [
    () => renameProject(database, 99, 'x'),
    () => saveProjectNotes(database, 99, 'x'),
    () => archiveProject(database, 99, at(1)),
    () => getProject(database, 99),
    () => requireProject(database, 99),
    () => restoreProject(database, 99),
  ])
    expect(change).toThrow(code('ProjectNotFound'));
});

test('a deleted project hides its runs until it is restored; the last one and one with a run under way stay', () => {
  expect(() => deleteProject(database, 1, at(1))).toThrow(code('LastProject'));
  const project = createProject(database, 'Doomed', at(1));
  createRun(database, { ...newRun('a'), project });
  expect(() => deleteProject(database, project, at(2))).toThrow(code('RunActive'));
  markEnded(database, 'a', done);
  deleteProject(database, project, at(2));
  expect(listProjects(database)).toHaveLength(1);
  expect(() => requireProject(database, project)).toThrow(code('ProjectNotFound'));
  expect(() => deleteProject(database, project, at(3))).toThrow(code('LastProject'));
  expect(listRuns(database, { limit: 9, offset: 0 }).total).toBe(0);
  restoreProject(database, project);
  expect(listRuns(database, { limit: 9, offset: 0 }).total).toBe(1);
});

test('specs are saved, replaced, renamed, deleted and brought back', () => {
  const { spec } = newRun('a');
  const first = createSpec(database, { project: 1, name: 'Baseline', spec, now: at(1) });
  const second = createSpec(database, { project: 1, name: 'Variant', spec, now: at(2) });
  expect(listSpecs(database, 1).map(({ id }) => id)).toEqual([second, first]);
  changeSpec(database, first, { name: 'Baseline, 5 seeds', spec: { ...spec, seeds: [0, 1] }, now: at(3) });
  changeSpec(database, second, { name: 'Renamed', spec: null, now: at(2) });
  expect(listSpecs(database, 1)).toEqual([
    { id: first, project: 1, name: 'Baseline, 5 seeds', spec: { ...spec, seeds: [0, 1] }, created: at(1), changed: at(3) },
    { id: second, project: 1, name: 'Renamed', spec, created: at(2), changed: at(2) },
  ]);
  deleteSpec(database, first, at(4));
  expect(listSpecs(database, 1)).toHaveLength(1);
  expect(() => changeSpec(database, first, { name: 'x', spec: null, now: at(5) })).toThrow(code('SpecNotFound'));
  deleteSpec(database, first, null);
  expect(listSpecs(database, 1)).toHaveLength(2);
});

test('the purge takes a deleted project with all it owns, but not data that a run elsewhere used', () => {
  const project = createProject(database, 'Gone', at(1));
  createRun(database, { ...newRun('a'), project });
  markEnded(database, 'a', done);
  addModel(project, '/models/one');
  addDataset(project, 'unused');
  const used = addDataset(project, 'used elsewhere');
  createSpec(database, { project, name: 'Spec', spec: newRun('a').spec, now: at(2) });
  const version = database.prepare('SELECT id FROM dataset_versions WHERE dataset = ?').pluck().get(used) as number;
  createRun(database, { ...newRun('b'), project: 1, datasetVersion: version });
  markEnded(database, 'b', done);
  deleteProject(database, project, at(10));
  purge(database, at(10));
  expect(['projects', 'runs', 'models', 'datasets', 'specs'].map(count)).toEqual([2, 2, 1, 2, 1]);
  purge(database, at(11));
  expect(['projects', 'runs', 'models', 'datasets', 'dataset_versions', 'specs'].map(count)).toEqual([2, 1, 0, 1, 1, 0]);
  deleteRun(database, 'b', at(12));
  purge(database, at(13));
  expect(['projects', 'runs', 'datasets', 'dataset_versions'].map(count)).toEqual([1, 0, 0, 0]);
});

test('the search finds every kind by all words, the best name first, and nothing deleted', () => {
  const project = createProject(database, 'Mayors of Arvane', at(1));
  createRun(database, { ...newRun('a'), project, title: 'OCR · mayors · small-world' });
  createRun(database, { ...newRun('b'), project: 1, title: 'OCR · landmarks · small-world' });
  markEnded(database, 'a', done);
  saveRunNotes(database, 'b', 'Compare with the mayors.');
  addModel(project, '/models/mayors-tuned/');
  addDataset(project, 'Old mayors');
  createSpec(database, { project: 1, name: 'Landmarks, 5 seeds', spec: newRun('a').spec, now: at(2) });
  const found = (text: string, options: { project?: number } = {}) =>
    search(database, text, { limit: 30, ...options }).map(({ kind, title }) => `${kind}: ${title}`);
  expect(found('mayors')).toEqual([
    'project: Mayors of Arvane',
    'model: mayors-tuned',
    'run: OCR · mayors · small-world',
    'dataset: Old mayors',
    'run: OCR · landmarks · small-world',
  ]);
  expect(found('MAY tun')).toEqual(['model: mayors-tuned']);
  expect(found('5 ocr')).toEqual(['spec: Landmarks, 5 seeds']);
  expect(found('landmarks', { project })).toEqual([]);
  expect([found('%'), found('_'), found('  ')]).toEqual([[], [], []]);
  expect(search(database, 'mayors', { limit: 1 })).toEqual([
    { kind: 'project', id: String(project), title: 'Mayors of Arvane', detail: 'Project', project, excerpt: null },
  ]);
  deleteProject(database, project, at(10));
  expect(found('mayors')).toEqual(['run: OCR · landmarks · small-world']);
});

test('the search shows the notes around what it found in them, and finds what is written in circuits', () => {
  createRun(database, { ...newRun('a'), title: 'Scores of the second hop' });
  const circuit = insertCircuit(database, 'a', 'Recall', { groups: [{ name: 'early readers', keys: ['mlp.3.t2'] }] }, at(1));
  const filler = 'Nothing of interest is written here. '.repeat(5);
  saveProjectNotes(database, 1, `# Plan\n\n${filler}We expect **quokkas** to be known. ${filler}`);
  addDataset(1, 'Animals');
  const [byNotes] = search(database, 'quokkas', { limit: 5 });
  expect(byNotes).toMatchObject({ kind: 'project', id: '1' });
  expect(byNotes?.excerpt).toMatch(/^… .*We expect quokkas to be known\. .* …$/);
  const found = search(database, 'early mlp.3', { limit: 5 });
  expect(found).toEqual([
    {
      kind: 'circuit',
      id: `a/${circuit}`,
      title: 'Recall',
      detail: 'First project · Scores of the second hop',
      project: 1,
      excerpt: null,
    },
  ]);
  markCircuitDeleted(database, circuit, at(2));
  expect(search(database, 'early', { limit: 5 })).toEqual([]);
});

test('runs can be asked for by the model they were made with, exactly', () => {
  const made = (run: string, path: string) => {
    const row = newRun(run);
    createRun(database, { ...row, spec: { ...row.spec, model: path } });
  };
  made('a', '/models/llama');
  made('b', '/models/llama-2');
  made('c', '/elsewhere/llama');
  const { runs, total } = listRuns(database, { limit: 10, offset: 0, model: '/models/llama' });
  expect([runs.map(({ run }) => run), total]).toEqual([['a'], 1]);
});
