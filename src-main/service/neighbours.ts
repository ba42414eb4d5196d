/**
 * Looks after what other programs do in the same data folder: tells of their runs' changes, passes their wish to stop one of ours,
 * and ends the runs of those that died. It never touches a run whose owner lives.
 */
import type { Database } from '../database/open.ts';
import type { OwnerLock } from '../database/owner-lock.ts';
import { activeOwners, activeRunsOfOthers, interruptRunsOf, stateOf, stopRequests } from '../database/runs.ts';
import { errorRecord, HopscopeError } from '../shared/errors.ts';
import type { RunState } from '../shared/records.ts';

/** Between two looks, in milliseconds; a look at an unchanged database costs microseconds. */
const interval = 500;

/** Looks between two checks whether the other owners live. */
const looksPerCheck = 8;

export interface Neighbours {
  /** Stops looking. */
  close(): void;
}

/** Ends the unfinished runs of dead owners and returns their names. */
export function interruptDeadOwners(database: Database, lock: OwnerLock): string[] {
  const error = errorRecord(
    new HopscopeError(
      'HostDied',
      'The program that ran this ended before it did. What was measured is kept; start the run again.',
      'failure',
    ),
  );
  return activeOwners(database)
    .filter((owner) => !lock.isAlive(owner))
    .flatMap((owner) => interruptRunsOf(database, owner, new Date().toISOString(), error));
}

export function watchNeighbours(
  database: Database,
  lock: OwnerLock,
  notices: { changed(run: string, state: RunState): void; stopAsked(run: string): void },
): Neighbours {
  // Changes when another connection has committed, and never by this one's own writes.
  const version = () => database.pragma('data_version', { simple: true });
  let seen = version();
  let active = new Set(activeRunsOfOthers(database, lock.owner));
  let looks = 0;

  function look(): void {
    looks += 1;
    if (active.size > 0 && looks % looksPerCheck === 0) {
      for (const run of interruptDeadOwners(database, lock)) {
        active.delete(run);
        notices.changed(run, 'interrupted');
      }
    }
    const current = version();
    if (current === seen) return;
    for (const run of stopRequests(database, lock.owner)) notices.stopAsked(run);
    const now = activeRunsOfOthers(database, lock.owner);
    for (const run of new Set([...active, ...now])) {
      try {
        notices.changed(run, stateOf(database, run));
      } catch {
        // Deleted meanwhile: nothing to tell.
      }
    }
    active = new Set(now);
    // Last, so that a look that failed is taken again.
    seen = current;
  }

  const timer = setInterval(() => {
    try {
      look();
    } catch {
      // Busy or damaged: whoever asks for something next hears of it by name.
    }
  }, interval);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
