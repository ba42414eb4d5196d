/**
 * Writing files and folders whole or not at all: a temporary sibling is filled, synced, then renamed to its final name.
 * It knows nothing about what is written.
 */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
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
import { HopscopeError } from '../../shared/errors.ts';

/** Largest number of bytes handed to one system call; more than 2^31 - 1 is refused by some of them. */
const largestWrite = 1 << 30;

/**
 * Writes one file through `fill`, which gets an open descriptor. When `fill` or anything else fails, the temporary file is
 * removed and a file that was there before is untouched. Readers see the old file or the new one, never part of one.
 * @throws HopscopeError `CannotWrite` when the file system refuses; whatever `fill` throws.
 */
export function writeFileWhole(path: string, fill: (descriptor: number) => void): void {
  const target = resolve(path);
  const temporary = temporarySibling(target);
  const descriptor = orCannotWrite(target, () => openSync(temporary, 'wx', 0o644));
  let open = true;
  try {
    orCannotWrite(target, () => {
      fill(descriptor);
      fsyncSync(descriptor);
      open = false;
      closeSync(descriptor);
      renameSync(temporary, target);
      syncFolder(dirname(target));
    });
  } catch (error) {
    if (open) closeSync(descriptor);
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes one folder through `fill`, which gets the path of an empty temporary folder beside the target. Files in it should
 * be written with `writeFileWhole`, which syncs them.
 * @throws HopscopeError `FolderExists` when the target exists and is not an empty folder, `CannotWrite` when the file system
 * refuses; whatever `fill` throws.
 */
export function writeFolderWhole(path: string, fill: (temporaryFolder: string) => void): void {
  const target = resolve(path);
  if (existsSync(target) && !isEmptyFolder(target)) {
    throw new HopscopeError(
      'FolderExists',
      `${target} is already there and not empty. Choose another folder or remove this one.`,
    );
  }
  const temporary = temporarySibling(target);
  orCannotWrite(target, () => mkdirSync(temporary, { recursive: true }));
  try {
    orCannotWrite(target, () => {
      fill(temporary);
      syncFolder(temporary);
      // Not every system renames over an empty folder.
      if (existsSync(target)) rmdirSync(target);
      renameSync(temporary, target);
      syncFolder(dirname(target));
    });
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Writes all bytes at the descriptor's position; one system call may take fewer than it was given. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, largestWrite));
  }
}

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
    const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
    if (code === undefined || error instanceof HopscopeError) throw error;
    const reason =
      code === 'ENOSPC' ? 'the disk is full' : code === 'ENOENT' ? 'its folder does not exist' : (error as Error).message;
    throw new HopscopeError('CannotWrite', `${target} could not be written: ${reason}. Nothing was left behind.`, 'failure');
  }
}
