/**
 * The answers of fake-host.ts about models: the one that ships, a large one and a broken one, made-up folders, tokens by words and
 * probabilities by formula. None of its numbers are measurements.
 */
import type { ModelService, NextToken, ProjectModel } from '../../src-main/shared/contract-models.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { createEvent } from '../../src-main/shared/event.ts';
import type { ModelDescription } from '../../src-main/shared/records.ts';
import { fakeEstimate, fakeModel } from './fake-descriptions.ts';
import { fakeNow } from './fake-rows.ts';

const gigabyte = 2 ** 30;
const large =
  '/data/models/huggingface/hub/models--a-very-long-organization-name--A-Model-7B-Instruct-with-a-long-name/snapshots/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567';
const broken = '/data/models/half-a-download';

const largeDescription: ModelDescription = {
  ...fakeModel,
  path: large,
  family: 'llama',
  layers: 32,
  heads: 32,
  kv_heads: 8,
  hidden: 4096,
  vocabulary: 128_256,
  parameters: 8_030_000_000,
  dtype: 'bfloat16',
  context: 8192,
  tokenizer: 'byte-level',
  memory: {
    forward: 33 * gigabyte,
    scores: 66 * gigabyte,
    train_all: 150 * gigabyte,
    train_mlp_attn: 140 * gigabyte,
    available: 11 * gigabyte,
  },
  plan: {
    budget: 9 * gigabyte,
    forward: {
      ...fakeEstimate,
      memory: 9 * gigabyte,
      residency: 'disk',
      state: 'none',
      seconds: 95,
      of: '20 prompts of 16 tokens',
    },
    scores: { ...fakeEstimate, memory: 9 * gigabyte, residency: 'disk', state: 'none', seconds: 410, of: 'scores of 20 prompts' },
    train_lora: { ...fakeEstimate, memory: 9 * gigabyte, residency: 'disk', seconds: 3900, of: '24 steps of Adam' },
    train_mlp_attn: {
      ...fakeEstimate,
      memory: 9 * gigabyte,
      residency: 'disk',
      state: 'scratch',
      disk: 84 * gigabyte,
      seconds: 21_000,
      of: '24 steps of Adam',
    },
    train_all: {
      ...fakeEstimate,
      memory: 14 * gigabyte,
      residency: 'disk',
      state: 'scratch',
      disk: 97 * gigabyte,
      seconds: 24_000,
      fits: false,
      of: '24 steps of Adam',
    },
  },
};

/** Described like `describeModel`; null for what it does not know. */
export function describeFakeModel(path: string): ModelDescription | null {
  if (path === 'small-world') return fakeModel;
  if (path === large) return largeDescription;
  // Of what a scan finds one folder can be used
  if (path.endsWith('/pythia-160m')) return { ...fakeModel, path, family: 'gpt_neox' };
  if (path !== broken) return null;
  throw new HopscopeError(
    'ShardMissing',
    `${broken}/model-00002-of-00004.safetensors is not there, but the index names it for 96 tensors; download it again.`,
  );
}

export function createFakeModels(scenario: 'empty' | 'full'): ModelService {
  const scans = createEvent<{ scan: string; folders: number; found: number; path: string }>();
  const removed = new Set<number>();
  const models: ProjectModel[] = [{ id: 0, path: 'small-world', name: 'Small world', added: null }];
  const named = (id: number, path: string, name: string) => ({ id, path, name, added: new Date(fakeNow).toISOString() });
  if (scenario === 'full') {
    models.push(named(1, large, 'a-very-long-organization-name/A-Model-7B-Instruct-with-a-long-name'));
    models.push(named(2, broken, 'half-a-download'));
  }
  const next = (id: number): NextToken => ({
    id,
    token: `Ġword${id}`,
    text: ` word${id}`,
    logit: 12 - id / 2,
    probability: 0.39 * Math.exp(-id / 2),
    rank: id,
  });

  return {
    models: async () => models.filter(({ id }) => !removed.has(id)),
    async addModel(_project, path) {
      const model = named(models.length, path, path.split('/').at(-1) ?? path);
      models.push(model);
      return { model, isNew: true };
    },
    async locateModel(id, path) {
      const place = models.findIndex((model) => model.id === id);
      models[place] = { ...models[place]!, path, name: path.split('/').at(-1) ?? path };
      return models[place];
    },
    removeModel: async (id) => void removed.add(id),
    restoreModel: async (id) => void removed.delete(id),
    modelFiles: async (path) => [
      { name: 'config.json', bytes: 712 },
      { name: 'model.safetensors', bytes: path === 'small-world' ? 5_240_000 : 16_060_000_000 },
      { name: 'tokenizer.json', bytes: 9_080_000 },
    ],
    browseFolders: async (path = '/data') => ({
      path: path === '' ? '/data' : path,
      parent: path === '/data' || path === '' ? null : '/data',
      isModel: false,
      folders: ['models', 'gpt2', 'experiments-of-last-year', broken.slice(1)].map((name) => ({
        name,
        path: `${path}/${name}`,
        isModel: name === 'gpt2',
      })),
      more: 0,
      places: [
        { name: 'Home', path: '/data' },
        { name: 'Top', path: '/' },
      ],
    }),
    async scanModels(path, scan) {
      scans.emit({ scan, folders: 120, found: 1, path: `${path}/models` });
      return {
        folders: 240,
        refused: 1,
        complete: true,
        models: ['gpt2', 'pythia-160m'].map((name) => ({ path: `${path}/${name}`, name, bytes: 548_000_000 })),
      };
    },
    onModelScan: scans.subscribe,
    async tokenize(path, texts) {
      if (path === broken) throw new HopscopeError('TokenizerMissing', `${broken} has no tokenizer.json. Download it.`);
      const pattern = path === large ? /\s?\S{1,4}/g : /\S+/g;
      return {
        kind: path === large ? 'byte-level' : 'word-level',
        vocabulary: path === large ? 128_256 : 371,
        texts: texts.map((text) => {
          const found = [...text.matchAll(pattern)];
          return {
            text,
            ids: [1, ...found.map(({ index }) => 17 + 31 * index)],
            tokens: ['<s>', ...found.map(([token]) => token)],
            offsets: [[0, 0], ...found.map(({ index, 0: token }): [number, number] => [index, index + token.length])],
            special: [true, ...found.map(() => false)],
            decoded: text,
          };
        }),
      };
    },
    nextTokens: async (_path, prompt, { top, options }) => ({
      promptTokens: prompt.split(' ').length + 1,
      top: Array.from({ length: top }, (_, id) => next(id)),
      options: options.map((option, place) => ({ ...next(3 * place), text: ` ${option}`, option, rankAmong: place })),
      residency: 'memory',
      seconds: 0.4,
    }),
  };
}
