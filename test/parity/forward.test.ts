/** Forward passes of every golden model against transformers: residual streams, head outputs, MLP activations, logits, both ways of execution. */
import { describe, expect, test } from 'vitest';
import type { TokenBatch } from '../../src-main/engine/execution/executor.ts';
import { covers } from '../scripts/family-table.ts';
import { expectClose, openFixtureModel, readFixture, readTensors } from './fixture.ts';

interface ForwardFixture {
  inputs: Record<'ragged' | 'single', { input_ids: number[][]; attention_mask: number[][] }>;
}

/** Model folder and the name of its values. */
const models: [model: string, values: string][] = [
  ['llama', 'llama'],
  ['llama-sharded', 'llama'],
  ['llama-bf16', 'llama-bf16'],
  ['llama-rope-tied', 'llama-rope-tied'],
  ['llama-biases', 'llama-biases'],
  ['qwen2', 'qwen2'],
  ['mistral', 'mistral'],
  ['olmo', 'olmo'],
  ['olmo-clip', 'olmo-clip'],
  ['olmo2', 'olmo2'],
  ['gemma2', 'gemma2'],
  ['gpt2', 'gpt2'],
  ['gpt2-hub-names', 'gpt2'],
  ['gpt-neox', 'gpt-neox'],
  ['gpt-neox-sequential', 'gpt-neox-sequential'],
];

describe.each(models)('%s', covers('forward'), (model, values) => {
  const { outline, weights, executor } = openFixtureModel(model);
  const fixture = readFixture<ForwardFixture>('forward', `${values}.json`);
  const expected = readTensors('forward', `${values}.safetensors`);
  const { layers } = outline.configuration;

  test.each(['ragged', 'single'] as const)('%s batch', async (input) => {
    const { input_ids: ids, attention_mask: mask } = fixture.inputs[input];
    const positions = ids[0]!.length;
    const batch: TokenBatch = { tokens: Int32Array.from(ids.flat()), batch: ids.length, positions };
    const rows = ids.flatMap((_, item) => Array.from({ length: positions }, (_, position) => item * positions + position));
    const real = rows.filter((row) => mask.flat()[row] === 1);
    const blocks = executor('blocks');
    const { logits, observed } = await blocks.forward(weights, batch, rows, ['attn.z', 'mlp.act', 'mlp.out', 'final_norm']);

    const compare = (name: string, actual: Float32Array) => {
      const reference = expected.get(`${input}.${name}`)!.data;
      const width = reference.length / rows.length;
      const pick = (data: Float32Array) => real.flatMap((row) => Array.from(data.subarray(row * width, (row + 1) * width)));
      expectClose(`${input}.${name}`, pick(actual), pick(reference), 1e-4, 1e-4);
    };
    compare('hidden.embed', observed.get('embedding')!.data);
    for (let layer = 0; layer < layers; layer++) {
      compare(`hidden.${layer}`, observed.get(`layers.${layer}.resid`)!.data);
      compare(`attn_z.${layer}`, observed.get(`layers.${layer}.attn.z`)!.data);
      compare(`mlp_act.${layer}`, observed.get(`layers.${layer}.mlp.act`)!.data);
      compare(`mlp_out.${layer}`, observed.get(`layers.${layer}.mlp.out`)!.data);
    }
    compare('hidden.final_norm', observed.get('final_norm')!.data);
    compare('logits', logits.data);
    blocks.release();

    const whole = executor('whole');
    compare('logits', (await whole.logits(weights, batch, rows)).data);
    const few = await whole.logits(weights, batch, [real.at(-1)!]);
    expect(few.shape).toEqual([1, outline.configuration.vocabulary]);
    whole.release();
  });
});
