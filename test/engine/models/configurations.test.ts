/** What config.json files of all families are read as, what is refused, and that every family is proved on a golden model. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../../src-main/engine/files/weight-sets.ts';
import { families, familyOf } from '../../../src-main/engine/models/index.ts';
import { describeModel, openModel } from '../../../src-main/engine/models/model.ts';
import { listParameters, trainableNames } from '../../../src-main/engine/models/parameters.ts';
import { type FloatTensor, floatTensor } from '../../../src-main/engine/tensor.ts';
import { fixturePath, openFixtureModel, readFixture } from '../../parity/fixture.ts';

const models = [
  'llama',
  'llama-sharded',
  'llama-bf16',
  'llama-rope-tied',
  'qwen2',
  'mistral',
  'olmo',
  'olmo-clip',
  'olmo2',
  'gemma2',
  'gpt2',
  'gpt2-hub-names',
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
  const described = describeModel(opened);
  expect(described.family).toBe(configOf(model).model_type);
  const stored = [...opened.checkpoint.tensors].filter(([, { shape }]) => shape.length < 3);
  expect(opened.parameters.all.map(({ name }) => name).sort()).toEqual(stored.map(([name]) => name).sort());
  expect(described.parameters).toBe(stored.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0));
  opened.checkpoint.close();
});

test('matrices of attention and MLP are no biases, norms or positions', () => {
  for (const [model, perLayer] of [
    ['qwen2', 7],
    ['olmo2', 7],
    ['gpt2', 4],
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
});

/** Fields of the published config.json files as far as they decide about shapes, and the published numbers of parameters. */
test.each<[string, number, Fields]>([
  [
    'Llama-3-8B',
    8_030_261_248,
    {
      model_type: 'llama',
      hidden_size: 4096,
      intermediate_size: 14336,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      vocab_size: 128256,
      rope_theta: 500000,
      tie_word_embeddings: false,
    },
  ],
  [
    'Qwen2-7B',
    7_615_616_512,
    {
      model_type: 'qwen2',
      hidden_size: 3584,
      intermediate_size: 18944,
      num_hidden_layers: 28,
      num_attention_heads: 28,
      num_key_value_heads: 4,
      vocab_size: 152064,
      max_window_layers: 28,
      sliding_window: 131072,
      use_sliding_window: false,
      tie_word_embeddings: false,
    },
  ],
  [
    'OLMo-7B',
    6_888_095_744,
    {
      model_type: 'olmo',
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 32,
      vocab_size: 50304,
      clip_qkv: null,
      rope_scaling: null,
      tie_word_embeddings: false,
    },
  ],
  [
    'OLMo-2-7B',
    7_298_617_344,
    {
      model_type: 'olmo2',
      hidden_size: 4096,
      intermediate_size: 11008,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 32,
      vocab_size: 100352,
      rope_theta: 500000,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: false,
    },
  ],
  [
    'Gemma-2-9B',
    9_241_705_984,
    {
      model_type: 'gemma2',
      hidden_size: 3584,
      intermediate_size: 14336,
      num_hidden_layers: 42,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 256,
      vocab_size: 256000,
      hidden_act: 'gelu_pytorch_tanh',
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: 256,
      sliding_window: 4096,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    },
  ],
  [
    'Mistral-7B',
    7_241_732_096,
    {
      model_type: 'mistral',
      hidden_size: 4096,
      intermediate_size: 14336,
      num_hidden_layers: 32,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      vocab_size: 32000,
      sliding_window: 4096,
      tie_word_embeddings: false,
    },
  ],
  [
    'GPT-2',
    124_439_808,
    {
      model_type: 'gpt2',
      activation_function: 'gelu_new',
      n_embd: 768,
      n_head: 12,
      n_layer: 12,
      n_positions: 1024,
      n_ctx: 1024,
      vocab_size: 50257,
    },
  ],
])('%s has %i parameters', (_, count, config) => {
  const family = familyOf(config);
  expect(listParameters(family, family.configure(config)).count).toBe(count);
});

test.each<[string, Fields, string, string]>([
  ['llama', { model_type: 'mixtral' }, 'UnsupportedFamily', families.flatMap(({ modelTypes }) => modelTypes).join(', ')],
  ['llama', { model_type: 7 }, 'UnsupportedFamily', 'gemma2'],
  ['llama', { hidden_act: 'gelu' }, 'BadConfiguration', 'hidden_act is "gelu"'],
  ['gemma2', { hidden_activation: 'gelu' }, 'BadConfiguration', 'hidden_activation is "gelu"'],
  ['gpt2', { activation_function: 'relu' }, 'BadConfiguration', 'activation_function is "relu"'],
  ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'BadConfiguration', 'scale_attn_by_inverse_layer_idx'],
  ['gpt2', { n_head: 5 }, 'BadConfiguration', 'n_embd must divide'],
  ['qwen2', { attention_bias: true }, 'BadConfiguration', 'attention_bias'],
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

  test('tensors that nothing reads are named', async () => {
    const folder = copied('olmo', {}, (tensors) => tensors.set('model.norm.weight', floatTensor([48])));
    const { warnings, checkpoint } = await openModel(folder);
    checkpoint.close();
    expect(warnings.join()).toContain('model.norm.weight');
  });
});

test('a model is used under the names of its own files', () => {
  const names = (model: string) => openFixtureModel(model).outline.parameters.all.map(({ name }) => name);
  expect(names('gpt2')).toEqual(names('gpt2-hub-names').map((name) => `transformer.${name}`));
});
