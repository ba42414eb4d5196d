/**
 * Where data lives: the folder's place on each platform, its creation, its free space, the names of what is in it.
 * It opens none of the files it names.
 */
import { accessSync, constants, mkdirSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { HopscopeError } from '../shared/errors.ts';

/** Bytes that must be free before a run starts. */
export const spaceForRun = 256 * 2 ** 20;

/** `option` (`--data`), else HOPSCOPE_DATA, else this platform's folder for a user's data. */
export function dataFolderPath(
  option: string | undefined,
  environment: { [name: string]: string | undefined } = process.env,
  platform: string = process.platform,
): string {
  const chosen = option ?? environment.HOPSCOPE_DATA;
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Hopscope');
  if (platform === 'win32') return join(environment.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'Hopscope');
  const base = environment.XDG_DATA_HOME;
  // The XDG specification has relative paths ignored.
  return join(base?.startsWith('/') ? base : join(homedir(), '.local', 'share'), 'hopscope');
}

/** Where runs keep what memory does not hold. */
export const scratchPath = (folder: string): string => join(folder, 'scratch');

/** Creates the folder, for its user alone, and returns its real path. Errors: `DataFolderUnusable`. */
export function prepareDataFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const real = realpathSync(path);
    if (!statSync(real).isDirectory()) throw new Error('it is not a folder');
    accessSync(real, constants.R_OK | constants.W_OK | constants.X_OK);
    return real;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HopscopeError(
      'DataFolderUnusable',
      `The data folder ${path} cannot be used (${reason}): choose another with --data or HOPSCOPE_DATA.`,
    );
  }
}

/** Errors: `DiskFull` where fewer than `bytes` are free. */
export function requireSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const [have, need] = [free, bytes].map((amount) => `${Math.floor(amount / 2 ** 20)} MiB`);
  throw new HopscopeError(
    'DiskFull',
    `The disk of ${folder} has ${have} free and a run needs ${need}: free some space.`,
    'failure',
  );
}

export function databasePath(folder: string): string {
  return join(folder, 'hopscope.db');
}

export function locksPath(folder: string): string {
  return join(folder, 'locks');
}
