/** `hopscope scores` against the golden scores of the llama model, and what it refuses. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { readWeights, subtract, writeDelta } from '../../src-main/engine/files/weight-sets.ts';
import { floatTensor } from '../../src-main/engine/tensor.ts';
import { expectClose, fixturePath, readFixture, readTensors } from '../parity/fixture.ts';
import { refuse, succeed, temporaryFolder, writeJson } from './support.ts';

interface Fixture {
  test: [string, string][];
  options: string[];
  points: { counterfactuals: number[]; loss_old: number }[];
  accumulation: { prompt: string; answer: string };
}

const folder = temporaryFolder();
const fixture = readFixture<Fixture>('scores', 'llama.second-hop.json');
const model = fixturePath('models', 'llama');
const replaced = fixturePath('scores', 'llama.second-hop.new-weights.safetensors');
const dataset = {
  pairs: fixture.test,
  options: fixture.options,
  counterfactuals: fixture.points.map((point) => point.counterfactuals),
  accumulation: { prompt: fixture.accumulation.prompt, answer: fixture.accumulation.answer },
};

const command = (data: unknown, file: string, newWeights = replaced) => [
  'scores',
  ...['--model', model, '--new', newWeights, '--dataset', writeJson(join(folder, `${file}.json`), data)],
  ...['--out', join(folder, `${file}.safetensors`), '--collisions', 'merge'],
];

test.concurrent('golden scores', async () => {
  const result = await succeed([...command(dataset, 'golden'), '--each-counterfactual']);
  expectClose(
    'loss_old',
    result.loss_old as number[],
    fixture.points.map((point) => point.loss_old),
    1e-4,
    0,
  );
  expect((result.first_order as { gap: unknown[] }).gap).toHaveLength(5);
  const written = readWeights(join(folder, 'golden.safetensors'));
  const expected = readTensors('scores', 'llama.second-hop.safetensors');
  expect([...written.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, { data }] of expected) expectClose(name, written.get(name)!.data, data, 1e-5, 1e-4);
});

test.concurrent('all counterfactuals, and a model folder of other weights', async () => {
  const result = await succeed([
    ...command({ ...dataset, counterfactuals: 'all' }, 'all', fixturePath('models', 'llama-bf16')),
    '--skip-check',
  ]);
  expect(result.first_order).toBeNull();
  expect(result.counterfactuals).toHaveLength(fixture.test.length);
  expect([...readWeights(join(folder, 'all.safetensors')).keys()].some((name) => name.includes('.cf'))).toBe(false);
});

const without = (key: keyof typeof dataset) => Object.fromEntries(Object.entries(dataset).filter(([name]) => name !== key));

test('refusals', async () => {
  const place = join(folder, 'refusals');
  mkdirSync(place);
  const own = dataset.counterfactuals.map((list, item) => (item === 1 ? [1] : list));
  await refuse(command({ ...dataset, counterfactuals: own }, 'own'), 'BadCounterfactual', 'item 1 names itself', place);
  await refuse(command(without('accumulation'), 'accumulation'), 'BadDataset', 'no `accumulation`', place);
  await refuse(command(without('counterfactuals'), 'counterfactuals'), 'BadDataset', 'no `counterfactuals`', place);

  const name = 'model.layers.0.mlp.down_proj.weight';
  const wrong = join(folder, 'wrong-shape.safetensors');
  writeSafetensors(wrong, new Map([[name, floatTensor([2, 2])]]));
  await refuse(command(dataset, 'wrong', wrong), 'WrongShape', name, place);
  const unknown = join(folder, 'unknown.safetensors');
  writeSafetensors(unknown, new Map([['model.layers.9.mlp.down_proj.weight', floatTensor([2, 2])]]));
  await refuse(command(dataset, 'unknown', unknown), 'UnknownTensor', 'layers.9', place);
  const delta = join(folder, 'delta.safetensors');
  const weights = readTensors('scores', 'llama.second-hop.new-weights.safetensors');
  writeDelta(delta, subtract(weights, weights));
  await refuse(command(dataset, 'delta', delta), 'DeltaNotWeights', 'weights.safetensors', place);
  await refuse(command(dataset, 'other', fixturePath('models', 'llama-rope-tied')), 'OtherModel', 'config.json', place);
});
