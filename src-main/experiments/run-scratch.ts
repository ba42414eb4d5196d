/**
 * Folders for what runs keep on disk while they run: one per run, with the process that made it, so that what a dead process left can be removed.
 * What is in them is training's.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScratchPlace } from '../engine/training/scratch-state.ts';

const ownerName = 'owner';

/** Where the trainings of one run keep their state. */
export interface RunScratch {
  /** A place for one more training. */
  next(): ScratchPlace;
  /** Removes what trainings have kept so far; their weights cannot be read afterwards. */
  clear(): void;
}

/** Makes the run's folder. */
export function makeRunScratch(folder: string, run: string, groups: number): RunScratch {
  const place = join(folder, run);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  writeFileSync(join(place, ownerName), String(process.pid));
  let trainings = 0;
  return {
    next() {
      const name = `training-${trainings++}`;
      return { folder: join(place, name), key: name, groups };
    },
    clear() {
      for (const name of namesIn(place)) if (name !== ownerName) removeRunScratch(place, name);
    },
  };
}

export function removeRunScratch(folder: string, run: string): void {
  rmSync(join(folder, run), { recursive: true, force: true });
}

/** Removes the folders of processes that are no more. */
export function removeDeadScratch(folder: string): void {
  for (const run of namesIn(folder)) if (!isAlive(ownerOf(join(folder, run)))) removeRunScratch(folder, run);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function ownerOf(place: string): number {
  try {
    return Number(readFileSync(join(place, ownerName), 'utf8'));
  } catch {
    return Number.NaN;
  }
}

function isAlive(owner: number): boolean {
  if (!Number.isInteger(owner) || owner <= 0) return false;
  try {
    return process.kill(owner, 0);
  } catch (error) {
    // It is another user's
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
