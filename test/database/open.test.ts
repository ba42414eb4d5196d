import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { migrations } from '../../src-main/database/migrations/index.ts';
import { closeDatabase, type Database, hasLog, openDatabase, sqliteVersion } from '../../src-main/database/open.ts';
import { listRuns } from '../../src-main/database/run-list.ts';
import { createRun } from '../../src-main/database/runs.ts';
import { evaluation } from './rows.ts';
import { newRun, temporaryFolder } from './support.ts';

const page = { limit: 10, offset: 0 };

function filled(folder: string): string {
  const path = join(folder, 'hopscope.db');
  const database = openDatabase(path);
  for (let index = 0; index < 40; index++) {
    createRun(database, newRun(`run-${index}`));
    storeEmissions(database, `run-${index}`, [{ kind: 'evaluation', row: evaluation(0, 20) }], 1);
  }
  closeDatabase(database);
  return path;
}

/** Hashes of the files that hold data (-shm is only an index that any opening rebuilds); an empty log is as good as none. */
function contents(path: string): string[] {
  return [path, `${path}-wal`].map((file) =>
    existsSync(file) && statSync(file).size > 0 ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'nothing',
  );
}

function expectRefusal(path: string, code: string, check = true): void {
  const before = contents(path);
  expect(() => openDatabase(path, { check })).toThrow(expect.objectContaining({ code }));
  expect(contents(path)).toEqual(before);
}

describe('settings', () => {
  test('are those that durability needs, read back', () => {
    const database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
    const read = (name: string) => database.pragma(name, { simple: true });
    expect({
      journal: read('journal_mode'),
      synchronous: read('synchronous'),
      foreignKeys: read('foreign_keys'),
      timeout: read('busy_timeout'),
      trusted: read('trusted_schema'),
      version: read('user_version'),
    }).toEqual({ journal: 'wal', synchronous: 2, foreignKeys: 1, timeout: 5000, trusted: 0, version: migrations.length });
    expect(sqliteVersion(database)).toMatch(/^3\.\d+\.\d+$/);
    closeDatabase(database);
  });

  test('every table is STRICT', () => {
    const database = openDatabase(join(temporaryFolder(), 'hopscope.db'));
    const tables = database.pragma('table_list') as { name: string; schema: string; type: string; strict: number }[];
    const own = tables.filter((table) => table.schema === 'main' && table.type === 'table' && !table.name.startsWith('sqlite_'));
    expect(own.map((table) => [table.name, table.strict]).sort()).toEqual(
      [
        'circuits',
        'continuations',
        'dataset_drafts',
        'dataset_versions',
        'datasets',
        'dial_paths',
        'evaluations',
        'item_sets',
        'items',
        'model_paths',
        'models',
        'projects',
        'runs',
        'scores',
        'settings',
        'specs',
        'steps',
        'weights',
      ].map((name) => [name, 1]),
    );
    closeDatabase(database);
  });

  test('a clean close leaves one file, an unclean one its log', () => {
    const path = join(temporaryFolder(), 'hopscope.db');
    const database = openDatabase(path);
    createRun(database, newRun('a'));
    expect(hasLog(path)).toBe(true);
    closeDatabase(database);
    expect(hasLog(path)).toBe(false);
  });

  test('a link is opened under its real name', () => {
    const folder = temporaryFolder();
    const path = filled(folder);
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(path, join(folder, 'elsewhere', 'link.db'));
    const database = openDatabase(join(folder, 'elsewhere', 'link.db'));
    expect(listRuns(database, page).total).toBe(40);
    expect(existsSync(join(folder, 'elsewhere', 'link.db-wal'))).toBe(false);
    closeDatabase(database);
  });
});

describe('migrations', () => {
  test('a version that fails leaves the one before', () => {
    const path = join(temporaryFolder(), 'hopscope.db');
    const broken = [
      ...migrations,
      { name: '002-broken', sql: 'CREATE TABLE extra (a INTEGER) STRICT; CREATE TABLE runs (x INTEGER) STRICT;' },
    ];
    expect(() => openDatabase(path, { migrations: broken })).toThrow();
    const database = openDatabase(path);
    expect(database.pragma('user_version', { simple: true })).toBe(migrations.length);
    expect(database.prepare(`SELECT name FROM sqlite_schema WHERE name = 'extra'`).get()).toBeUndefined();
    closeDatabase(database);
  });

  test('a later version is applied to rows that are there', () => {
    const path = filled(temporaryFolder());
    const more = [...migrations, { name: '999-notes', sql: `ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';` }];
    const database = openDatabase(path, { migrations: more });
    expect(database.prepare('SELECT count(*) FROM runs WHERE note = ?').pluck().get('')).toBe(40);
    closeDatabase(database);
    expectRefusal(path, 'DatabaseTooNew');
  });

  test('four programs that open a new file at once all get it', async () => {
    const path = join(temporaryFolder(), 'hopscope.db');
    const source = `import { openDatabase, closeDatabase } from ${JSON.stringify(join(import.meta.dirname, '../../src-main/database/open.ts'))};
      const database = openDatabase(${JSON.stringify(path)}); console.log(database.pragma('user_version', { simple: true })); closeDatabase(database);`;
    const run = promisify(execFile);
    const outputs = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, ['--input-type=module', '-e', source])));
    expect(outputs.map((output) => output.stdout.trim())).toEqual(Array(4).fill(String(migrations.length)));
  });
});

describe('damage is named and never made worse', () => {
  test('garbage in the header, or no database at all', () => {
    const path = filled(temporaryFolder());
    const whole = readFileSync(path);
    for (const [start, end] of [
      [0, 16],
      [0, 100],
      [0, 4096],
    ] as const) {
      writeFileSync(path, Buffer.concat([whole.subarray(0, start), Buffer.alloc(end - start, 0xa5), whole.subarray(end)]));
      expectRefusal(path, 'DatabaseCorrupt');
      expectRefusal(path, 'DatabaseCorrupt', false);
    }
    writeFileSync(path, 'name,prompt\nthis is a table\n');
    expectRefusal(path, 'DatabaseCorrupt', false);
  });

  test('truncation, at a page and within one, even without a full check', () => {
    const path = filled(temporaryFolder());
    const size = statSync(path).size;
    const whole = `${path}.whole`;
    copyFileSync(path, whole);
    for (const length of [100, 3000, 4096, size - 4096, size - 1000, Math.floor(size / 2)]) {
      copyFileSync(whole, path);
      truncateSync(path, length);
      expectRefusal(path, 'DatabaseCorrupt', length === size - 1000);
    }
  });

  test('a page of noise is found by the check after an unclean exit', () => {
    const path = filled(temporaryFolder());
    const whole = readFileSync(path);
    const pages = whole.length / 4096;
    let refused = 0;
    for (let page = 1; page < pages; page++) {
      const damaged = Buffer.from(whole);
      damaged.fill(0xa5, page * 4096, (page + 1) * 4096);
      writeFileSync(path, damaged);
      expectRefusal(path, 'DatabaseCorrupt');
      refused += 1;
    }
    expect(refused).toBeGreaterThan(10);
  });

  test('a damaged log costs at most what it held', () => {
    const folder = temporaryFolder();
    const path = filled(folder);
    const database = openDatabase(path);
    createRun(database, newRun('in-the-log'));
    const copy = join(folder, 'copy.db');
    copyFileSync(path, copy);
    const log = readFileSync(`${path}-wal`);
    closeDatabase(database);
    for (const [name, bytes] of [
      ['whole', log],
      ['garbage', Buffer.alloc(log.length, 0x5a)],
      ['short', log.subarray(0, 40)],
    ] as const) {
      writeFileSync(`${copy}-wal`, bytes);
      rmSync(`${copy}-shm`, { force: true });
      const again = openDatabase(copy, { check: true });
      expect(listRuns(again, page).total, name).toBe(name === 'whole' ? 41 : 40);
      again.close();
      copyFileSync(path, copy);
      // `path` has the log's run by now: the copy must start from 40 again.
      const reset: Database = openDatabase(copy);
      reset.exec(`DELETE FROM runs WHERE run = 'in-the-log'`);
      closeDatabase(reset);
    }
  });

  test('moving the files aside, as the message advises, gives a fresh start', () => {
    const path = filled(temporaryFolder());
    truncateSync(path, 4096);
    expectRefusal(path, 'DatabaseCorrupt');
    renameSync(path, `${path}.damaged`);
    const database = openDatabase(path, { check: true });
    expect(listRuns(database, page).total).toBe(0);
    closeDatabase(database);
  });

  test('a folder that is not there is named', () => {
    expect(() => openDatabase(join(temporaryFolder(), 'absent', 'hopscope.db'))).toThrow();
  });
});
