/** `train` with low-rank adapters: what it writes fits together and is what PEFT reads, and what it refuses. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SafetensorsFile } from '../../src-main/engine/files/safetensors.ts';
import { isDelta, readWeights } from '../../src-main/engine/files/weight-sets.ts';
import { difference, fixturePath, openFixtureModel } from '../parity/fixture.ts';
import { refuse, succeed, temporaryFolder, writeJson } from './support.ts';

const folder = temporaryFolder();
const batches = [
  {
    input_ids: [
      [5, 6, 7, 8],
      [9, 8, 7, 6],
    ],
    labels: [
      [-100, 6, 7, 8],
      [-100, -100, 7, 6],
    ],
  },
];
const plan = (name: string, lora: unknown, more = {}) =>
  writeJson(join(folder, name), { batches, epochs: 3, lr: 0.02, trainable: { lora }, ...more });

/** Module names of the model that the adapters are for: PEFT's are those of transformers' modules. */
test.each([
  ['llama', { rank: 4, alpha: 6, layers: [1] }, 'model.layers.1.self_attn', ['q_proj', 'v_proj'], false],
  ['gpt2-hub-names', { rank: 3, targets: ['c_attn', 'mlp.up'] }, 'transformer.h.1', ['attn.c_attn', 'mlp.c_fc'], true],
])('%s', async (id, lora, path, modules, isInputFirst) => {
  const out = join(folder, id);
  const given = ['--plan', plan(`${id}.json`, lora, { save_gradients: [1] }), '--out', out, '--save-model'];
  const result = await succeed(['train', '--model', fixturePath('models', id), ...given]);
  expect(readdirSync(out).sort()).toEqual([...(result.files as string[])].sort());
  const { weights: base } = openFixtureModel(id);
  const weights = readWeights(join(out, 'weights.safetensors'));
  const delta = readWeights(join(out, 'delta.safetensors'));
  const matrices = readWeights(join(out, 'adapter_model.safetensors'));
  const gradients = readWeights(join(out, 'gradients.1.safetensors'));
  const whole = SafetensorsFile.open(join(out, 'model', 'model.safetensors'));
  expect([...gradients.keys()].sort()).toEqual([...matrices.keys()].sort());
  expect(matrices.size).toBe(2 * weights.size);
  expect([...delta.keys()].sort()).toEqual([...weights.keys()].sort());
  const deltaFile = SafetensorsFile.open(join(out, 'delta.safetensors'));
  expect(isDelta(deltaFile.header.metadata)).toBe(true);
  deltaFile.close();
  expect(result.trained).toEqual([...weights.keys()]);

  const configuration = JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
  const names = modules.map((module) => ('layers' in lora ? `${path}.${module}` : module));
  expect(configuration).toMatchObject({
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r: lora.rank,
    lora_alpha: 'alpha' in lora ? lora.alpha : 16,
    target_modules: names,
    fan_in_fan_out: isInputFirst,
  });
  for (const module of modules) {
    const name = `${path}.${module}.weight`;
    const own = weights.has(name) ? name : name.replace('transformer.', '');
    const { shape, data } = weights.get(own)!;
    const [a, b] = ['A', 'B'].map((part) => matrices.get(`base_model.model.${path}.${module}.lora_${part}.weight`)!);
    const [input, output] = isInputFirst ? [shape[0]!, shape[1]!] : [shape[1]!, shape[0]!];
    expect([a!.shape, b!.shape]).toEqual([
      [lora.rank, input],
      [output, lora.rank],
    ]);
    const scale = (configuration.lora_alpha as number) / lora.rank;
    const change = data.map((_, place) => {
      const [row, column] = [Math.floor(place / shape[1]!), place % shape[1]!];
      const [from, to] = isInputFirst ? [row, column] : [column, row];
      let sum = 0;
      for (let k = 0; k < lora.rank; k++) sum += b!.data[to * lora.rank + k]! * a!.data[k * input + from]!;
      return scale * sum;
    });
    expect(Math.max(...change.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(difference(delta.get(own)!.data, change).largest).toBeLessThan(1e-6);
    const merged = base.get(own)!.data.map((value, place) => value + change[place]!);
    expect(difference(data, merged).largest).toBeLessThan(1e-6);
    expect(whole.read(own).data).toEqual(data);
  }
  whole.close();
});

test('refusals', async () => {
  const train = (name: string, lora: unknown, ...more: string[]) => [
    'train',
    '--model',
    fixturePath('models', 'llama'),
    '--plan',
    plan(name, lora),
    '--out',
    join(folder, 'refused'),
    ...more,
  ];
  await refuse(train('rank.json', { rank: 0 }), 'BadPlan', 'rank 0', folder);
  await refuse(train('target.json', { targets: ['c_attn'] }), 'BadTrainable', '"c_attn"', folder);
  await refuse(train('large.json', { rank: 500 }), 'BadTrainable', 'rank 500', folder);
  await refuse(train('scratch.json', {}, '--scratch', 'scratch'), 'BadPlan', '--scratch', folder);
});
