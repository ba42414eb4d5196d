/** The commands that work on files, against the golden values of the llama models. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readHeader, writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../src-main/engine/files/weight-sets.ts';
import type { FloatTensor, Tensor } from '../../src-main/engine/tensor.ts';
import { difference, expectClose, fixturePath, readFixture, readTensors } from '../parity/fixture.ts';
import { succeed, temporaryFolder, writeJson } from './support.ts';

const folder = temporaryFolder();
const modelFolder = (id: string) => fixturePath('models', id);

interface Inputs {
  inputs: Record<string, { input_ids: number[][]; attention_mask: number[][] }>;
}

interface Training {
  batches: { input_ids: number[][]; attention_mask: number[][]; labels: number[][] }[];
  modes: Record<string, { trainable: string[]; losses: number[] }>;
}

interface Ranks {
  prefix_special_tokens: number;
  datasets: Record<string, { pairs: [string, string][]; options: string[] } & Record<string, unknown>>;
}

const int64 = (rows: number[][]): Tensor => ({
  type: 'int64',
  shape: [rows.length, rows[0]!.length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});

test.concurrent.each([
  ['llama', 'float32', false],
  ['llama-rope-tied', 'float32', true],
  ['llama-bf16', 'bfloat16', false],
])('model %s', async (id, dtype, tied) => {
  const { memory, ...description } = await succeed(['model', modelFolder(id)]);
  const config = readFixture<Record<string, unknown>>('models', id, 'config.json');
  expect(description).toMatchObject({
    family: 'llama',
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    kv_heads: config.num_key_value_heads,
    hidden: config.hidden_size,
    vocabulary: config.vocab_size,
    context: config.max_position_embeddings,
    dtype,
    tied_embeddings: tied,
  });
  const elements = [...readHeader(fixturePath('models', id, 'model.safetensors')).tensors.values()];
  expect(description.parameters).toBe(elements.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0));
  expect(Object.keys(memory as object).sort()).toEqual(['available', 'forward', 'scores', 'train_all', 'train_mlp_attn']);
  for (const size of Object.values(memory as object)) expect(Number.isSafeInteger(size) && size > 0).toBe(true);
});

test.concurrent('tokenize', async () => {
  const cases = readFixture<{ text: string; ids: number[] }[]>('tokenization', 'llama.json');
  const texts = writeJson(
    join(folder, 'texts.json'),
    cases.map(({ text }) => text),
  );
  const out = join(folder, 'ids.json');
  const result = await succeed(['tokenize', '--model', modelFolder('llama'), '--in', texts, '--out', out]);
  expect(result).toMatchObject({ texts: cases.length, out });
  expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(cases.map(({ ids }) => ids));
});

describe('forward', () => {
  test.concurrent.each([
    ['llama', 'ragged', true],
    ['llama-rope-tied', 'ragged', false],
    ['llama-sharded', 'single', true],
  ])('%s, %s', async (id, input, capture) => {
    const values = id === 'llama-sharded' ? 'llama' : id;
    const { input_ids: ids, attention_mask: mask } = readFixture<Inputs>('forward', `${values}.json`).inputs[input]!;
    const path = join(folder, `${id}.in.safetensors`);
    // A padded position may hold any number.
    const padded = ids.map((row, item) => row.map((token, position) => (mask[item]![position] === 1 ? token : -1)));
    const tensors = new Map([['input_ids', int64(padded)]]);
    if (input === 'ragged') tensors.set('attention_mask', int64(mask));
    writeSafetensors(path, tensors);
    const out = join(folder, `${id}.out.safetensors`);
    const captures = capture ? ['--capture', 'hidden,attn_z,mlp_act,mlp_out'] : [];
    await succeed(['forward', '--model', modelFolder(id), '--in', path, '--out', out, ...captures]);
    const actual = readWeights(out);
    const expected = [...readTensors('forward', `${values}.safetensors`)].flatMap(([name, tensor]): [string, FloatTensor][] => {
      const wanted = name.startsWith(`${input}.`) && (capture || name.endsWith('.logits'));
      return wanted ? [[name.slice(input.length + 1), tensor]] : [];
    });
    expect([...actual.keys()].sort()).toEqual(expected.map(([name]) => name).sort());
    for (const [name, { shape, data }] of expected) {
      // The golden values are 0 at padded positions too.
      expect(actual.get(name)!.shape, name).toEqual(shape);
      expectClose(name, actual.get(name)!.data, data, 1e-4, 1e-4);
    }
  });
});

describe('evaluate', () => {
  test.concurrent.each([
    ['llama', 'first-hop.test'],
    ['llama', 'second-hop.train'],
    ['llama-rope-tied', 'daxwug.both'],
  ])('%s, %s', async (id, name) => {
    const { datasets, prefix_special_tokens } = readFixture<Ranks>('rank', `${id}.json`);
    const { pairs, options, ...expected } = datasets[name]!;
    const path = writeJson(join(folder, `${id}.${name}.json`), { pairs, options });
    const result = await succeed(['evaluate', '--model', modelFolder(id), '--dataset', path, '--collisions', 'merge']);
    for (const key of ['candidates', 'ranks', 'mean_rank']) expect(result[key], key).toEqual(expected[key]);
    for (const key of ['candidate_logits', 'mean_logit_loss', 'mean_cross_entropy']) {
      expectClose(key, [result[key]].flat(2) as number[], [expected[key]].flat(2) as number[], 1e-4, 0);
    }
    expect(result.prefix_special_tokens).toBe(prefix_special_tokens);
  });
});

const adam = { optimizer: 'adam', lr: 3e-4, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 };

describe('train', () => {
  test.concurrent.each([
    ['llama', 'all', 'all'],
    ['llama', 'layers_0_1', { layers: [0, 1] }],
    ['llama-rope-tied', 'all', 'all'],
  ])('%s, %s', async (id, mode, trainable) => {
    const { batches, modes } = readFixture<Training>('training', `${id}.json`);
    const given = batches.map(({ input_ids, attention_mask, labels }) => ({ input_ids, attention_mask, labels }));
    const plan = writeJson(join(folder, `${id}.${mode}.plan.json`), { batches: given, ...adam, trainable, save_gradients: [1] });
    const out = join(folder, `${id}.${mode}`);
    const save = mode === 'all' ? ['--save-model'] : [];
    await succeed(['train', '--model', modelFolder(id), '--plan', plan, '--out', out, ...save]);
    const files = ['delta.safetensors', 'gradients.1.safetensors', 'losses.json', 'weights.safetensors'];
    expect(readdirSync(out).sort()).toEqual(mode === 'all' ? [...files, 'model'].sort() : files);

    const { losses, seconds_per_step } = JSON.parse(readFileSync(join(out, 'losses.json'), 'utf8'));
    const expected = modes[mode]!;
    expectClose('losses', losses, expected.losses, 1e-5, 0);
    expect(seconds_per_step).toHaveLength(losses.length);

    const names = [...expected.trainable].sort();
    const [weights, delta, gradients] = ['weights', 'delta', 'gradients.1'].map((name) =>
      readWeights(join(out, `${name}.safetensors`)),
    );
    for (const set of [weights, delta, gradients]) expect([...set!.keys()].sort()).toEqual(names);
    const golden = readTensors('training', `${id}.grads.safetensors`);
    for (const [name, { data }] of gradients!)
      expectClose(`gradient of ${name}`, data, golden.get(`grad.${name}`)!.data, 0, 1e-3);
    const after = readTensors('training', `${id}.${mode}.safetensors`);
    const before = readTensors('models', id, 'model.safetensors');
    let off = 0;
    for (const [name, { data }] of weights!) {
      const { largest, above } = difference(data, after.get(`weight.${name}`)!.data, 1e-6);
      expect(largest, name).toBeLessThanOrEqual(2 * 3 * adam.lr);
      off += above;
      const sum = delta!.get(name)!.data.map((change, index) => change + before.get(name)!.data[index]!);
      expectClose(`delta of ${name}`, sum, data, 1e-6, 0);
    }
    expect(off).toBeLessThanOrEqual(20);
    if (mode !== 'all') return;

    // The model folder and the delta are two ways to the same model
    const { datasets } = readFixture<Ranks>('rank', `${id}.json`);
    const { pairs, options } = datasets['first-hop.train']!;
    const data = writeJson(join(folder, `${id}.trained.json`), { pairs, options });
    const ask = ['evaluate', '--dataset', data, '--collisions', 'merge', '--model'];
    const saved = await succeed([...ask, join(out, 'model')]);
    const added = await succeed([...ask, modelFolder(id), '--delta', join(out, 'delta.safetensors')]);
    expectClose('logits', [saved.candidate_logits].flat(2) as number[], [added.candidate_logits].flat(2) as number[], 1e-5, 0);
  });

  test.concurrent('a data set, twice the same', async () => {
    const { datasets } = readFixture<Ranks>('rank', 'llama.json');
    const { pairs } = datasets['first-hop.train']!;
    const plan = writeJson(join(folder, 'dataset.plan.json'), {
      dataset: { pairs },
      epochs: 2,
      batch_size: 4,
      seed: 5,
      optimizer: 'adamw',
      lr: 1e-3,
      weight_decay: 0.1,
      trainable: 'mlp_attn',
    });
    const runs = ['one', 'two'].map((name) => join(folder, name));
    for (const out of runs) {
      const result = await succeed(['train', '--model', modelFolder('llama'), '--plan', plan, '--out', out, '--threads', '1']);
      expect(result.steps).toBe(4);
    }
    const [one, two] = runs.map((out) => readFileSync(join(out, 'weights.safetensors')));
    expect(one!.equals(two!)).toBe(true);
  });
});
