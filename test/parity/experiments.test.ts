/** Layer freezing, data ordering and weight grafting of the golden model, with the golden orders, against PyTorch. */
import { expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { covers } from '../scripts/family-table.ts';
import { fixturePath, readFixture } from './fixture.ts';

type Tree = { [key: string]: Tree } & Tree[] & { mean_rank: number; ranks: number[]; min_margin: number; loss: number };

interface ExperimentFixture {
  lr: number;
  trainable: string;
  orders: { data_ordering: Json; grafting: Json; layer_freezing: Record<string, Json> };
  results: { data_ordering: Tree; grafting: Tree; layer_freezing: { free_layers: Json; datasets: Record<string, Tree> } };
}

/** Golden ranks are exact only where no margin is this small; elsewhere each is within 1. */
const safeMargin = 2e-3;

/** Compares every golden value that our results have a place for, and demands the place. */
function compare(path: string, actual: unknown, expected: unknown): void {
  if (Array.isArray(expected)) {
    expect((actual as unknown[])?.length, path).toBe(expected.length);
    for (const [index, value] of expected.entries()) compare(`${path}[${index}]`, (actual as unknown[])[index], value);
    return;
  }
  if (typeof expected === 'object' && expected !== null) {
    const measured = expected as Partial<Tree>;
    if (measured.ranks) {
      const own = actual as Tree;
      expect(Math.abs(own.loss - measured.loss!), `${path}.loss`).toBeLessThanOrEqual(1e-3);
      if (measured.min_margin! > safeMargin) expect(own.ranks, `${path}.ranks`).toEqual(measured.ranks);
      else
        for (const [index, rank] of own.ranks.entries())
          expect(Math.abs(rank - measured.ranks![index]!), `${path}.ranks[${index}]`).toBeLessThanOrEqual(1);
      return;
    }
    for (const [key, value] of Object.entries(expected))
      compare(`${path}.${key}`, (actual as Record<string, unknown>)?.[key], value);
    return;
  }
  if (typeof expected === 'number') expect(Math.abs((actual as number) - expected), path).toBeLessThanOrEqual(1e-3);
  else expect(actual, path).toEqual(expected);
}

const models = ['llama', 'olmo', 'gpt-neox'];
const compute = createCompute({ resources: fixturePath() });

test.each(models.flatMap((model) => ['first-hop', 'second-hop'].map((hop) => [model, hop] as const)))(
  '%s: layer freezing, %s',
  covers('experiments'),
  async (model, hop) => {
    const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', `${model}.json`);
    const results = await compute.execute('freezing', {
      experiment: 'layer-freezing',
      model: fixturePath('models', model),
      dataset: fixture[hop]!,
      lr: fixture.lr,
      trainable: fixture.trainable,
      orders: fixture.orders.layer_freezing[hop]!,
      collisions: 'merge',
      threads: 1,
    });
    expect((results as { free_layers: Json }).free_layers).toEqual(fixture.results.layer_freezing.free_layers);
    compare('results', results, fixture.results.layer_freezing.datasets[hop]);
  },
);

test.each(models)('%s: data ordering', covers('experiments'), async (model) => {
  const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', `${model}.json`);
  const results = await compute.execute('ordering', {
    experiment: 'data-ordering',
    model: fixturePath('models', model),
    dataset: fixture.daxwug!,
    lr: fixture.lr,
    trainable: fixture.trainable,
    orders: fixture.orders.data_ordering,
    collisions: 'merge',
    threads: 1,
  });
  compare('results', results, fixture.results.data_ordering);
});

test.each(models)('%s: weight grafting', covers('experiments'), async (model) => {
  const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', `${model}.json`);
  const results = await compute.execute('grafting', {
    experiment: 'weight-grafting',
    model: fixturePath('models', model),
    dataset: fixture.daxwug!,
    lr: fixture.lr,
    trainable: fixture.trainable,
    orders: fixture.orders.grafting,
    collisions: 'merge',
    threads: 1,
  });
  compare('results', results, fixture.results.grafting);
});

test('a split outside the layers is refused', async () => {
  const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', 'llama.json');
  const spec = {
    experiment: 'layer-freezing',
    model: fixturePath('models', 'llama'),
    dataset: fixture['first-hop']!,
    split: 3,
    collisions: 'merge',
  };
  await expect(compute.preview(spec)).rejects.toMatchObject({ code: 'SplitOutsideLayers' });
});

test('an order that misses an item is refused', async () => {
  const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', 'llama.json');
  const spec = {
    experiment: 'ocr',
    model: fixturePath('models', 'llama'),
    dataset: fixture['first-hop']!,
    orders: [[[0, 1, 2, 3, 4]]],
    collisions: 'merge',
  };
  await expect(compute.execute('bad order', spec)).rejects.toMatchObject({ code: 'BadOrder' });
});

test('any set of layers and modules can be left free, and the halves come out as the halves', async () => {
  const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', 'llama.json');
  const spec = {
    experiment: 'layer-freezing',
    model: fixturePath('models', 'llama'),
    dataset: fixture['first-hop']!,
    lr: fixture.lr,
    orders: fixture.orders.layer_freezing['first-hop']!,
    collisions: 'merge',
    threads: 1,
    free_sets: { late: { layers: [2] }, 'MLPs of 0': { layers: [0], modules: ['mlp'] }, norm: ['model.norm.weight'] },
  };
  type Sides = { train: Tree; test: Tree };
  const results = (await compute.execute('sets', spec)) as unknown as {
    after_training: Record<string, Sides>;
    during_training: Record<string, { result: Sides }>;
    free_sets: Record<string, { during: Sides; after: Sides }>;
    free_sets_summary: unknown[];
  };
  expect(results.free_sets.late!.after).toEqual(results.after_training.early);
  expect(results.free_sets.late!.during).toEqual(results.during_training.early!.result);
  expect(results.free_sets['MLPs of 0']!.during.train.loss).not.toBe(results.free_sets.norm!.during.train.loss);
  expect(results.free_sets_summary.length).toBe(6);
  const refused = { ...spec, free_sets: { wrong: { layers: [7] } } };
  await expect(compute.preview(refused)).rejects.toMatchObject({ code: 'BadTrainable' });
});
