/**
 * Asks before a large file is written whether its disk has room for it. It reserves nothing: other programs may fill the disk meanwhile.
 */
import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HopscopeError } from '../../shared/errors.ts';

/** Free bytes on the disk that `path` is, or would be, on. */
export function freeDiskSpace(path: string): number {
  let existing = resolve(path);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

/** Errors: `DiskFull` where fewer than `bytes` are free for what is to be written at `path`. */
export function requireDiskSpace(path: string, bytes: number): void {
  const free = freeDiskSpace(path);
  if (free >= bytes) return;
  const [have, need] = [Math.floor(free / 2 ** 20), Math.ceil(bytes / 2 ** 20)].map((amount) => `${amount} MiB`);
  throw new HopscopeError(
    'DiskFull',
    `The disk of ${path} has ${have} free and ${need} are to be written: free some space or choose a folder on another disk.`,
    'failure',
  );
}

/** Errors: `DiskTooSmall` where fewer than `bytes` are free for what is kept at `path` for a while. */
export function requireDiskFor(path: string, bytes: number): void {
  const free = freeDiskSpace(path);
  if (free >= bytes) return;
  const [have, need] = [free, bytes].map((amount) => `${(amount / 2 ** 30).toPrecision(3)} GiB`);
  throw new HopscopeError(
    'DiskTooSmall',
    `The disk of ${path} has ${have} free, and this needs ${need}. Free some, choose another folder, or train fewer parameters.`,
  );
}
