/** The config.json files of published models, as they stand on the hub (test/fixtures/configurations), are read as what the models are. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type JsonObject, readJson } from '../../../src-main/engine/files/strict-json.ts';
import type { ModelConfiguration } from '../../../src-main/engine/models/family.ts';
import { familyOf } from '../../../src-main/engine/models/index.ts';
import { knownModels } from '../../../src-main/engine/models/known-models.ts';
import { listParameters } from '../../../src-main/engine/models/parameters.ts';
import { fixturePath } from '../../parity/fixture.ts';

const published = (name: string) =>
  readJson(fixturePath('configurations', `${name}.json`), { maximumBytes: 1 << 20 }) as JsonObject;

interface Expected {
  /** As published, each stored tensor once. */
  parameters: number;
  family: string;
  layers: number;
  /** Of queries, and of keys and values. */
  heads: [number, number];
  headSize: number;
  hidden: number;
  intermediate: number;
  vocabulary: number;
  tied: boolean;
  context: number;
  /** Base of the rotary frequencies, how many of a head's elements they turn, and by what the lowest of them is divided. */
  rotary?: [theta: number, elements: number, divisor: number];
  more?: Partial<ModelConfiguration>;
}

const olmo = {
  parameters: 6_888_095_744,
  family: 'olmo',
  layers: 32,
  heads: [32, 32],
  headSize: 128,
  hidden: 4096,
  intermediate: 11008,
  vocabulary: 50304,
  tied: false,
  context: 2048,
  rotary: [10_000, 128, 1],
  more: { normEpsilon: 1e-5, projectionClip: null, biases: [] },
} satisfies Expected;

const llama = {
  parameters: 8_030_261_248,
  family: 'llama',
  layers: 32,
  heads: [32, 8],
  headSize: 128,
  hidden: 4096,
  intermediate: 14336,
  vocabulary: 128256,
  tied: false,
  context: 8192,
  rotary: [500_000, 128, 1],
  more: { normEpsilon: 1e-5, biases: [] },
} satisfies Expected;

const alternating = (layers: number) => Array.from({ length: layers }, (_, layer) => (layer % 2 === 0 ? 4096 : null));

const gemma = {
  parameters: 9_241_705_984,
  family: 'gemma2',
  layers: 42,
  heads: [16, 8],
  headSize: 256,
  hidden: 3584,
  intermediate: 14336,
  vocabulary: 256000,
  tied: true,
  context: 8192,
  rotary: [10_000, 256, 1],
  more: {
    normEpsilon: 1e-6,
    attentionScale: 1 / 16,
    attentionSoftcap: 50,
    logitSoftcap: 30,
    embeddingScale: Math.fround(Math.sqrt(3584)),
    slidingWindows: alternating(42),
  },
} satisfies Expected;

const qwen = {
  parameters: 7_615_616_512,
  family: 'qwen2',
  layers: 28,
  heads: [28, 4],
  headSize: 128,
  hidden: 3584,
  intermediate: 18944,
  vocabulary: 152064,
  tied: false,
  context: 131072,
  rotary: [1_000_000, 128, 1],
  more: { normEpsilon: 1e-6, biases: ['attn.q', 'attn.k', 'attn.v'], slidingWindows: Array(28).fill(null) },
} satisfies Expected;

const mistral = {
  ...llama,
  parameters: 7_241_732_096,
  family: 'mistral',
  vocabulary: 32000,
  context: 32768,
  rotary: [10_000, 128, 1],
  more: { slidingWindows: Array(32).fill(4096) },
} satisfies Expected;

const pythia = {
  parameters: 70_426_624,
  family: 'gpt_neox',
  layers: 6,
  heads: [8, 8],
  headSize: 64,
  hidden: 512,
  intermediate: 2048,
  vocabulary: 50304,
  tied: false,
  context: 2048,
  rotary: [10_000, 16, 1],
  more: { normEpsilon: 1e-5, parallelResidual: true, biases: ['attn.qkv.heads', 'attn.o', 'mlp.up', 'mlp.down'] },
} satisfies Expected;

const models: Record<string, Expected> = {
  'OLMo-7B-hf': olmo,
  'OLMo-7B-0724-hf': { ...olmo, context: 4096, more: { projectionClip: 8 } },
  'OLMo-2-1124-7B': {
    ...olmo,
    parameters: 7_298_617_344,
    family: 'olmo2',
    vocabulary: 100352,
    context: 4096,
    rotary: [500_000, 128, 1],
    more: { normEpsilon: 1e-6 },
  },
  'Meta-Llama-3-8B': llama,
  'Llama-3.1-8B': { ...llama, context: 131072, rotary: [500_000, 128, 8] },
  'Llama-3.2-1B': {
    ...llama,
    parameters: 1_235_814_400,
    layers: 16,
    headSize: 64,
    hidden: 2048,
    intermediate: 8192,
    tied: true,
    context: 131072,
    rotary: [500_000, 64, 32],
  },
  'gemma-2-9b': gemma,
  'gemma-2-2b': {
    ...gemma,
    parameters: 2_614_341_888,
    layers: 26,
    heads: [8, 4],
    hidden: 2304,
    intermediate: 9216,
    more: { attentionScale: 1 / 16, embeddingScale: 48, slidingWindows: alternating(26) },
  },
  'Qwen2-7B': qwen,
  'Qwen2.5-7B': qwen,
  'Qwen2.5-0.5B': {
    ...qwen,
    parameters: 494_032_768,
    layers: 24,
    heads: [14, 2],
    headSize: 64,
    hidden: 896,
    intermediate: 4864,
    vocabulary: 151936,
    tied: true,
    context: 32768,
    rotary: [1_000_000, 64, 1],
    more: { slidingWindows: Array(24).fill(null) },
  },
  'Mistral-7B-v0.1': mistral,
  'Mistral-7B-v0.3': {
    ...mistral,
    parameters: 7_248_023_552,
    vocabulary: 32768,
    rotary: [1_000_000, 128, 1],
    more: { slidingWindows: Array(32).fill(null) },
  },
  gpt2: {
    parameters: 124_439_808,
    family: 'gpt2',
    layers: 12,
    heads: [12, 12],
    headSize: 64,
    hidden: 768,
    intermediate: 3072,
    vocabulary: 50257,
    tied: true,
    context: 1024,
    more: { normEpsilon: 1e-5, rotary: null },
  },
  'pythia-70m': pythia,
  'pythia-6.9b': {
    ...pythia,
    parameters: 6_857_302_016,
    layers: 32,
    heads: [32, 32],
    headSize: 128,
    hidden: 4096,
    intermediate: 16384,
    vocabulary: 50432,
    rotary: [10_000, 32, 1],
  },
};

test('every file is expected to be something', () => {
  const files = readdirSync(fixturePath('configurations')).map((file) => file.replace(/\.json$/, ''));
  expect(files.sort()).toEqual(Object.keys(models).sort());
});

describe.each(Object.entries(models))('%s', (name, { parameters, heads, tied, rotary, more, ...same }) => {
  const config = published(name);
  const family = familyOf(config);
  const configuration = family.configure(config);

  test('configuration', () => {
    expect(configuration).toMatchObject({
      ...same,
      ...more,
      heads: heads[0],
      keyValueHeads: heads[1],
      tiedEmbeddings: tied,
    });
    expect(configuration.slidingWindows.length).toBe(configuration.layers);
  });

  test('number of parameters', () => {
    expect(listParameters(family, configuration).count).toBe(parameters);
  });

  if (!rotary) return;
  test('rotary frequencies', () => {
    const [theta, elements, divisor] = rotary;
    const { frequencies } = configuration.rotary!;
    expect(frequencies.length).toBe(elements / 2);
    expect(frequencies[1]).toBeCloseTo(theta ** (-2 / elements), 12);
    expect(frequencies.at(-1)! * divisor * theta ** ((elements - 2) / elements)).toBeCloseTo(1, 9);
  });
});

test.each(Object.entries(knownModels).filter(([, { hub }]) => (hub.split('/')[1] ?? '') in models))(
  'what make-random takes for %s is what is published',
  (_, { hub, config, parameters }) => {
    const name = hub.split('/')[1]!;
    expect(published(name)).toMatchObject(config);
    expect(parameters).toBe(models[name]!.parameters);
  },
);
