/**
 * Forward passes, training and scores of every golden model on a WebGPU device, weights, gradients and moments staying there: against the golden
 * values where there are any, else against the CPU. The tolerances are those of float32 sums in another order.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { type ExecutionMode, Executor, type ExecutorSettings } from '../../src-main/engine/execution/executor.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { components } from '../../src-main/engine/execution/score-programs.ts';
import { valuesOf } from '../../src-main/engine/files/values.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { DeviceMemory } from '../../src-main/engine/runtime/device-memory.ts';
import { type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';
import { encodePair, labelTargets } from '../../src-main/engine/training/batch.ts';
import { DeviceState } from '../../src-main/engine/training/device-state.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import { extractiveScores } from '../../src-main/scores/extractive-scores.ts';
// Before anything that computes
import { describeWebGpu } from '../engine/runtime/webgpu-here.ts';
import { covers } from '../scripts/family-table.ts';
import {
  difference,
  expectClose,
  type FixtureModel,
  fixturePath,
  openFixtureModel,
  readFixture,
  readTensors,
} from './fixture.ts';

interface ForwardFixture {
  inputs: Record<'single', { input_ids: number[][] }>;
}

interface TrainingFixture {
  lr: number;
  batches: { input_ids: number[][]; labels: number[][] }[];
  modes: { all: { losses: number[] } };
}

interface ScoresFixture {
  test: [string, string][];
  options: string[];
  points: { counterfactuals: number[] }[];
  accumulation: { prompt: string; answer: string };
}

interface Golden {
  model: string;
  forward: string;
  /** The ways of execution that its training is tried in. */
  modes: ExecutionMode[];
  /** Values of training, where there are any; else batches are llama's and the CPU is what it is compared with. */
  training: boolean;
  scores: boolean;
}

const golden = (model: string, modes: ExecutionMode[], training = true, scores = training, forward = model): Golden => ({
  model,
  forward,
  modes,
  training,
  scores,
});

const models: Golden[] = [
  golden('llama', ['whole', 'blocks']),
  golden('llama-sharded', [], true, false, 'llama'),
  golden('llama-bf16', [], false),
  golden('llama-rope-tied', ['blocks'], true, false),
  golden('llama-biases', ['blocks'], true, false),
  golden('qwen2', ['blocks']),
  golden('mistral', ['blocks'], false),
  golden('olmo', ['blocks']),
  golden('olmo-clip', ['blocks']),
  golden('olmo2', ['blocks'], false),
  golden('gemma2', ['blocks', 'whole']),
  golden('gpt2', ['blocks'], false),
  golden('gpt2-hub-names', [], false, false, 'gpt2'),
  golden('gpt-neox', ['blocks']),
  golden('gpt-neox-sequential', ['blocks'], true, false),
];

/** The batches of models without values of their own are llama's. */
const smallestVocabulary = 300;
const noLabel = -100;

function trainingOf({ model, training }: Golden) {
  const fixture = readFixture<TrainingFixture>('training', `${training ? model : 'llama'}.json`);
  const vocabulary = training ? Number.POSITIVE_INFINITY : smallestVocabulary;
  // Of one length, so that programs compile once
  const positions = Math.max(...fixture.batches.map(({ input_ids: ids }) => ids[0]!.length));
  const padded = (row: readonly number[], value: number) => [...row, ...new Array(positions - row.length).fill(value)];
  return {
    ...fixture,
    steps: fixture.batches.map(({ input_ids: ids, labels }) => ({
      batch: {
        tokens: Int32Array.from(
          ids.flatMap((row) => padded(row, 0)),
          (token) => token % vocabulary,
        ),
        batch: ids.length,
        positions,
      },
      targets: labelTargets(
        labels.map((row) => padded(row, noLabel).map((label) => (label < 0 ? label : label % vocabulary))),
        positions,
      ),
    })),
  };
}

/** Losses, and what was trained, in memory. */
async function train(golden: Golden, { outline, weights }: FixtureModel, settings: ExecutorSettings) {
  const { lr, steps } = trainingOf(golden);
  const executor = new Executor(outline, settings);
  const trainer = await Trainer.create(executor, weights, { ...defaultTraining, learningRate: lr });
  const losses: number[] = [];
  for (const { batch, targets } of steps) losses.push(await trainer.step(batch, targets));
  const trained = new Map<string, FloatTensor>();
  for (const [name, tensor] of trainer.trained) trained.set(name, await valuesOf(tensor));
  const onDevice = trainer.state instanceof DeviceState && trainer.state.isOnDevice;
  await trainer.state.remove();
  executor.release();
  return { losses, trained, onDevice };
}

describeWebGpu('WebGPU', () => {
  const settings = (mode: ExecutionMode): ExecutorSettings => ({ device: 'webgpu', threads: 1, mode });

  // The device forgets its compiled kernels when the last program is released; its memory is one that never is
  beforeAll(() => DeviceMemory.of('webgpu'));

  describe.each(models)('$model', covers('WebGPU'), (golden) => {
    const { model, forward, modes } = golden;
    const opened = openFixtureModel(model);
    const { outline, weights } = opened;

    test('forward', async () => {
      const { input_ids: ids } = readFixture<ForwardFixture>('forward', `${forward}.json`).inputs.single;
      const expected = readTensors('forward', `${forward}.safetensors`);
      const batch = { tokens: Int32Array.from(ids.flat()), batch: ids.length, positions: ids[0]!.length };
      const rows = ids.flat().map((_, row) => row);
      const compare = (name: string, { data }: FloatTensor) =>
        expectClose(name, data, expected.get(`single.${name}`)!.data, 1e-4, 1e-4);
      const blocks = new Executor(outline, settings('blocks'));
      const { logits, observed } = await blocks.forward(weights, batch, rows, ['attn.z', 'mlp.act', 'mlp.out', 'final_norm']);
      compare('logits', logits);
      compare('hidden.final_norm', observed.get('final_norm')!);
      for (let layer = 0; layer < outline.configuration.layers; layer++) {
        compare(`hidden.${layer}`, observed.get(`layers.${layer}.resid`)!);
        compare(`attn_z.${layer}`, observed.get(`layers.${layer}.attn.z`)!);
        compare(`mlp_act.${layer}`, observed.get(`layers.${layer}.mlp.act`)!);
        compare(`mlp_out.${layer}`, observed.get(`layers.${layer}.mlp.out`)!);
      }
      compare('logits', await blocks.logits(weights, batch, rows));
      blocks.release();
      const whole = new Executor(outline, settings('whole'));
      compare('logits', await whole.logits(weights, batch, rows));
      whole.release();
    });

    test.each(modes)('training, %s', async (mode) => {
      const { lr, modes: values, steps } = trainingOf(golden);
      const { losses, trained, onDevice } = await train(golden, opened, settings(mode));
      expect(onDevice).toBe(true);
      const reference = golden.training ? null : await train(golden, opened, { device: 'cpu', threads: 1, mode });
      const expected = reference?.losses ?? values.all.losses;
      losses.forEach((loss, step) => {
        expect(Math.abs(loss - expected[step]!), `loss of step ${step}`).toBeLessThanOrEqual(1e-4);
      });
      const file = golden.training ? readTensors('training', `${model}.all.safetensors`) : null;
      let count = 0;
      let off = 0;
      for (const [name, { data }] of trained) {
        const { data: after } = file ? file.get(`weight.${name}`)! : reference!.trained.get(name)!;
        // Adam's first steps follow a gradient's sign, which rounding decides where it should be 0
        expect(difference(data, after).largest, `weight ${name}`).toBeLessThanOrEqual(2 * steps.length * lr);
        off += difference(data, after, 1e-6).above;
        count += data.length;
      }
      expect(off / count, 'elements off by more than 1e-6').toBeLessThanOrEqual(0.002);
    });

    if (!golden.scores)
      test('scores of an invented change, with the CPU', async () => {
        const changed = new Map(
          [...weights].map(([name, { shape, data }]) => [
            name,
            floatTensor(
              shape,
              data.map((x) => 1.02 * x),
            ),
          ]),
        );
        const question = {
          batch: { tokens: Int32Array.of(5, 9, 40, 7, 5, 9, 11, 200), batch: 2, positions: 4 },
          rows: [3, 7],
          candidates: [3, 17, 60],
        };
        const coefficients = Float32Array.of(0.4, -0.6, 0.2, -0.1, 0.8, -0.7);
        const observers = [settings('whole'), { device: 'cpu', threads: 1 } as const].map(
          (chosen) => new Observer(outline, chosen),
        );
        const [actual, expected] = await Promise.all(
          observers.map((observer) => observer.read(weights, question, coefficients, changed)),
        );
        expectClose('logits', actual!.logits.data, expected!.logits.data, 1e-5, 1e-5);
        for (let layer = outline.configuration.layers - 1; layer >= 0; layer--) {
          const [there, here] = [await actual!.layer(layer), await expected!.layer(layer)];
          for (const [role, { data }] of here.informative)
            expectClose(`${layer} ${role}`, there.informative.get(role)!.data, data, 1e-7, 1e-4);
          for (const part of ['values', 'gradients'] as const)
            for (const component of components)
              expectClose(`${layer} ${part} ${component}`, there[part][component].data, here[part][component].data, 1e-7, 1e-4);
        }
        for (const observer of observers) observer.release();
      });
    else
      test('scores', async () => {
        const fixture = readFixture<ScoresFixture>('scores', `${model}.first-hop.json`);
        const changed = new Map([...weights, ...readTensors('scores', `${model}.first-hop.new-weights.safetensors`)]);
        const { tokenizer, checkpoint } = await openModel(fixturePath('models', model));
        checkpoint.close();
        const set = encodeSet(tokenizer, 'first-hop', fixture.test, fixture.options, 'merge');
        const observer = new Observer(outline, settings(model === 'olmo' ? 'blocks' : 'whole'));
        const { average } = await extractiveScores({
          observer,
          old: weights,
          new: changed,
          set,
          accumulation: encodePair(tokenizer, [fixture.accumulation.prompt, fixture.accumulation.answer]),
          counterfactuals: fixture.points.map((point) => point.counterfactuals),
        });
        observer.release();
        const expected = readTensors('scores', `${model}.first-hop.safetensors`);
        for (const [name, { shape, data }] of average) {
          expect(expected.get(`average.${name}`)!.shape, name).toEqual(shape);
          expectClose(name, data, expected.get(`average.${name}`)!.data, 2e-5, 2e-4);
        }
      });
  });
});
