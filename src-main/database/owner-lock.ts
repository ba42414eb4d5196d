/**
 * Which process may run a run: each has a name of its own and, while it lives, a kernel lock on a file of that name.
 * It is not a lock on the data folder: several programs work in one folder, each on its own runs. The lock dies with its holder,
 * whatever killed it, so that a number given to a new process is never mistaken for the old one.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HopscopeError } from '../shared/errors.ts';
import { lockFile } from './open.ts';

const suffix = '.lock';

export interface OwnerLock {
  /** The name under which this process owns runs. */
  readonly owner: string;
  /** Whether a process of that name lives. */
  isAlive(owner: string): boolean;
  release(): void;
}

/** Takes a new name and its lock in `folder`. Errors: `OwnerLockFailed` where the file system has no working locks. */
export function takeOwnerLock(folder: string): OwnerLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let attempt = 0; attempt < 10; attempt++) {
    const owner = `${process.pid}-${randomBytes(6).toString('hex')}`;
    const path = join(folder, owner + suffix);
    const lock = lockFile(path, 1000);
    // A cleaner that came between creation and lock has removed the file: then nobody can see this lock, and another is taken.
    if (lock === null || !existsSync(path)) {
      lock?.release();
      continue;
    }
    return {
      owner,
      isAlive: (other) => other === owner || isHeld(join(folder, other + suffix)),
      release() {
        lock.release();
        remove(path);
      },
    };
  }
  throw new HopscopeError(
    'OwnerLockFailed',
    `No lock could be taken in ${folder}: use a local disk for the data folder (--data).`,
    'failure',
  );
}

/** Removes the locks of processes that died without releasing theirs, and counts both kinds. */
export function sweepOwnerLocks(folder: string): { dead: number; alive: number } {
  const counts = { dead: 0, alive: 0 };
  if (!existsSync(folder)) return counts;
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith(suffix))) {
    const path = join(folder, name);
    const lock = tryLock(path);
    if (lock === null) {
      counts.alive += 1;
    } else {
      // Removed while locked, so that whoever is about to lock it notices.
      remove(path);
      lock.release();
      remove(path);
      counts.dead += 1;
    }
  }
  return counts;
}

/** Windows removes no open file: then it is removed once closed, or by the next sweep. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays; nobody holds it.
  }
}

function isHeld(path: string): boolean {
  const lock = tryLock(path);
  lock?.release();
  return existsSync(path) && lock === null;
}

function tryLock(path: string): { release(): void } | null {
  // Opening would create it.
  if (!existsSync(path) || !statSync(path).isFile()) return { release() {} };
  return lockFile(path);
}
