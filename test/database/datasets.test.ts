/** Data sets and their versions as rows: what is stored comes back, equal content adds no version, deleting can be undone. */
import { expect, test } from 'vitest';
import {
  addVersion,
  createDataset,
  deleteDataset,
  getDataset,
  getVersion,
  getVersionById,
  listDatasets,
  renameDataset,
  restoreDataset,
} from '../../src-main/database/datasets.ts';
import { openDatabase } from '../../src-main/database/open.ts';
import { createRun } from '../../src-main/database/runs.ts';
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import { newRun, temporaryFolder } from './support.ts';

const content = (city: string): LinkedFacts => ({
  train: [['Ada Moss lives in', city]],
  test: [['The people in the city Ada Moss is from speak', 'Norwegian "\n']],
  options: { train: [city, 'Rome'], test: ['Norwegian "\n'] },
});
const version = (city: string, created = '2026-11-22T10:00:00.000Z') => ({
  created,
  note: '',
  rows: 1,
  hash: `hash of ${city}`,
  content: content(city),
});
const given = { project: 1, name: 'Cities', kind: 'facts' as const, created: '2026-11-21T10:00:00.000Z' };
const open = () => openDatabase(`${temporaryFolder()}/hopscope.db`);

test('versions are numbered, kept whole, and not repeated', () => {
  const database = open();
  const dataset = createDataset(database, given, null);
  expect(getDataset(database, dataset)).toMatchObject({ rows: 0, versions: 0, changed: given.created, history: [] });
  expect(() => getVersion(database, dataset)).toThrow(expect.objectContaining({ code: 'VersionNotFound' }));
  expect(addVersion(database, dataset, version('Oslo'), 0)).toEqual({ version: 1, added: true });
  expect(addVersion(database, dataset, version('Oslo'), 0)).toEqual({ version: 1, added: false });
  expect(addVersion(database, dataset, version('Bergen'), 1)).toEqual({ version: 2, added: true });
  // Going back to an earlier content is a version of its own.
  expect(addVersion(database, dataset, version('Oslo'), 2)).toEqual({ version: 3, added: true });
  expect(getVersion(database, dataset, 2).content).toEqual(content('Bergen'));
  expect(getVersion(database, dataset)).toMatchObject({ number: 3, name: 'Cities', content: content('Oslo') });
  expect(getDataset(database, dataset).history.map(({ number }) => number)).toEqual([3, 2, 1]);
  expect(() => getVersion(database, dataset, 9)).toThrow(expect.objectContaining({ code: 'VersionNotFound' }));
  database.close();
});

test('the list knows rows, versions and runs, the one changed last first; deleting is undone', () => {
  const database = open();
  const first = createDataset(database, given, version('Oslo', '2026-11-22T12:00:00.000Z'));
  const second = createDataset(database, { ...given, name: 'Other' }, version('Rome', '2026-11-22T11:00:00.000Z'));
  const { id } = getVersion(database, first);
  createRun(database, { ...newRun('run-1'), datasetVersion: id });
  const [top, below] = listDatasets(database, 1);
  expect(top).toMatchObject({ dataset: first, rows: 1, versions: 1, runs: 1, changed: '2026-11-22T12:00:00.000Z' });
  expect(below).toMatchObject({ dataset: second, runs: 0 });
  deleteDataset(database, first, '2026-11-23T10:00:00.000Z');
  expect(listDatasets(database, 1).map(({ dataset }) => dataset)).toEqual([second]);
  expect(() => getDataset(database, first)).toThrow(expect.objectContaining({ code: 'DatasetNotFound' }));
  expect(() => renameDataset(database, first, 'x')).toThrow(expect.objectContaining({ code: 'DatasetNotFound' }));
  // A run's version stays to be looked at.
  expect(getVersionById(database, id).content).toEqual(content('Oslo'));
  restoreDataset(database, first);
  renameDataset(database, first, 'Towns');
  expect(getDataset(database, first)).toMatchObject({ name: 'Towns', runs: 1, history: [{ number: 1, runs: 1 }] });
  database.close();
});
