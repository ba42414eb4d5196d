/** Losses, all gradients and three Adam steps of every golden model against PyTorch, in both ways of execution. */
import { describe, expect, test } from 'vitest';
import type { Trainable } from '../../src-main/engine/models/parameters.ts';
import { labelTargets } from '../../src-main/engine/training/batch.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import { inMemory } from '../../src-main/engine/weights.ts';
import { covers } from '../scripts/family-table.ts';
import { difference, expectClose, openFixtureModel, readFixture, readTensors } from './fixture.ts';

interface TrainingFixture {
  lr: number;
  tied_embeddings: boolean;
  batches: { input_ids: number[][]; labels: number[][] }[];
  modes: Record<string, { trainable: string[]; losses: number[]; losses_after_on_each_batch: number[] }>;
}

const trainables: Record<string, Trainable> = { all: 'all', mlp_attn: 'mlp_attn', layers_0_1: { layers: [0, 1] } };

const models: [model: string, modes: string[]][] = [
  ...['llama', 'qwen2', 'olmo', 'olmo-clip', 'gemma2', 'gpt-neox'].map((id): [string, string[]] => [id, Object.keys(trainables)]),
  ['llama-rope-tied', ['all']],
  ['llama-biases', ['all']],
  ['gpt-neox-sequential', ['all']],
];

/**
 * Zero but for rounding in float64, as that of keys' biases, which softmax does not see: Adam's first steps follow the sign of the rounding, and
 * float32's is another.
 */
const vanishes = (gradient: number) => gradient !== 0 && Math.abs(gradient) < 1e-12;

describe.each(models)('%s', covers(['gradients', 'training']), (id, modes) => {
  const fixture = readFixture<TrainingFixture>('training', `${id}.json`);
  const batches = fixture.batches.map(({ input_ids: ids, labels }) => ({
    batch: { tokens: Int32Array.from(ids.flat()), batch: ids.length, positions: ids[0]!.length },
    targets: labelTargets(labels, ids[0]!.length),
  }));
  const cases = modes.flatMap((mode) => (['whole', 'blocks'] as const).map((execution) => [mode, execution] as const));

  test.each(cases)('%s, %s', async (mode, execution) => {
    const { outline, weights, executor } = openFixtureModel(id);
    const expected = fixture.modes[mode]!;
    const run = executor(execution);
    const trainer = await Trainer.create(run, weights, {
      ...defaultTraining,
      learningRate: fixture.lr,
      trainable: trainables[mode]!,
    });
    expect([...trainer.state.weights.keys()].sort()).toEqual([...expected.trainable].sort());

    const gradients = new Map<string, Float32Array>();
    for (const [step, { batch, targets }] of batches.entries()) {
      const observe =
        step === 0
          ? { observe: ({ name }: { name: string }, gradient: Float32Array) => void gradients.set(name, gradient.slice()) }
          : {};
      const loss = await trainer.step(batch, targets, observe);
      expect(Math.abs(loss - expected.losses[step]!), `loss of step ${step}`).toBeLessThanOrEqual(1e-5);
    }
    const reference = readTensors('training', `${id}.grads.safetensors`);
    for (const name of expected.trainable)
      expectClose(`gradient of ${name}`, gradients.get(name)!, reference.get(`grad.${name}`)!.data, 0, 1e-3);

    const after = readTensors('training', `${id}.${mode}.safetensors`);
    let off = 0;
    for (const [name, { data }] of inMemory(trainer.state.weights)) {
      const [golden, gradient] = [after.get(`weight.${name}`)!.data, reference.get(`grad.${name}`)!.data];
      expect(difference(data, golden).largest, `weight ${name}`).toBeLessThanOrEqual(2 * 3 * fixture.lr);
      const telling = data.map((value, index) => (vanishes(gradient[index]!) ? golden[index]! : value));
      off += difference(telling, golden, 1e-6).above;
    }
    expect(off, 'elements off by more than 1e-6').toBeLessThanOrEqual(20);
    for (const { name } of outline.parameters.all) {
      if (!expected.trainable.includes(name)) expect(trainer.weights.get(name)).toBe(weights.get(name));
    }
    run.release();
  });
});
