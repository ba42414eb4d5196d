/**
 * The files that commands read and write: JSON read strictly, written whole or not at all, and folders of results.
 * What the files mean is for the commands to check.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type JsonValue, readJson } from '../engine/files/strict-json.ts';
import { writeAll, writeFileWhole, writeFolderWholeAsync } from '../engine/files/write-whole.ts';
import { HopscopeError } from '../shared/errors.ts';

const largestJson = 1 << 30;

/** Errors: `CannotRead`, `BadJson`. */
export function readJsonFile(path: string): JsonValue {
  return orCannotRead(path, () => readJson(path, { maximumBytes: largestJson }));
}

/** Errors: `CannotRead`. */
export function readTextFile(path: string): string {
  return orCannotRead(path, () => readFileSync(path, 'utf8'));
}

/** Errors: `CannotWrite`. */
export function writeJsonFile(path: string, value: unknown): void {
  writeFileWhole(path, (descriptor) => writeAll(descriptor, new TextEncoder().encode(`${JSON.stringify(value)}\n`)));
}

/**
 * Refuses a file to be written whose folder does not exist, so that nothing is computed in vain.
 * Errors: `CannotWrite`.
 */
export function requireWritableFile(path: string): void {
  const folder = dirname(resolve(path));
  if (!isFolder(folder)) throw new HopscopeError('CannotWrite', `${path} cannot be written: there is no folder ${folder}.`);
  if (isFolder(path)) throw new HopscopeError('CannotWrite', `${path} cannot be written: it is a folder; give a file's name.`);
}

/** Refuses a folder that already has one of `names`, or is a file. Errors: `FolderExists`, `CannotWrite`. */
export function requireRoomInFolder(folder: string, names: readonly string[]): void {
  if (!existsSync(folder)) return;
  if (!isFolder(folder)) throw new HopscopeError('CannotWrite', `${folder} is a file; give a folder for the results.`);
  const taken = names.find((name) => existsSync(join(folder, name)));
  if (taken !== undefined) {
    throw new HopscopeError('FolderExists', `${folder} has a ${taken} already; choose another folder or remove it.`);
  }
}

/**
 * Fills a folder with the entries `names`, all or none, through `fill`, which gets an empty folder to write them to. What else
 * an existing folder holds stays. Errors: those of `requireRoomInFolder`; `CannotWrite`.
 */
export async function writeFolderEntries(
  folder: string,
  names: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  requireRoomInFolder(folder, names);
  if (!existsSync(folder) || readdirSync(folder).length === 0) {
    await writeFolderWholeAsync(folder, fill);
    return;
  }
  const staging = join(folder, `.hopscope-${process.pid}`);
  await writeFolderWholeAsync(staging, fill);
  for (const name of names) renameSync(join(staging, name), join(folder, name));
  rmdirSync(staging);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function orCannotRead<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HopscopeError) throw error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const reason = code === 'ENOENT' ? 'there is no such file' : error instanceof Error ? error.message : String(error);
    throw new HopscopeError('CannotRead', `${path} cannot be read: ${reason}.`);
  }
}
