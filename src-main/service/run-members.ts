/**
 * What the service answers about runs under way, about many at once and about single items: the queue, halting, titles, deleting together,
 * and an item's other runs. Starting, stopping and reading runs is service.ts's.
 */
import { getContinuations } from '../database/continuations.ts';
import { getItemTwins } from '../database/item-twins.ts';
import type { Database } from '../database/open.ts';
import { deleteRuns, renameRun, restoreRuns, stateOf, titlesOf } from '../database/runs.ts';
import type { RunService } from '../shared/contract-runs.ts';
import { HopscopeError } from '../shared/errors.ts';
import { longestTitle } from '../shared/name-lengths.ts';
import type { RunState } from '../shared/records.ts';
import type { Queue } from './queue.ts';
import { requireName, requireNumber, requireText } from './require.ts';

const mostRuns = 100_000;

/** `changed` is told of every run that was deleted or brought back. */
export function runMembers(database: Database, queue: Queue, changed: (run: string, state: RunState) => void): RunService {
  return {
    async queue() {
      const entries = queue.entries();
      const titles = titlesOf(
        database,
        entries.map(({ run }) => run),
      );
      return entries.map((entry) => ({ ...entry, title: titles.get(entry.run) ?? entry.run }));
    },
    pauseRun: async (run) => queue.setPaused(run, true),
    resumeRun: async (run) => queue.setPaused(run, false),

    async renameRun(run, title) {
      const state = stateOf(database, requireText(run, 'run'));
      renameRun(database, run, requireName(title, longestTitle));
      changed(run, state);
    },

    async deleteRuns(runs) {
      const deleted = deleteRuns(database, requireRuns(runs), new Date().toISOString());
      for (const { run, state } of deleted) changed(run, state);
      return { deleted: deleted.map(({ run }) => run) };
    },
    async restoreRuns(runs) {
      for (const { run, state } of restoreRuns(database, requireRuns(runs))) changed(run, state);
    },

    async itemTwins(run, set, item) {
      if (typeof run !== 'string' || typeof set !== 'string' || !Number.isSafeInteger(item)) {
        throw new HopscopeError('BadArgument', "An item is asked for by its run's name, its list's name and its index.");
      }
      return getItemTwins(database, run, set, item);
    },

    async continuations(run, set, item) {
      stateOf(database, requireText(run, 'run'));
      const list = set === undefined ? undefined : requireText(set, 'set');
      return getContinuations(database, run, list, item === undefined ? undefined : requireNumber(item, 'item'));
    },
  };
}

function requireRuns(runs: unknown): string[] {
  if (!Array.isArray(runs) || runs.length > mostRuns || !runs.every((run) => typeof run === 'string'))
    throw new HopscopeError('BadArgument', `runs is not a list of up to ${mostRuns} names of runs.`);
  return runs;
}
