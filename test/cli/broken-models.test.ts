/** Model folders broken in ways that only files can be, from the command line. What contradicts config.json is in test/engine/models/open-model.test.ts. */
import { cpSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../src-main/engine/files/weight-sets.ts';
import type { FloatTensor } from '../../src-main/engine/tensor.ts';
import { fixturePath, readFixture } from '../parity/fixture.ts';
import { hopscope, refuse, temporaryFolder, writeJson } from './support.ts';

const folder = temporaryFolder();
const indexName = 'model.safetensors.index.json';
const [first, second] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];

function copied(model: string, name: string, damage: (path: (file: string) => string) => void): string {
  const copy = join(folder, name);
  cpSync(fixturePath('models', model), copy, { recursive: true });
  damage((file) => join(copy, file));
  return copy;
}

function rewritten(path: string, change: (tensors: Map<string, FloatTensor>) => void): void {
  const tensors = readWeights(path);
  change(tensors);
  writeSafetensors(path, tensors, { format: 'pt' });
}

const changedConfig = (path: (file: string) => string, change: object) =>
  writeJson(path('config.json'), { ...JSON.parse(readFileSync(path('config.json'), 'utf8')), ...change });

const shardMissing = copied('llama-sharded', 'shard-missing', (path) => rmSync(path(second)));
const cutShort = copied('llama', 'cut-short', (path) => truncateSync(path('model.safetensors'), 100_000));
const twice = copied('llama-sharded', 'twice', (path) =>
  rewritten(path(first), (tensors) => {
    const [name, tensor] = [...readWeights(path(second))][0]!;
    tensors.set(name, tensor);
  }),
);
const elsewhere = copied('llama-sharded', 'elsewhere', (path) => {
  const index = JSON.parse(readFileSync(path(indexName), 'utf8')) as { weight_map: Record<string, string> };
  const { 'lm_head.weight': shard } = index.weight_map;
  writeJson(path(indexName), {
    ...index,
    weight_map: { ...index.weight_map, 'lm_head.weight': shard === first ? second : first },
  });
});
const deep = copied('llama', 'deep', (path) => changedConfig(path, { num_hidden_layers: 1e9 }));
const foreign = copied('llama', 'foreign', (path) => changedConfig(path, { model_type: 'phi3' }));
const extra = copied('qwen2', 'extra', (path) =>
  rewritten(path('model.safetensors'), (tensors) => {
    tensors.set('model.layers.0.self_attn.o_proj.bias', tensors.get('model.norm.weight')!);
  }),
);

test.concurrent.each<[name: string, model: string, code: string, mentions: string]>([
  ['a shard that is not there', shardMissing, 'ShardMissing', second],
  ['a file cut short', cutShort, 'BadSafetensors', 'it is cut short'],
  ['a tensor in two shards', twice, 'DuplicateTensor', first],
  ['a tensor in another shard than the index says', elsewhere, 'MissingTensor', 'lm_head.weight'],
  ['a billion layers', deep, 'BadConfiguration', 'num_hidden_layers is 1000000000'],
  ['an unknown family', foreign, 'UnsupportedFamily', 'gpt2'],
  ['a tensor that nothing reads', extra, 'ExtraTensor', 'model.layers.0.self_attn.o_proj.bias [56]'],
])('%s', async (_name, model, code, mentions) => {
  await refuse(['model', model], code, mentions, folder);
});

test('weights that are not finite give no rank', async () => {
  const place = temporaryFolder();
  const model = join(place, 'not-finite');
  cpSync(fixturePath('models', 'llama'), model, { recursive: true });
  rewritten(join(model, 'model.safetensors'), (tensors) => {
    tensors.get('model.layers.1.mlp.up_proj.weight')!.data[7] = Number.NaN;
  });
  const { datasets } = readFixture<{ datasets: Record<string, { pairs: unknown; options: unknown }> }>('rank', 'llama.json');
  const { pairs, options } = datasets['first-hop.train']!;
  const dataset = writeJson(join(place, 'set.json'), { pairs, options });
  const ranked = await hopscope(['evaluate', '--model', model, '--dataset', dataset, '--json']);
  expect([ranked.code, ranked.json()]).toMatchObject([1, { error: { code: 'LogitNotFinite' } }]);

  const tokens = join(place, 'tokens.safetensors');
  writeSafetensors(tokens, new Map([['input_ids', { type: 'int64', shape: [1, 2], data: BigInt64Array.of(1n, 2n) } as const]]));
  const forward = await hopscope(['forward', '--model', model, '--in', tokens, '--out', join(place, 'out.safetensors')]);
  expect([forward.code, forward.stderr]).toEqual([0, expect.stringMatching(/^warning: 758 logits are not finite/)]);
});
