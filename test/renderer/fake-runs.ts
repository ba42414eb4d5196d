/**
 * Generated answers about runs under way and single items for fake-host.ts: the queue, halting, an item's other runs.
 * Made up by formula and the same every time.
 */

import type { RunQuery } from '../../src-main/shared/contract-projects.ts';
import type { RunService } from '../../src-main/shared/contract-runs.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { EvaluationRow, ItemSet, RunOutcome, RunSummary } from '../../src-main/shared/records.ts';
import { rankCurves, stagesOf, standing } from '../../src-renderer/measures/curves.ts';
import { fakeSets, noise } from './fake-rows.ts';

interface Runs {
  listed(): RunSummary[];
  /** Takes a halted run further. */
  advance(run: string): void;
  setDeleted(run: string, isDeleted: boolean): void;
  edit(run: string, edit: { title?: string; paused?: boolean }): void;
}

/** What the host would have stored of these evaluations. */
export function fakeOutcome(evaluations: readonly EvaluationRow[]): RunOutcome | null {
  const trained = stagesOf(evaluations).filter(
    (stage) => new Set(evaluations.filter((row) => row.stage === stage).map(({ epoch }) => epoch)).size > 1,
  );
  const stage = trained[0] ?? evaluations[0]?.stage;
  if (stage === undefined) return null;
  const lists = rankCurves(evaluations, [], stage).map((curve) => {
    const { before, latest } = standing(curve)!;
    return [curve.set, { first: before, last: latest }] as const;
  });
  return { stage, trainings: trained.length, lists: Object.fromEntries(lists) };
}

/** Runs that are newest first, as the host would sort them. */
export function sortedRuns(runs: readonly RunSummary[], sort: RunQuery['sort']): RunSummary[] {
  if (sort === undefined || sort.by === 'created') return sort?.descending === false ? [...runs].reverse() : [...runs];
  const { by, descending } = sort;
  const key = (run: RunSummary) =>
    by === 'facts' || by === 'implications' ? (run.outcome?.lists[by]?.last ?? null) : (run[by] ?? null);
  return [...runs].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return descending ? -order : order;
  });
}

/** `paused` holds the halted runs. */
export function createFakeRuns({ listed, advance, setDeleted, edit }: Runs, paused: Set<string>): RunService {
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
        .map(({ run, title, state }) => ({ run, title, running: state === 'running', paused: paused.has(run) })),
    async pauseRun(run) {
      running(run);
      paused.add(run);
      edit(run, { paused: true });
    },
    async resumeRun(run) {
      running(run);
      paused.delete(run);
      edit(run, { paused: false });
      advance(run);
    },
    async renameRun(run, title) {
      edit(run, { title });
    },
    async deleteRuns(runs) {
      const ended = listed().filter(({ run, state }) => runs.includes(run) && state !== 'running' && state !== 'queued');
      for (const { run } of ended) setDeleted(run, true);
      return { deleted: ended.map(({ run }) => run) };
    },
    async restoreRuns(runs) {
      for (const run of runs) setDeleted(run, false);
    },
    async continuations(_run, set, item) {
      const says = (list: ItemSet, each: number, seed: number, right: boolean) => {
        const [, answer] = list.pairs[each]!;
        const other = list.options[Math.floor(list.options.length * noise(each, seed, 7))]!;
        return right ? ` ${answer}. The people there` : ` ${noise(each, seed) < 0.5 ? other : 'the old town'} and the`;
      };
      return fakeSets()
        .filter((list) => set === undefined || list.set === set)
        .flatMap((list) =>
          [0, 1, 2].map((seed) => ({
            seed,
            stage: 'finetune',
            set: list.set,
            rows: list.pairs.flatMap((_, each) =>
              item === undefined || item === each
                ? [{ item: each, before: says(list, each, 9, false), after: says(list, each, seed, noise(each, seed, 3) < 0.7) }]
                : [],
            ),
          })),
        );
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
          epoch: 12,
          ranks: [0, 1, 2].map((seed) => ({ seed, rank: Math.floor(4 * noise(place, seed, item)) })),
        }));
    },
  };
}
