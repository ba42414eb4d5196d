/**
 * Opens the database file: checks it before touching it, sets what durability needs, brings its schema up to date.
 * The only file that imports better-sqlite3; what is asked of the tables is in runs.ts and measurements.ts.
 */
import { closeSync, existsSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { HopscopeError } from '../shared/errors.ts';
import { migrations as allMigrations, type Migration } from './migrations/index.ts';

export type Database = Sqlite.Database;

/** How long a statement waits for another process's write, in milliseconds. */
const busyTimeout = 5000;

/** SQLite before this could lose commits when two connections checkpointed a WAL at once (sqlite.org/wal.html, "the WAL-reset bug"). */
const oldestSafeVersion = [3, 51, 3] as const;

export interface OpenSettings {
  /** Look through the whole file first, as after an unclean exit. */
  check?: boolean;
  migrations?: readonly Migration[];
}

/**
 * The database at `path`, created if absent.
 * Errors: `DatabaseCorrupt`, `DatabaseTooNew` (in both the files are left as they were), `DatabaseUnwritable`, `DatabaseBusy`, `SqliteTooOld`.
 */
export function openDatabase(path: string, settings: OpenSettings = {}): Database {
  const migrations = settings.migrations ?? allMigrations;
  // The real path: a second name for the file would have a second -wal beside it.
  const file = existsSync(path) ? realpathSync(path) : join(realpathSync(dirname(path)), basename(path));
  return translateErrors(file, () => {
    if (existsSync(file) && statSync(file).size > 0) inspect(file, migrations.length, settings.check ?? false);
    const database = new Sqlite(file, { timeout: busyTimeout });
    try {
      refuseOldSqlite(database);
      // Network drives refuse WAL without an error; DELETE is as safe there, only slower.
      if (setWal(database) !== 'wal') database.pragma('journal_mode = DELETE');
      database.pragma('synchronous = FULL');
      database.pragma('fullfsync = ON'); // macOS only: fsync alone leaves data in the drive's cache
      database.pragma('foreign_keys = ON');
      database.pragma('trusted_schema = OFF');
      migrate(database, migrations);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Runs `work` in one write transaction. Errors of SQLite come as named ones: `DiskFull`, `DatabaseBusy`, `DatabaseCorrupt`, ... */
export function inTransaction<T>(database: Database, work: () => T): T {
  return translateErrors(database.name, () => database.transaction(work).immediate());
}

/** Runs queries that only read; errors as in `inTransaction`. */
export function reading<T>(database: Database, work: () => T): T {
  return translateErrors(database.name, work);
}

/** Empties the write-ahead log into the file and closes. */
export function closeDatabase(database: Database): void {
  if (!database.open) return;
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // Another process reads just now: the last one to close, or the next to open, does it.
  }
  database.close();
}

/** Whether a write-ahead log with content lies beside the file: someone has it open, or did not close it. */
export function hasLog(path: string): boolean {
  return existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;
}

/** The version of SQLite in use. */
export function sqliteVersion(database: Database): string {
  return database.prepare('SELECT sqlite_version()').pluck().get() as string;
}

/**
 * Takes the kernel lock on a small file of its own, for as long as the process lives or until `release`.
 * Returns null when another holds it. The file is created if absent; nothing is ever written to it.
 */
export function lockFile(path: string, wait = 0): { release(): void } | null {
  const database = new Sqlite(path, { timeout: wait });
  try {
    database.pragma('journal_mode = MEMORY'); // no second file
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null;
    throw error;
  }
}

/** Reads a file that is there without changing it. */
function inspect(file: string, known: number, check: boolean): void {
  const header = Buffer.alloc(16);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, 16, 0);
  } finally {
    closeSync(descriptor);
  }
  if (header.toString('latin1') !== 'SQLite format 3\0') throw corrupt(file, 'it does not begin like a database');
  const database = new Sqlite(file, { readonly: true, timeout: busyTimeout });
  try {
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version > known) {
      throw new HopscopeError(
        'DatabaseTooNew',
        `The database ${file} has schema ${version}, and this version of Hopscope knows up to ${known}: use the newer version that wrote it, or another data folder (--data).`,
      );
    }
    const found = check ? (database.pragma('quick_check(1)', { simple: true }) as string) : 'ok';
    if (found !== 'ok') throw corrupt(file, found);
  } finally {
    database.close();
  }
}

/** Two processes that open a new file at the same moment: one of them is refused without waiting, so it asks again. */
function setWal(database: Database): unknown {
  for (let attempt = 1; ; attempt++) {
    try {
      return database.pragma('journal_mode = WAL', { simple: true });
    } catch (error) {
      if (attempt === 50 || !(error instanceof Sqlite.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 + (attempt % 7));
    }
  }
}

/** Each version in a transaction of its own, so that a kill leaves the old or the new schema. */
function migrate(database: Database, migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries()) {
    database
      .transaction(() => {
        // Read inside the transaction: another process may have migrated while this one waited.
        if ((database.pragma('user_version', { simple: true }) as number) > index) return;
        database.exec(migration.sql);
        database.pragma(`user_version = ${index + 1}`);
      })
      .immediate();
  }
}

function refuseOldSqlite(database: Database): void {
  const version = sqliteVersion(database);
  const parts = version.split('.').map(Number);
  const difference = oldestSafeVersion.map((part, index) => (parts[index] ?? 0) - part).find((part) => part !== 0) ?? 0;
  if (difference < 0) {
    throw new HopscopeError(
      'SqliteTooOld',
      `SQLite ${version} can lose commits; reinstall the dependencies (npm ci).`,
      'failure',
    );
  }
}

function corrupt(file: string, reason: string): HopscopeError {
  return new HopscopeError(
    'DatabaseCorrupt',
    `The database ${file} is damaged (${reason}). It was left as it is: move it and its -wal and -shm files together to a safe place to start afresh; "sqlite3 FILE .recover" can often save what it holds.`,
    'failure',
  );
}

function translateErrors<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error;
    const { code, message } = error;
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) throw corrupt(file, message);
    if (code === 'SQLITE_FULL') throw failure('DiskFull', `There is no space left for ${file}: free some, then try again.`);
    if (code.startsWith('SQLITE_BUSY'))
      throw failure('DatabaseBusy', `Another program has kept ${file} locked for ${busyTimeout / 1000} s: close it.`);
    if (/^SQLITE_(READONLY|CANTOPEN|PERM|IOERR)/.test(code)) {
      throw failure(
        'DatabaseUnwritable',
        `${file} cannot be written (${message}): check its folder's permissions and the disk, or choose another with --data.`,
      );
    }
    throw error;
  }
}

function failure(code: string, message: string): HopscopeError {
  return new HopscopeError(code, message, 'failure');
}
