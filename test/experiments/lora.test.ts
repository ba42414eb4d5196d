/** Experiments whose spec asks for low-rank adapters: facts are learned, and grafting, freezing and scores take the adapters' change like any other. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';

const compute = createCompute({ resources: join(import.meta.dirname, '../../resources') });
const common = { model: 'small-world', device: 'cpu', threads: 1, seeds: [0], lr: 5e-3 };
const run = async <T>(spec: { experiment: string } & Record<string, Json>): Promise<T> =>
  (await compute.execute('lora', { ...common, ...spec } as unknown as ExperimentSpec)) as unknown as T;

interface Ranks {
  fact_rank: { mean: number };
  implication_rank: { mean: number };
}
interface FreezingResults {
  delta_norms: Record<string, number>;
  during_training: Record<string, { delta_norms: Record<string, number> }>;
  free_sets: Record<string, Record<'during' | 'after', Record<string, { mean_rank: number }>>>;
  summary: (Ranks & { when: string; frozen: string })[];
}

test('ocr: adapters on all maps learn the facts and most of what they imply, the default ones less', async () => {
  const ranks = async (trainable: Json) => {
    const { epochs } = await run<{ epochs: { fact_rank: number; implication_rank: number }[] }>({
      experiment: 'ocr',
      epochs: 5,
      trainable,
    });
    return { before: epochs[0]!, after: epochs.at(-1)! };
  };
  const all = await ranks({ lora: { rank: 8, alpha: 16, targets: 'all' } });
  expect(all.before.fact_rank).toBeGreaterThan(20);
  expect(all.after.fact_rank).toBeLessThan(1);
  expect(all.after.implication_rank).toBeLessThan(all.before.implication_rank / 2);
  const few = await ranks('lora');
  expect(few.before).toEqual(all.before);
  expect(few.after.fact_rank).toBeLessThan(few.before.fact_rank / 2);
});

test('layer freezing: adapters of the free layers alone train, and what is kept after training is theirs', async () => {
  const results = await run<FreezingResults>({
    experiment: 'layer-freezing',
    epochs: 2,
    trainable: { lora: { targets: 'all' } },
    split: 4,
    free_sets: { 'MLPs of 0 and 1': { layers: [0, 1], modules: ['mlp'] } },
  });
  const layersOf = (norms: Record<string, number>) =>
    [...new Set(Object.keys(norms).map((name) => Number(/layers\.(\d+)\./.exec(name)![1])))].sort();
  expect(layersOf(results.delta_norms)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(layersOf(results.during_training.early!.delta_norms)).toEqual([4, 5]);
  expect(layersOf(results.during_training.late!.delta_norms)).toEqual([0, 1, 2, 3]);
  for (const norm of Object.values(results.delta_norms)) expect(norm).toBeGreaterThan(0);
  const rank = (when: string, frozen: string) =>
    results.summary.find((row) => row.when === when && row.frozen === frozen)!.fact_rank.mean;
  expect(rank('after', 'none')).toBeLessThan(rank('after', 'all') / 2);
  expect(rank('after', 'late')).toBeLessThan(rank('after', 'all'));
  const { during, after } = results.free_sets['MLPs of 0 and 1']!;
  for (const details of [during, after]) expect(details.train!.mean_rank).toBeLessThan(rank('after', 'all'));
});

test('sets without any adapter are refused before anything trains', async () => {
  const preview = (given: Record<string, Json>) =>
    compute.preview({ ...common, experiment: 'layer-freezing', ...given } as unknown as ExperimentSpec);
  await expect(preview({ trainable: 'lora', free_sets: { mlps: { layers: [0], modules: ['mlp'] } } })).rejects.toMatchObject({
    code: 'BadTrainable',
  });
  await expect(preview({ trainable: { lora: { layers: [5] } } })).rejects.toMatchObject({ code: 'BadTrainable' });
  await expect(preview({ trainable: { lora: { rank: 0 } } })).rejects.toMatchObject({
    code: 'BadValue',
    message: expect.stringContaining('rank 0'),
  });
  await expect(preview({ trainable: { lora: {}, layers: [0] } })).rejects.toMatchObject({ code: 'BadValue' });
});

test('weight grafting: the change of one training goes onto another', async () => {
  const { training, results } = await run<{
    training: Record<string, { epochs: Record<string, { mean_rank: number }>[] }>;
    results: Record<string, Record<string, { mean_rank: number; loss: number }>>;
  }>({ experiment: 'weight-grafting', epochs: 2, trainable: { lora: { targets: 'all' } } });
  const { epochs } = Object.values(training)[0]!;
  expect(epochs.at(-1)!.left!.mean_rank).toBeLessThan(epochs[0]!.left!.mean_rank / 2);
  const losses = Object.values(results).map((lists) => lists.left_2!.loss);
  expect(losses.length).toBeGreaterThan(1);
  expect(new Set(losses).size).toBe(losses.length);
});

test('extractive scores: maps without an adapter do not change and score 0', async () => {
  const { average } = await run<{ average: Record<string, { values: number[] }> }>({
    experiment: 'extractive-scores',
    epochs: 1,
    trainable: 'lora',
  });
  const maps = Object.entries(average).filter(([name]) => /^informative\.\w+_proj$/.test(name));
  // With ff_proj, the sum of gate_proj and up_proj
  expect(maps).toHaveLength(8);
  for (const [name, { values }] of maps) {
    const changes = name === 'informative.q_proj' || name === 'informative.v_proj';
    expect(
      values.some((value) => value !== 0),
      name,
    ).toBe(changes);
  }
});
