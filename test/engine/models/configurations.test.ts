/** What config.json files of all families are read as, what is refused, and that every family is proved on a golden model. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeModel } from '../../../src-main/engine/execution/describe-model.ts';
import { writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../../src-main/engine/files/weight-sets.ts';
import { families, familyOf } from '../../../src-main/engine/models/index.ts';
import { openModel } from '../../../src-main/engine/models/model.ts';
import { trainableNames } from '../../../src-main/engine/models/parameters.ts';
import { type FloatTensor, floatTensor } from '../../../src-main/engine/tensor.ts';
import { fixturePath, openFixtureModel, readFixture } from '../../parity/fixture.ts';

const models = [
  'llama',
  'llama-sharded',
  'llama-bf16',
  'llama-rope-tied',
  'llama-biases',
  'qwen2',
  'mistral',
  'olmo',
  'olmo-clip',
  'olmo2',
  'gemma2',
  'gpt2',
  'gpt2-hub-names',
  'gpt-neox',
  'gpt-neox-sequential',
];
const temporary = mkdtempSync(join(tmpdir(), 'hopscope-models-'));
afterAll(() => rmSync(temporary, { recursive: true }));

type Fields = Record<string, unknown>;
const configOf = (model: string) => readFixture<Fields>('models', model, 'config.json');
const configured = (model: string, change: Fields) => {
  const config = { ...configOf(model), ...change };
  return familyOf(config).configure(config);
};

/** A copy of a golden model with its configuration and weights changed. */
function copied(model: string, config: Fields, change: (tensors: Map<string, FloatTensor>) => void = () => {}): string {
  const folder = mkdtempSync(join(temporary, model));
  cpSync(fixturePath('models', model), folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...configOf(model), ...config }));
  const path = join(folder, 'model.safetensors');
  const tensors = readWeights(path);
  change(tensors);
  writeSafetensors(path, tensors, { format: 'pt' });
  return folder;
}

test('every model_type has a golden model', () => {
  const proved = new Set(models.map((model) => configOf(model).model_type));
  for (const type of families.flatMap(({ modelTypes }) => modelTypes)) expect(proved, type).toContain(type);
});

test.each(models)('%s is opened without a warning and described', async (model) => {
  const opened = await openModel(fixturePath('models', model));
  expect(opened.warnings).toEqual([]);
  const described = await describeModel(opened);
  expect(described.family).toBe(configOf(model).model_type);
  const constant = /(\.attn\.bias|attention\.bias|masked_bias|inv_freq)$/;
  const stored = [...opened.checkpoint.tensors].filter(([name]) => !constant.test(name));
  expect(opened.parameters.all.map(({ name }) => name).sort()).toEqual(stored.map(([name]) => name).sort());
  expect(described.parameters).toBe(stored.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0));
  opened.checkpoint.close();
});

test('matrices of attention and MLP are no biases, norms or positions', () => {
  for (const [model, perLayer] of [
    ['qwen2', 7],
    ['olmo2', 7],
    ['gpt2', 4],
    ['gpt-neox', 4],
  ] as const) {
    const { outline } = openFixtureModel(model);
    expect(trainableNames(outline.parameters, 'mlp_attn').size, model).toBe(3 * perLayer);
    expect(trainableNames(outline.parameters, { layers: [1] }).size, model).toBe(perLayer);
  }
});

describe('sliding windows', () => {
  test.each<[string, Fields, (number | null)[]]>([
    ['llama', {}, [null, null, null]],
    ['mistral', {}, [5, 5, 5]],
    ['mistral', { sliding_window: null }, [null, null, null]],
    ['mistral', { sliding_window: undefined }, [4096, 4096, 4096]],
    ['qwen2', {}, [null, null, null]],
    ['qwen2', { use_sliding_window: true }, [null, 4, 4]],
    ['qwen2', { use_sliding_window: true, max_window_layers: 0 }, [4, 4, 4]],
    ['qwen2', { use_sliding_window: true, max_window_layers: 28 }, [null, null, null]],
    ['gemma2', {}, [5, null, 5]],
    ['gemma2', { layer_types: ['full_attention', 'full_attention', 'sliding_attention'] }, [null, null, 5]],
  ])('%s %o', (model, change, windows) => {
    const configuration = configured(model, change);
    expect(configuration.slidingWindows).toEqual(windows);
    const kinds = windows.map((_, layer) => familyOf(configOf(model)).layerKind(configuration, layer));
    expect(new Set(kinds).size).toBe(new Set(windows).size);
  });
});

test('what only some files say has the value that transformers gives it', () => {
  expect(configured('gemma2', {})).toMatchObject({
    tiedEmbeddings: true,
    embeddingScale: Math.fround(Math.sqrt(44)),
    attentionScale: 24 ** -0.5,
    attentionSoftcap: 3,
    logitSoftcap: 5,
  });
  expect(configured('gemma2', { attn_logit_softcapping: null, final_logit_softcapping: null })).toMatchObject({
    attentionSoftcap: null,
    logitSoftcap: null,
  });
  expect(configured('olmo', {})).toMatchObject({ normEpsilon: 1e-5, projectionClip: null });
  expect(configured('olmo-clip', { rms_norm_eps: 1 })).toMatchObject({ normEpsilon: 1e-5, projectionClip: 1.1 });
  expect(configured('gpt2', {})).toMatchObject({ intermediate: 4 * 36, tiedEmbeddings: true, context: 40, rotary: null });
  expect(configured('gpt2', { n_inner: 50 }).intermediate).toBe(50);
  expect(configured('qwen2', { tie_word_embeddings: undefined }).tiedEmbeddings).toBe(false);
  const attention = ['attn.q', 'attn.k', 'attn.v', 'attn.o'];
  expect(configured('llama', { attention_bias: null }).biases).toEqual([]);
  for (const model of ['llama', 'olmo', 'olmo2', 'gemma2'])
    expect(configured(model, { attention_bias: true }).biases, model).toEqual(attention);
  expect(configured('llama', { mlp_bias: true }).biases).toEqual(['mlp.gate', 'mlp.up', 'mlp.down']);
  const older = configured('gpt-neox', {
    rotary_pct: undefined,
    use_parallel_residual: undefined,
    tie_word_embeddings: undefined,
  });
  expect(older).toEqual(configured('gpt-neox', {}));
  expect(older).toMatchObject({ parallelResidual: true, tiedEmbeddings: false });
  const newer = { rotary_pct: undefined, rotary_emb_base: undefined };
  const rope = { partial_rotary_factor: 0.5, rope_theta: 500, rope_type: 'default' };
  expect(configured('gpt-neox', { ...newer, rope_parameters: rope }).rotary).toEqual(
    configured('gpt-neox', { rotary_pct: 0.5, rotary_emb_base: 500 }).rotary,
  );
});

test.each<[string, Fields, string, string]>([
  ['llama', { model_type: 'mixtral' }, 'UnsupportedFamily', families.flatMap(({ modelTypes }) => modelTypes).join(', ')],
  ['llama', { model_type: 7 }, 'UnsupportedFamily', 'gemma2'],
  ['llama', { hidden_act: 'gelu' }, 'BadConfiguration', 'hidden_act is "gelu"'],
  ['gemma2', { hidden_activation: 'gelu' }, 'BadConfiguration', 'hidden_activation is "gelu"'],
  ['gpt2', { activation_function: 'relu' }, 'BadConfiguration', 'activation_function is "relu"'],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'BadConfiguration', 'scale_attn_by_inverse_layer_idx'],
  ['gpt2', { n_head: 5 }, 'BadConfiguration', 'n_embd must divide'],
  ['gpt-neox', { hidden_act: 'gelu_fast' }, 'BadConfiguration', 'hidden_act is "gelu_fast"'],
  ['gpt-neox', { num_attention_heads: 5 }, 'BadConfiguration', 'hidden_size must divide'],
  ['gpt-neox', { rotary_pct: 0.2 }, 'BadConfiguration', 'rotary_pct is 0.2, which rotates 3 of a head'],
  ['gpt-neox', { rotary_pct: 0.1 }, 'BadConfiguration', 'rotary_pct is 0.1, which rotates 1 of a head'],
  ['gpt-neox', { rotary_pct: 1.25 }, 'BadConfiguration', 'rotates 20 of a head'],
  ['gpt-neox', { rope_parameters: { partial_rotary_factor: '1' } }, 'BadConfiguration', 'partial_rotary_factor is "1"'],
  ['gpt-neox', { rope_scaling: { type: 'dynamic', factor: 2 } }, 'UnsupportedRotary', 'dynamic'],
  ['qwen2', { attention_bias: true }, 'BadConfiguration', 'attention_bias'],
  ['mistral', { attention_bias: true }, 'BadConfiguration', 'attention_bias'],
  ['olmo', { mlp_bias: true }, 'BadConfiguration', 'mlp_bias'],
  ['llama', { mlp_bias: 1 }, 'BadConfiguration', 'mlp_bias'],
  ['qwen2', { num_key_value_heads: 3 }, 'BadConfiguration', 'num_key_value_heads'],
  ['olmo-clip', { clip_qkv: 0 }, 'BadConfiguration', 'clip_qkv is 0'],
  ['gemma2', { query_pre_attn_scalar: -1 }, 'BadConfiguration', 'query_pre_attn_scalar'],
  ['gemma2', { layer_types: ['full_attention'] }, 'BadConfiguration', 'layer_types'],
  ['gemma2', { layer_types: ['full_attention', 'linear_attention', 'full_attention'] }, 'BadConfiguration', 'layer_types'],
  ['mistral', { sliding_window: 2.5 }, 'BadConfiguration', 'sliding_window is 2.5'],
  ['olmo', { num_hidden_layers: 0 }, 'BadConfiguration', 'num_hidden_layers is 0'],
  ['qwen2', { rope_scaling: { type: 'yarn', factor: 4 } }, 'UnsupportedRotary', 'yarn'],
])('%s %o is refused: %s', (model, change, code, words) => {
  expect(() => configured(model, change)).toThrowError(
    expect.objectContaining({ code, message: expect.stringContaining(words) }),
  );
});

describe('contradictions between config.json and the files', () => {
  const [embedding, output] = ['model.embed_tokens.weight', 'lm_head.weight'];
  const refused = (folder: string, code: string, ...words: string[]) =>
    expect(openModel(folder)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(words.map((word) => word.replace(/[.[\]]/g, '\\$&')).join('.*'))),
    });

  test('not tied, but there is no output matrix', () =>
    refused(copied('qwen2', { tie_word_embeddings: false }), 'TiedContradiction', `${output} [377, 56]`, embedding));

  test('tied, but there is another output matrix', () =>
    refused(
      copied('llama', { tie_word_embeddings: true }),
      'TiedContradiction',
      `${embedding} [379, 48]`,
      `${output} [379, 48]`,
    ));

  test('tied, and the same matrix is stored twice', async () => {
    const folder = copied('qwen2', {}, (tensors) => tensors.set(output, tensors.get(embedding)!));
    const { warnings, parameters, checkpoint } = await openModel(folder);
    checkpoint.close();
    expect(warnings).toEqual([]);
    expect(parameters.all.map(({ name }) => name)).not.toContain(output);
  });

  test('a bias is missing', () =>
    refused(
      copied('qwen2', {}, (tensors) => tensors.delete('model.layers.1.self_attn.k_proj.bias')),
      'MissingTensor',
      'model.layers.1.self_attn.k_proj.bias',
      '[28]',
    ));

  test('positions of another length than the configuration has', () =>
    refused(copied('gpt2', { n_positions: 48 }), 'WrongShape', 'transformer.wpe.weight', '[40, 36]', '[48, 36]'));

  test('a vocabulary smaller than the embedding', () =>
    refused(copied('gpt2-hub-names', { vocab_size: 370 }), 'WrongShape', 'wte.weight', '[375, 36]', '[370, 36]'));

  test('a vocabulary smaller than the tokenizer’s ids', () => {
    const folder = copied('gpt2', { vocab_size: 300 }, (tensors) => {
      const { data } = tensors.get('transformer.wte.weight')!;
      tensors.set('transformer.wte.weight', floatTensor([300, 36], data.slice(0, 300 * 36)));
    });
    return refused(folder, 'TokenizerDoesNotFit', '374', '300');
  });
});

test('a model is used under the names of its own files', () => {
  const names = (model: string) => openFixtureModel(model).outline.parameters.all.map(({ name }) => name);
  expect(names('gpt2')).toEqual(names('gpt2-hub-names').map((name) => `transformer.${name}`));
});
