/**
 * Generated answers about runs under way and single items for fake-host.ts: the queue, halting, an item's other runs.
 * Made up by formula and the same every time.
 */
import type { RunService } from '../../src-main/shared/contract-runs.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { RunState, RunSummary } from '../../src-main/shared/records.ts';
import { fakeSets, noise } from './fake-rows.ts';

interface Runs {
  listed(): RunSummary[];
  changed(run: string, state: RunState): void;
  /** Takes a halted run further. */
  advance(run: string): void;
}

/** `paused` holds the halted runs. */
export function createFakeRuns({ listed, changed, advance }: Runs, paused: Set<string>): RunService {
  function running(run: string): void {
    if (!listed().some((entry) => entry.run === run && entry.state === 'running')) {
      throw new HopscopeError('RunNotRunning', `Run ${run} is not running.`);
    }
  }
  return {
    queue: async () =>
      listed()
        .filter(({ state }) => state === 'running' || state === 'queued')
        .sort((a, b) => Number(b.state === 'running') - Number(a.state === 'running'))
        .map(({ run, state }) => ({ run, running: state === 'running', paused: paused.has(run) })),
    async pauseRun(run) {
      running(run);
      paused.add(run);
      changed(run, 'running');
    },
    async resumeRun(run) {
      running(run);
      paused.delete(run);
      changed(run, 'running');
      advance(run);
    },
    async itemTwins(run, set, item) {
      const known = fakeSets().some((entry) => entry.set === set && item < entry.pairs.length);
      if (!known) throw new HopscopeError('ItemNotFound', `Run ${run} has no item ${item} in a list called "${set}".`);
      return listed()
        .filter((entry) => entry.run !== run && entry.state === 'finished')
        .slice(0, 5)
        .map((entry, place) => ({
          run: entry.run,
          title: entry.title,
          created: entry.created,
          set,
          item,
          stage: 'finetune',
          ranks: [0, 1, 2].map((seed) => ({ seed, rank: Math.floor(4 * noise(place, seed, item)) })),
        }));
    },
  };
}
