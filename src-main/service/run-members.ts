/**
 * What the service answers about runs under way and about single items: the queue, halting, and an item's other runs.
 * Starting, stopping and reading runs is service.ts's.
 */
import { getItemTwins } from '../database/item-twins.ts';
import type { Database } from '../database/open.ts';
import type { RunService } from '../shared/contract-runs.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Queue } from './queue.ts';

export function runMembers(database: Database, queue: Queue): RunService {
  return {
    queue: async () => queue.entries(),
    pauseRun: async (run) => queue.setPaused(run, true),
    resumeRun: async (run) => queue.setPaused(run, false),

    async itemTwins(run, set, item) {
      if (typeof run !== 'string' || typeof set !== 'string' || !Number.isSafeInteger(item)) {
        throw new HopscopeError('BadArgument', "An item is asked for by its run's name, its list's name and its index.");
      }
      return getItemTwins(database, run, set, item);
    },
  };
}
