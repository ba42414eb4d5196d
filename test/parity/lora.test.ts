/** Low-rank adapters against PyTorch: losses, gradients of A and B, both and the merged weights after three Adam steps, wherever weights are kept. */
import { describe, expect, test } from 'vitest';
import { Executor } from '../../src-main/engine/execution/executor.ts';
import { loadWeights } from '../../src-main/engine/execution/load-weights.ts';
import { valuesOf } from '../../src-main/engine/files/values.ts';
import type { LoraChoice } from '../../src-main/engine/models/lora-targets.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { labelTargets } from '../../src-main/engine/training/batch.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import type { Weights } from '../../src-main/engine/weights.ts';
import { difference, expectClose, fixturePath, openFixtureModel, readFixture, readTensors } from './fixture.ts';

interface LoraFixture {
  lr: number;
  rank: number;
  alpha: number;
  targets: string[];
  layers: number[] | null;
  batches: { input_ids: number[][]; labels: number[][] }[];
  losses: number[];
}

/** Of PEFT's names `attn.c_proj` is needed where attention and MLP both have a c_proj; the others are known by their last part. */
const targetsOf: Record<string, LoraChoice['targets']> = {
  // PEFT's default, which is ours
  llama: undefined,
  gpt2: ['c_attn', 'attn.c_proj', 'mlp.up', 'mlp.c_proj'],
  gemma2: 'all',
  'olmo-clip': ['attn.q', 'k_proj', 'self_attn.v_proj'],
};

function openLora(id: string) {
  const fixture = readFixture<LoraFixture>('training', `${id}.lora.json`);
  const golden = readTensors('training', `${id}.lora.safetensors`);
  const { rank, alpha, layers } = fixture;
  const targets = targetsOf[id];
  const lora: LoraChoice = { rank, alpha, ...(targets && { targets }), ...(layers && { layers }) };
  const steps = fixture.batches.map(({ input_ids: ids, labels }) => ({
    batch: { tokens: Int32Array.from(ids.flat()), batch: ids.length, positions: ids[0]!.length },
    targets: labelTargets(labels, ids[0]!.length),
  }));
  return { fixture, golden, lora, steps, settings: { ...defaultTraining, learningRate: fixture.lr, trainable: { lora } } };
}

/** A trainer whose adapters begin at the golden ones. */
async function begin(id: string, executor: Executor, weights: Weights): Promise<Trainer> {
  const { golden, settings } = openLora(id);
  const trainer = await Trainer.create(executor, weights, settings);
  for (const [name, { data }] of trainer.lora!.matrices) data.set(golden.get(`first.${name}`)!.data);
  return trainer;
}

describe.each(Object.keys(targetsOf))('%s', (id) => {
  const { fixture, golden, steps } = openLora(id);

  test.each(['whole', 'blocks'] as const)('three steps are PyTorch’s, %s', async (mode) => {
    const { weights, executor, outline } = openFixtureModel(id);
    const run = executor(mode);
    const trainer = await begin(id, run, weights);
    const expectedNames = [...golden.keys()].flatMap((name) => (name.startsWith('merged.') ? [name.slice(7)] : [])).sort();
    expect([...trainer.trained.keys()].sort()).toEqual(expectedNames);
    const gradients = new Map<string, Float32Array>();
    for (const [index, { batch, targets }] of steps.entries()) {
      const observe =
        index === 0
          ? { observe: ({ name }: { name: string }, gradient: Float32Array) => void gradients.set(name, gradient.slice()) }
          : {};
      const loss = await trainer.step(batch, targets, observe);
      expect(Math.abs(loss - fixture.losses[index]!), `loss of step ${index}`).toBeLessThanOrEqual(1e-5);
    }
    expect(gradients.size).toBe(2 * trainer.trained.size);
    for (const [name, gradient] of gradients)
      expectClose(`gradient of ${name}`, gradient, golden.get(`grad.${name}`)!.data, 0, 1e-3);

    let off = 0;
    for (const [name, { data }] of trainer.lora!.matrices) {
      const after = golden.get(`weight.${name}`)!;
      expect(difference(data, after.data).largest, `weight ${name}`).toBeLessThanOrEqual(2 * 3 * fixture.lr);
      off += difference(data, after.data, 1e-6).above;
    }
    expect(off, 'elements off by more than 1e-6').toBeLessThanOrEqual(20);
    for (const [name, tensor] of trainer.trained) {
      const merged = golden.get(`merged.${name}`)!;
      expect(tensor.shape).toEqual(merged.shape);
      expectClose(`merged ${name}`, (await valuesOf(tensor)).data, merged.data, 1e-4, 0);
      expect(difference((await valuesOf(tensor)).data, weights.get(name)!.data).largest, `${name} changed`).toBeGreaterThan(1e-3);
    }
    for (const { name } of outline.parameters.all) {
      if (!trainer.trained.has(name)) expect(trainer.weights.get(name)).toBe(weights.get(name));
    }
    run.release();
  });

  test.each(['whole', 'blocks'] as const)('the weights with the adapters in them give the loss of training, %s', async (mode) => {
    const { weights, executor } = openFixtureModel(id);
    const run = executor(mode);
    const trainer = await begin(id, run, weights);
    const lossNow = ({ batch, targets }: (typeof steps)[number]) =>
      run.lossAndGradients(trainer.weights, batch, targets, new Set(), {
        buffer: () => new Float32Array(),
        complete() {},
        completeRows() {},
      });
    for (const step of steps) {
      const seen = await lossNow(step);
      expect(Math.abs(seen - (await trainer.step(step.batch, step.targets)))).toBeLessThan(1e-5);
    }
    run.release();
  });

  test('block by block with all weights in files gives the same bits', async () => {
    const model = await openModel(fixturePath('models', id));
    const results = [];
    for (const weights of [loadWeights(model), loadWeights(model, 0)]) {
      const executor = new Executor(model, { device: 'cpu', threads: 1, mode: 'blocks' });
      const trainer = await begin(id, executor, weights);
      const losses = [];
      for (const { batch, targets } of steps) losses.push(await trainer.step(batch, targets));
      const { batch } = steps[0]!;
      const logits = await executor.logits(trainer.weights, batch, [0, batch.positions - 1]);
      const merged = [];
      for (const [name, tensor] of trainer.trained) merged.push([name, (await valuesOf(tensor)).data] as const);
      results.push({ losses, logits: logits.data, merged, matrices: [...trainer.lora!.matrices].map(([, { data }]) => data) });
      executor.release();
    }
    expect(results[1]).toEqual(results[0]);
    model.checkpoint.close();
  });

  test('adapters change nothing before the first step, and are drawn from their names and the seed', async () => {
    const { weights, executor } = openFixtureModel(id);
    const run = executor('whole');
    const { lora, settings } = openLora(id);
    const draw = async (seed: number, layers = lora.layers) => {
      const choice = { ...lora, ...(layers && { layers }), seed };
      const trainer = await Trainer.create(run, weights, { ...settings, trainable: { lora: choice } });
      for (const [name, tensor] of trainer.trained) expect((await valuesOf(tensor)).data).toEqual(weights.get(name)!.data);
      return new Map(trainer.lora!.matrices);
    };
    const [first, again, other, fewer] = [await draw(0), await draw(0), await draw(1), await draw(0, [1])];
    expect(again).toEqual(first);
    const matrices = [...first].filter(([name]) => name.includes('lora_A'));
    for (const [name, { data, shape }] of matrices) {
      expect(other.get(name)!.data).not.toEqual(data);
      const bound = 1 / Math.sqrt(shape[1]!);
      const largest = Math.max(...data.map(Math.abs));
      expect(largest).toBeLessThanOrEqual(bound);
      expect(largest).toBeGreaterThan(0.8 * bound);
    }
    expect(fewer.size).toBeLessThan(first.size);
    for (const [name, tensor] of fewer) expect(tensor).toEqual(first.get(name));
    run.release();
  });
});
