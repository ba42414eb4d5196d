/**
 * The answers of fake-host.ts about kept weights: one training for each seed, ranks and losses by formula, paths kept in memory. One run's
 * weights are large and slow. None of its numbers are measurements.
 */
import type { DialPath, WeightsService } from '../../src-main/shared/contract-weights.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { createEvent } from '../../src-main/shared/event.ts';
import type { KeptWeights, RunDetail } from '../../src-main/shared/records.ts';
import { fakeNow, fakeSets, noise } from './fake-rows.ts';

const layers = 8;

/** Runs that keep weights; the second one's take a while. */
const keeping = ['run-finished', 'run-long', 'run-extractive-scores'];

export function createFakeWeights(find: (run: string) => RunDetail): WeightsService {
  const progress = createEvent<{ dial: string; done: number; total: number }>();
  const paths = new Map<number, DialPath & { run: string; deleted: boolean }>();

  const keptOf = (run: string): KeptWeights[] =>
    keeping.includes(find(run).run)
      ? [0, 1, 2].map((seed) => ({
          seed,
          stage: 'finetune',
          file: `${run}/finetune.seed-${seed}.safetensors`,
          form: 'values',
          bytes: run === 'run-long' ? 200_000_000 : 5_240_000,
          hash: '3f6c1a54b1c04c1f8f5f3b8d2a0e9c774ad0be7c1fa6d1a4a5a9a2f0f14c9b7d',
        }))
      : [];

  function mark(path: number, deleted: boolean): void {
    const found = paths.get(path);
    if (found === undefined || found.deleted === deleted) throw new HopscopeError('PathNotFound', `There is no path ${path}.`);
    found.deleted = deleted;
  }

  return {
    keptWeights: async (run) => keptOf(run),
    keptOfModel: async (path) =>
      path === 'small-world'
        ? keptOf('run-finished').map(({ seed, stage }) => {
            const { run, title } = find('run-finished');
            return { run, title, created: new Date(fakeNow).toISOString(), seed, stage };
          })
        : [],
    async dial({ run, seed }, strengths, dial, signal) {
      const slow = run === 'run-long';
      for (let step = 0; slow && step < 30 && !signal?.aborted; step++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        progress.emit({ dial, done: step, total: 30 });
      }
      if (signal?.aborted) throw new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted');
      const mean = strengths.reduce((sum, { strength }) => sum + strength, 0) / strengths.length;
      return {
        sets: fakeSets().map(({ set, candidates, pairs }, list) => {
          const distance = Math.min(1, Math.abs(1 - mean) ** 1.5 + 0.1 * list);
          const ranks = pairs.map((_, item) => Math.round(noise(item, seed, list) * (candidates.length - 1) * distance));
          const meanRank = ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
          return { set, meanRank, loss: 0.1 + 4 * distance, ranks };
        }),
        layers,
        seconds: slow ? 3 : 0.02,
        residency: 'memory',
      };
    },
    onDial: progress.subscribe,
    dialPaths: async (run) => [...paths.values()].filter((path) => path.run === run && !path.deleted),
    async saveDialPath({ run, seed, stage }, points) {
      const path = paths.size + 1;
      paths.set(path, { path, run, seed, stage, points, created: new Date(fakeNow).toISOString(), deleted: false });
      return { path };
    },
    deleteDialPath: async (path) => mark(path, true),
    restoreDialPath: async (path) => mark(path, false),
  };
}
