/**
 * The commands that work on files, on every golden model, against its golden values.
 * What there are no golden values for is in family-checks.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { elementCount, type FloatTensor } from '../../src-main/engine/tensor.ts';
import { difference, expectClose, fixturePath, readFixture, readTensors } from '../parity/fixture.ts';
import { covers } from '../scripts/family-table.ts';
import {
  commandsOf,
  goldenModels,
  modelFolder,
  type ScoredSet,
  storedShapes,
  tokenizationOf,
  valuesOf,
} from './family-commands.ts';
import { succeed, temporaryFolder } from './support.ts';

interface Inputs {
  inputs: Record<'ragged' | 'single', { input_ids: number[][]; attention_mask: number[][] }>;
}

interface Ranks {
  datasets: Record<string, { pairs: [string, string][]; options: string[] } & Record<string, unknown>>;
}

interface Training {
  batches: { input_ids: number[][]; attention_mask: number[][]; labels: number[][] }[];
  modes: Record<string, { trainable: string[]; losses: number[] }>;
}

interface Scores extends ScoredSet {
  points: { counterfactuals: number[]; loss_old: number }[];
}

const folder = temporaryFolder();
const numbers = (value: unknown) => [value].flat(3) as number[];
const adam = { optimizer: 'adam', lr: 3e-4, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 };
const trainables: Record<string, unknown> = { all: 'all', mlp_attn: 'mlp_attn', layers_0_1: { layers: [0, 1] } };

describe.each(goldenModels)('%s', (id) => {
  const commands = commandsOf(id, folder);

  test.concurrent('model', async () => {
    const config = readFixture<Record<string, unknown>>('models', id, 'config.json');
    const shapes = [...storedShapes(id).values()];
    const matrices = shapes.filter((shape) => shape.length === 2 && shape[0] === config.vocab_size);
    expect(await succeed(['model', modelFolder(id)])).toMatchObject({
      family: config.model_type,
      layers: config.num_hidden_layers ?? config.n_layer,
      heads: config.num_attention_heads ?? config.n_head,
      kv_heads: config.num_key_value_heads ?? config.num_attention_heads ?? config.n_head,
      hidden: config.hidden_size ?? config.n_embd,
      vocabulary: config.vocab_size,
      context: config.max_position_embeddings ?? config.n_positions,
      dtype: id === 'llama-bf16' ? 'bfloat16' : 'float32',
      tied_embeddings: matrices.length === 1,
      parameters: shapes.reduce((sum, shape) => sum + elementCount(shape), 0),
    });
  });

  const tokenization = tokenizationOf(id);
  if (tokenization) {
    test.concurrent('tokenize', covers('tokenize'), async () => {
      const cases = readFixture<{ text: string; ids: number[] }[]>('tokenization', `${tokenization}.json`);
      const texts = cases.map(({ text }) => text);
      expect(await commands.tokenize('golden', texts)).toEqual(cases.map(({ ids }) => ids));
    });
  }

  const values = valuesOf('forward', id);
  test.concurrent.each(['ragged', 'single'] as const)('forward, %s', covers('forward'), async (input) => {
    const { input_ids: ids, attention_mask: mask } = readFixture<Inputs>('forward', `${values}.json`).inputs[input];
    const actual = await commands.forward(input, ids, input === 'ragged' ? mask : undefined);
    const expected = [...readTensors('forward', `${values}.safetensors`)].flatMap(([name, tensor]): [string, FloatTensor][] =>
      name.startsWith(`${input}.`) ? [[name.slice(input.length + 1), tensor]] : [],
    );
    expect([...actual.keys()].sort()).toEqual(expected.map(([name]) => name).sort());
    for (const [name, { shape, data }] of expected) {
      expect(actual.get(name)!.shape, name).toEqual(shape);
      expectClose(name, actual.get(name)!.data, data, 1e-4, 1e-4);
    }
  });

  const ranks = valuesOf('rank', id);
  if (ranks) {
    test.concurrent('evaluate', covers('ranks'), async () => {
      const { pairs, options, ...expected } = readFixture<Ranks>('rank', `${ranks}.json`).datasets['first-hop.test']!;
      const result = await commands.evaluate('golden', pairs, options);
      for (const key of ['candidates', 'ranks', 'mean_rank']) expect(result[key], key).toEqual(expected[key]);
      for (const key of ['candidate_logits', 'mean_logit_loss', 'mean_cross_entropy'])
        expectClose(key, numbers(result[key]), numbers(expected[key]), 1e-4, 0);
    });
  }

  const training = valuesOf('training', id);
  const { batches, modes }: Training = training
    ? readFixture<Training>('training', `${training}.json`)
    : { batches: [], modes: {} };
  test.concurrent.each(Object.keys(modes))('train, %s', covers(['gradients', 'training']), async (mode) => {
    const given = batches.map(({ input_ids, attention_mask, labels }) => ({ input_ids, attention_mask, labels }));
    const { losses, read } = await commands.train(mode, {
      batches: given,
      ...adam,
      trainable: trainables[mode],
      save_gradients: [1],
    });
    const expected = modes[mode]!;
    expectClose('losses', losses, expected.losses, 1e-5, 0);
    const [weights, gradients] = [read('weights'), read('gradients.1')];
    for (const written of [weights, gradients]) expect([...written.keys()].sort()).toEqual([...expected.trainable].sort());
    const golden = readTensors('training', `${training}.grads.safetensors`);
    const after = readTensors('training', `${training}.${mode}.safetensors`);
    let [off, allowed] = [0, 20];
    for (const [name, { data }] of weights) {
      const gradient = golden.get(`grad.${name}`)!.data;
      expectClose(`gradient of ${name}`, gradients.get(name)!.data, gradient, 0, 1e-3);
      const { largest, above } = difference(data, after.get(`weight.${name}`)!.data, 1e-6);
      expect(largest, name).toBeLessThanOrEqual(2 * 3 * adam.lr);
      off += above;
      // Where a gradient is zero but for rounding, as that of keys' biases, Adam follows the rounding's sign
      allowed += gradient.filter((value) => value !== 0 && Math.abs(value) < 1e-12).length;
    }
    expect(off, 'elements off by more than 1e-6').toBeLessThanOrEqual(allowed);
  });

  const scored = valuesOf('scores', id, '.first-hop.json');
  const hops = scored ? ['first-hop', 'second-hop'] : [];
  test.concurrent.each(hops)('scores, %s', covers('scores'), async (hop) => {
    const fixture = readFixture<Scores>('scores', `${scored}.${hop}.json`);
    const counterfactuals = fixture.points.map((point) => point.counterfactuals);
    const replaced = fixturePath('scores', `${scored}.${hop}.new-weights.safetensors`);
    const options = ['--each-counterfactual', '--skip-check'];
    const { result, written } = await commands.scores(hop, replaced, fixture, counterfactuals, ...options);
    const losses = fixture.points.map((point) => point.loss_old);
    expectClose('loss_old', result.loss_old as number[], losses, 1e-4, 0);
    const expected = readTensors('scores', `${scored}.${hop}.safetensors`);
    expect([...written.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { data }] of expected) expectClose(name, written.get(name)!.data, data, 1e-5, 1e-4);
  });
});
