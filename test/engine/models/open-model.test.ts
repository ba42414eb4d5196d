/** Model folders that are broken in one way each: the error's code, and that it names the tensor and both shapes. What configurations are read as is in configurations.test.ts. */
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../../src-main/engine/files/weight-sets.ts';
import { families } from '../../../src-main/engine/models/index.ts';
import { openModel } from '../../../src-main/engine/models/model.ts';
import { floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';
import { fixturePath, readFixture } from '../../parity/fixture.ts';

const temporary = mkdtempSync(join(tmpdir(), 'hopscope-open-'));
afterAll(() => rmSync(temporary, { recursive: true }));

type Fields = Record<string, unknown>;

interface Change {
  config?: Fields;
  tensors?: (tensors: Map<string, Tensor>) => void;
  /** Last, for what the other two cannot break. */
  folder?: (folder: string) => void;
}

function broken(model: string, { config = {}, tensors, folder: damage }: Change): string {
  const folder = mkdtempSync(join(temporary, model));
  cpSync(fixturePath('models', model), folder, { recursive: true });
  const path = join(folder, 'model.safetensors');
  if (tensors) {
    const changed = new Map<string, Tensor>(readWeights(path));
    tensors(changed);
    writeSafetensors(path, changed, { format: 'pt' });
  }
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...readFixture<Fields>('models', model, 'config.json'), ...config }),
  );
  damage?.(folder);
  return folder;
}

/** Rewrites the header of a folder's safetensors file. */
const reheaded = (change: (header: Record<string, { dtype: string; shape: number[] }>) => void) => (folder: string) => {
  const path = join(folder, 'model.safetensors');
  const file = readFileSync(path);
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + length));
  change(header);
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([prefix, text, file.subarray(8 + length)]));
};

const up = 'model.layers.1.mlp.up_proj.weight';
const [embedding, output] = ['model.embed_tokens.weight', 'lm_head.weight'];
const supported = families.flatMap(({ modelTypes }) => modelTypes);

/** What a case's error must hold, in this order. */
type Case = [name: string, model: string, change: Change, code: string, words: string[]];

const refusals: Case[] = [
  ['an unknown model_type', 'llama', { config: { model_type: 'phi3' } }, 'UnsupportedFamily', ['"phi3"', ...supported]],
  ['no model_type', 'llama', { config: { model_type: undefined } }, 'UnsupportedFamily', supported],

  [
    'tied, and another output matrix',
    'llama',
    { config: { tie_word_embeddings: true } },
    'TiedContradiction',
    [`${embedding} [379, 48]`, `${output} [379, 48] with other values`, 'tie_word_embeddings to false'],
  ],
  [
    'tied, and an output matrix of another shape',
    'qwen2',
    { tensors: (tensors) => tensors.set(output, floatTensor([10, 56])) },
    'TiedContradiction',
    [`${embedding} [377, 56]`, `${output} [10, 56] of another shape`],
  ],
  [
    'not tied, and no output matrix',
    'gemma2',
    { config: { tie_word_embeddings: false } },
    'TiedContradiction',
    [`${output} [439, 44]`, `${embedding} [439, 44]`, 'tie_word_embeddings to true'],
  ],

  [
    'a missing matrix',
    'llama',
    { tensors: (tensors) => tensors.delete(up) },
    'MissingTensor',
    [up, '[92, 48]', 'download is incomplete'],
  ],
  [
    'a missing embedding',
    'qwen2',
    { tensors: (tensors) => tensors.delete(embedding) },
    'MissingTensor',
    [embedding, '[377, 56]'],
  ],
  [
    'more layers than there are',
    'llama',
    { config: { num_hidden_layers: 4 } },
    'MissingTensor',
    ['model.layers.3.input_layernorm.weight', '[48]'],
  ],
  [
    'matrices of a quantized model',
    'llama',
    {
      config: { quantization_config: { quant_method: 'gptq', bits: 4 } },
      tensors: (tensors) => tensors.delete('model.layers.0.self_attn.q_proj.weight'),
    },
    'MissingTensor',
    ['model.layers.0.self_attn.q_proj.weight', '[40, 48]', '"gptq"', 'quantized models are not read'],
  ],

  [
    'a bias that the family does not have',
    'llama',
    { tensors: (tensors) => tensors.set('model.layers.0.self_attn.q_proj.bias', floatTensor([40])) },
    'ExtraTensor',
    ['model.layers.0.self_attn.q_proj.bias [40],', 'none', '"llama"'],
  ],
  [
    'fewer layers than there are',
    'llama',
    { config: { num_hidden_layers: 2 } },
    'ExtraTensor',
    ['model.layers.2.input_layernorm.weight [48] and 8 others'],
  ],
  [
    'a norm that the family does not have',
    'olmo',
    { tensors: (tensors) => tensors.set('model.norm.weight', floatTensor([48])) },
    'ExtraTensor',
    ['model.norm.weight [48]', '"olmo"'],
  ],

  [
    'a matrix of another shape',
    'llama',
    { tensors: (tensors) => tensors.set(up, floatTensor([3, 5])) },
    'WrongShape',
    [up, '[3, 5]', '[92, 48]'],
  ],
  [
    'a transposed matrix',
    'llama',
    { tensors: (tensors) => tensors.set(up, floatTensor([48, 92], tensors.get(up)!.data as Float32Array)) },
    'WrongShape',
    [up, '[48, 92]', '[92, 48]'],
  ],
  ['a larger vocabulary', 'llama', { config: { vocab_size: 400 } }, 'WrongShape', [embedding, '[379, 48]', '[400, 48]']],
  [
    'a vocabulary smaller than the tokenizer’s ids',
    'gpt2',
    {
      config: { vocab_size: 300 },
      tensors: (tensors) => {
        const { data } = tensors.get('transformer.wte.weight')!;
        tensors.set('transformer.wte.weight', floatTensor([300, 36], (data as Float32Array).slice(0, 300 * 36)));
      },
    },
    'TokenizerDoesNotFit',
    ['tokenizer.json', 'transformer.wte.weight', '[375, 36]', '[300, 36]'],
  ],

  [
    'bytes as weights',
    'llama',
    { tensors: (tensors) => tensors.set(up, { type: 'uint8', shape: [92, 48], data: new Uint8Array(92 * 48) }) },
    'UnsupportedDtype',
    [up, 'U8 [92, 48]', 'F32, BF16 or F16 [92, 48]', 'convert'],
  ],
  [
    'int8 weights of a quantized model, in another shape',
    'llama',
    {
      config: { quantization_config: { quant_method: 'bitsandbytes' } },
      folder: reheaded((header) => Object.assign(header[up]!, { dtype: 'I8', shape: [92, 192] })),
    },
    'UnsupportedDtype',
    [up, 'I8 [92, 192]', '[92, 48]', '"bitsandbytes"'],
  ],

  ['no layers', 'llama', { config: { num_hidden_layers: 0 } }, 'BadConfiguration', ['num_hidden_layers is 0']],
  ['a billion layers', 'llama', { config: { num_hidden_layers: 1e9 } }, 'BadConfiguration', ['1000000000', '1 to 10000']],
  ['a billion layers', 'gpt2', { config: { n_layer: 1e9 } }, 'BadConfiguration', ['n_layer is 1000000000', '1 to 10000']],
  [
    'a vocabulary beyond 31 bits',
    'llama',
    { config: { vocab_size: 2 ** 31 } },
    'BadConfiguration',
    ['vocab_size is 2147483648', '1 to 2147483647'],
  ],
  ['text for a number', 'llama', { config: { hidden_size: '48' } }, 'BadConfiguration', ['hidden_size is "48"']],
  ['half a head', 'llama', { config: { num_attention_heads: 2.5 } }, 'BadConfiguration', ['num_attention_heads is 2.5']],
  ['a negative base', 'llama', { config: { rope_theta: -1 } }, 'BadConfiguration', ['rope_theta is -1']],
  [
    'rotary positions by kind of layer',
    'llama',
    { config: { rope_parameters: { full_attention: { rope_theta: 500, rope_type: 'default' } } } },
    'UnsupportedRotary',
    ['rope_parameters', 'full_attention'],
  ],
  [
    'heads that do not divide the width',
    'llama',
    { config: { num_attention_heads: 5, num_key_value_heads: 5, head_dim: undefined } },
    'BadConfiguration',
    ['hidden_size', '48', '5'],
  ],
  [
    'key heads that do not divide the heads',
    'llama',
    { config: { num_key_value_heads: 3 } },
    'BadConfiguration',
    ['num_key_value_heads', '4', '3'],
  ],
];

test.each(refusals)('%s, %s', async (_name, model, change, code, words) => {
  const pattern = new RegExp(words.map((word) => word.replaceAll(/[.[\]"]/g, '\\$&')).join('.*'));
  await expect(openModel(broken(model, change))).rejects.toMatchObject({ code, message: expect.stringMatching(pattern) });
});

describe('what is no contradiction', () => {
  test.each<[name: string, model: string, change: Change]>([
    [
      'rotary tables',
      'llama',
      { tensors: (tensors) => tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', floatTensor([5])) },
    ],
    ['a tied matrix stored twice', 'qwen2', { tensors: (tensors) => tensors.set(output, tensors.get(embedding)!) }],
    ['a note on how the model was once quantized', 'llama', { config: { quantization_config: { quant_method: 'fp8' } } }],
  ])('%s', async (_name, model, change) => {
    const opened = await openModel(broken(model, change));
    opened.checkpoint.close();
    expect(opened.warnings).toEqual([]);
  });
});

test('a file cut short after it was opened', async () => {
  const folder = broken('llama', {});
  const { checkpoint } = await openModel(folder);
  truncateSync(join(folder, 'model.safetensors'), 50_000);
  expect(() => checkpoint.readFloat32Into(up, new Float32Array(92 * 48))).toThrowError(
    expect.objectContaining({ code: 'BadSafetensors', message: expect.stringContaining('changed while it was in use') }),
  );
  checkpoint.close();
});
