/** Freezing exactly one module: sets that are all matrices but a few train and keep what the same matrices by name do. */
import { expect, test } from 'vitest';
import { type Trainable, trainableNames } from '../../src-main/engine/models/parameters.ts';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import { fixturePath, openFixtureModel, readFixture } from '../parity/fixture.ts';

const compute = createCompute({ resources: fixturePath() });
const { parameters } = openFixtureModel('llama').outline;
const namesOf = (trainable: Trainable) => [...trainableNames(parameters, trainable)];
const except = { except: { layers: [1], modules: ['mlp' as const] } };

const specOf = (others: Record<string, Json>): ExperimentSpec =>
  ({
    experiment: 'layer-freezing',
    model: fixturePath('models', 'llama'),
    dataset: readFixture<Record<string, Json>>('experiments', 'llama.json')['first-hop']!,
    lr: 1e-2,
    epochs: 1,
    seeds: [0],
    continuation_tokens: 0,
    collisions: 'merge',
    threads: 1,
    device: 'cpu',
    ...others,
  }) as ExperimentSpec;

interface Results {
  free_sets: Record<string, Json>;
  delta_norms: Record<string, number>;
}

test('in free sets and as what a run trains', async () => {
  const spec = specOf({ trainable: except, free_sets: { 'all but MLP 1': except, 'by name': namesOf(except) } });
  const { free_sets: sets, delta_norms: norms } = (await compute.execute('except', spec)) as unknown as Results;
  expect(sets['all but MLP 1']).toEqual(sets['by name']);
  const changed = Object.keys(norms).filter((name) => norms[name]! > 0);
  expect(changed.sort()).toEqual(namesOf(except).sort());
  expect(changed.some((name) => name.startsWith('model.layers.1.mlp'))).toBe(false);
});

test('adapters on all but those matrices', async () => {
  const spec = specOf({ trainable: { lora: { rank: 2, targets: 'all' } }, free_sets: { 'all but MLP 1': except } });
  const all = (await compute.execute('adapters', spec)) as unknown as Results;
  expect(Object.keys(all.delta_norms)).toContain('model.layers.1.mlp.up_proj.weight');
  expect(all.free_sets['all but MLP 1']).toBeDefined();
});

test('what leaves nothing to train is refused', async () => {
  const nothing = specOf({ free_sets: { none: { except: { layers: [0, 1, 2] } } } });
  await expect(compute.preview(nothing)).rejects.toMatchObject({ code: 'BadTrainable' });
  await expect(compute.preview(specOf({ trainable: { except: { layers: [] } } }))).rejects.toMatchObject({
    code: 'BadTrainable',
  });
  await expect(compute.preview(specOf({ trainable: { except: { heads: [0] } } }))).rejects.toMatchObject({ code: 'BadValue' });
});
