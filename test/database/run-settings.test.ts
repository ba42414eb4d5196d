/** Settings of runs as words to search for: of new runs, and of those stored before there was a place for them. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrations } from '../../src-main/database/migrations/index.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { listRuns } from '../../src-main/database/run-list.ts';
import { createRun } from '../../src-main/database/runs.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { newRun, temporaryFolder } from './support.ts';

function add(database: Database, run: string, settings: { [name: string]: Json }): void {
  const { spec, ...rest } = newRun(run);
  createRun(database, { ...rest, spec: { ...spec, ...settings } });
}

const found = (database: Database, search: string) =>
  listRuns(database, { limit: 9, offset: 0, search }).runs.map(({ run }) => run);

test('settings are found by name and value, small numbers as people write them', () => {
  const database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
  add(database, 'a', { lr: 1e-4, epochs: 8 });
  add(database, 'b', { lr: 3.5e-5, trainable: { layers: [4, 5] } });
  add(database, 'c', { lr: 0.25, nested: true, orders: [[[777]]] });
  add(database, 'd', { lr: 1e-10 });
  expect(found(database, '1e-4')).toEqual(['a']);
  expect(found(database, '0.0001')).toEqual(['a']);
  expect(found(database, '3.5e-5')).toEqual(['b']);
  expect(found(database, '0.000035')).toEqual(['b']);
  expect(found(database, 'trainable [4,5]')).toEqual(['b']);
  expect(found(database, 'nested true 0.25')).toEqual(['c']);
  expect(found(database, '1e-10')).toEqual(['d']);
  expect(found(database, 'lr')).toEqual(['d', 'c', 'b', 'a']);
  expect(found(database, '777')).toEqual([]);
  database.close();
});

test('runs stored before there was a place for settings get theirs', () => {
  const path = join(temporaryFolder(), 'hopscope.db');
  const old = openDatabase(path, { migrations: migrations.slice(0, 9) });
  add(old, 'a', { lr: 1e-4 });
  add(old, 'b', { lr: 1e-5 });
  old.close();
  const database = openDatabase(path);
  expect(found(database, '1e-4')).toEqual(['a']);
  database.close();
});
