/**
 * Writing files and folders whole or not at all: a temporary sibling is filled, synced, then renamed to its final name.
 * It knows nothing about what is written.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HopscopeError } from '../../shared/errors.ts';

/** Largest number of bytes handed to one system call; more than 2^31 - 1 is refused by some of them. */
const largestWrite = 1 << 30;

/**
 * Writes one file through `fill`, which gets an open descriptor. When `fill` or anything else fails, the temporary file is
 * removed and a file that was there before is untouched. Readers see the old file or the new one, never part of one.
 * @throws HopscopeError `CannotWrite` when the file system refuses; whatever `fill` throws.
 */
export function writeFileWhole(path: string, fill: (descriptor: number) => void): void {
  const file = new PartialFile(path);
  try {
    fill(file.descriptor);
    fsyncSync(file.descriptor);
    file.commit();
  } catch (error) {
    file.abandon();
    throw named(file.target, error);
  }
}

/**
 * The same for a `fill` that waits for what it writes. Syncing leaves the event loop free, since a file of gigabytes takes
 * seconds to reach the disk.
 */
export async function writeFileWholeAsync(path: string, fill: (descriptor: number) => Promise<void>): Promise<void> {
  const file = new PartialFile(path);
  try {
    await fill(file.descriptor);
    await syncWithoutBlocking(file.descriptor);
    file.commit();
  } catch (error) {
    file.abandon();
    throw named(file.target, error);
  }
}

/**
 * Writes one folder through `fill`, which gets the path of an empty temporary folder beside the target. Files in it should
 * be written with `writeFileWhole`, which syncs them.
 * @throws HopscopeError `FolderExists` when the target exists and is not an empty folder, `CannotWrite` when the file system
 * refuses; whatever `fill` throws.
 */
export function writeFolderWhole(path: string, fill: (temporaryFolder: string) => void): void {
  const folder = new PartialFolder(path);
  try {
    fill(folder.temporary);
    folder.commit();
  } catch (error) {
    folder.abandon();
    throw named(folder.target, error);
  }
}

/** The same for a `fill` that waits for what it writes. */
export async function writeFolderWholeAsync(path: string, fill: (temporaryFolder: string) => Promise<void>): Promise<void> {
  const folder = new PartialFolder(path);
  try {
    await fill(folder.temporary);
    folder.commit();
  } catch (error) {
    folder.abandon();
    throw named(folder.target, error);
  }
}

/** Writes all bytes at the descriptor's position; one system call may take fewer than it was given. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, largestWrite));
  }
}

/** A file under its temporary name, open for writing until it is committed or abandoned. */
class PartialFile {
  readonly target: string;
  readonly descriptor: number;
  private readonly temporary: string;
  private open = true;

  constructor(path: string) {
    this.target = resolve(path);
    this.temporary = temporarySibling(this.target);
    this.descriptor = orCannotWrite(this.target, () => openSync(this.temporary, 'wx', 0o644));
  }

  /** Gives the file, which is synced, its final name. */
  commit(): void {
    this.open = false;
    closeSync(this.descriptor);
    renameSync(this.temporary, this.target);
    syncFolder(dirname(this.target));
  }

  abandon(): void {
    if (this.open) closeSync(this.descriptor);
    rmSync(this.temporary, { force: true });
  }
}

/** A folder under its temporary name. */
class PartialFolder {
  readonly target: string;
  readonly temporary: string;

  constructor(path: string) {
    this.target = resolve(path);
    if (existsSync(this.target) && !isEmptyFolder(this.target)) {
      throw new HopscopeError(
        'FolderExists',
        `${this.target} is already there and not empty. Choose another folder or remove this one.`,
      );
    }
    this.temporary = temporarySibling(this.target);
    orCannotWrite(this.target, () => mkdirSync(this.temporary, { recursive: true }));
  }

  commit(): void {
    syncFolder(this.temporary);
    // Not every system renames over an empty folder.
    if (existsSync(this.target)) rmdirSync(this.target);
    renameSync(this.temporary, this.target);
    syncFolder(dirname(this.target));
  }

  abandon(): void {
    rmSync(this.temporary, { recursive: true, force: true });
  }
}

const syncWithoutBlocking = promisify(fsync);

/** In the same folder, so that the rename stays within one file system. */
function temporarySibling(target: string): string {
  return join(dirname(target), `.${basename(target)}.${process.pid}-${randomBytes(4).toString('hex')}.partial`);
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/** Makes a rename in the folder survive a power loss. Windows offers no such call and needs none. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function orCannotWrite<T>(target: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw named(target, error);
  }
}

/** An error of the file system as `CannotWrite`; any other as it is. */
function named(target: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
  if (code === undefined || error instanceof HopscopeError) return error;
  const reason =
    code === 'ENOSPC' ? 'the disk is full' : code === 'ENOENT' ? 'its folder does not exist' : (error as Error).message;
  return new HopscopeError('CannotWrite', `${target} could not be written: ${reason}. Nothing was left behind.`, 'failure');
}
