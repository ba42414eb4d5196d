/**
 * What a device does besides the plain cases: less room than the work wants, matrices in stretches, clipping and decay, adapters, scratch folders,
 * interventions, and a device that is lost in the middle. The CPU is what it is compared with.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { logitsBetween, logitTangents } from '../../src-main/engine/execution/change-observer.ts';
import { DeviceStage } from '../../src-main/engine/execution/device-stage.ts';
import { Executor, type ExecutorSettings } from '../../src-main/engine/execution/executor.ts';
import { Interventions } from '../../src-main/engine/execution/interventions.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { openCheckpoint } from '../../src-main/engine/files/checkpoint.ts';
import { valuesOf } from '../../src-main/engine/files/values.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { deviceError } from '../../src-main/engine/runtime/device-errors.ts';
import { DeviceMemory } from '../../src-main/engine/runtime/device-memory.ts';
import { reclaimMemories } from '../../src-main/engine/runtime/reclaim.ts';
import { floatTensor } from '../../src-main/engine/tensor.ts';
import { AdamState } from '../../src-main/engine/training/adam-state.ts';
import { labelTargets } from '../../src-main/engine/training/batch.ts';
import { DeviceState } from '../../src-main/engine/training/device-state.ts';
import { drawOrder } from '../../src-main/engine/training/finetune.ts';
import { defaultTraining, Trainer, type TrainerSettings } from '../../src-main/engine/training/trainer.ts';
import type { Weights } from '../../src-main/engine/weights.ts';
import type { ExperimentContext } from '../../src-main/experiments/experiment.ts';
import { runStage, WorkCounter } from '../../src-main/experiments/stage.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import type { Emission, Pair } from '../../src-main/shared/records.ts';
import { temporaryFolder } from '../engine/files/scratch.ts';
// Before anything that computes
import { describeWebGpu } from '../engine/runtime/webgpu-here.ts';
import { difference, expectClose, fixturePath, openFixtureModel, readFixture } from './fixture.ts';

const here: ExecutorSettings = { device: 'cpu', threads: 1 };
const there: ExecutorSettings = { device: 'webgpu', threads: 1 };

/** A device that is lost when it is asked for weights for the `calls`-th time. */
class LosingStage extends DeviceStage {
  calls: number;
  readonly warnings: string[] = [];
  onWarning = (message: string): void => void this.warnings.push(message);

  constructor(calls: number) {
    super('webgpu', { onDeviceFailure: (message) => this.onWarning(message) });
    this.calls = calls;
  }

  override feeds(...given: Parameters<DeviceStage['feeds']>): ReturnType<DeviceStage['feeds']> {
    if (--this.calls === 0) throw deviceError('The program "block forward" failed', 'Device is lost');
    return super.feeds(...given);
  }
}

/** Bytes of the device that are in use, once what earlier tests left behind is freed. */
async function allocatedNow(): Promise<number> {
  reclaimMemories();
  await new Promise((resolve) => setImmediate(resolve));
  return (await DeviceMemory.of('webgpu')).allocated;
}

interface Lists {
  'first-hop': { train: Pair[]; options: { train: string[] } };
}

const question = {
  batch: { tokens: Int32Array.of(5, 9, 40, 7, 5, 9, 11, 200), batch: 2, positions: 4 },
  rows: [3, 7],
  candidates: [3, 17, 60],
};

const lr = 1e-3;
const steps = [1, 2, 3].map((step) => ({
  batch: { tokens: Int32Array.from({ length: 10 }, (_, index) => (index * 7 * step + 3) % 200), batch: 2, positions: 5 },
  targets: labelTargets(
    [0, 1].map((item) => [0, 1, 2, 3, 4].map((position) => (position < 2 ? -100 : (17 * step + position + item) % 200))),
    5,
  ),
}));

async function train(
  id: string,
  settings: ExecutorSettings,
  training: Partial<TrainerSettings> = {},
  { scratch, base, count = steps.length }: { scratch?: string; base?: Weights; count?: number } = {},
) {
  const { outline, weights } = openFixtureModel(id);
  const executor = new Executor(outline, settings);
  const place = scratch === undefined ? undefined : { folder: scratch, key: 'test', groups: 2 };
  const options = { ...defaultTraining, learningRate: lr, ...training };
  const trainer = await Trainer.create(executor, base ?? weights, options, place);
  const losses: number[] = [];
  const logits: number[][] = [];
  for (let step = 0; step < count; step++) {
    const { batch, targets } = steps[step % steps.length]!;
    losses.push(await trainer.step(batch, targets));
    // Between steps, as evaluations do
    logits.push([...(await executor.logits(trainer.weights, batch, [4])).data]);
  }
  const trained = new Map<string, Float32Array>();
  for (const [name, tensor] of trainer.trained) trained.set(name, (await valuesOf(tensor)).data.slice());
  return { losses, logits, trained, trainer, executor };
}

type Outcome = Awaited<ReturnType<typeof train>>;

function expectAlike(actual: Outcome, expected: Outcome): void {
  expectClose('losses', actual.losses, expected.losses, 1e-4, 0);
  for (const [step, logits] of expected.logits.entries()) expectClose(`logits ${step}`, actual.logits[step]!, logits, 2e-3, 1e-3);
  expect([...actual.trained.keys()].sort()).toEqual([...expected.trained.keys()].sort());
  let [off, count] = [0, 0];
  for (const [name, values] of expected.trained) {
    // Adam's first steps follow a gradient's sign, which rounding decides where it should be 0
    expect(difference(actual.trained.get(name)!, values).largest, name).toBeLessThanOrEqual(2 * expected.losses.length * lr);
    off += difference(actual.trained.get(name)!, values, 2e-5).above;
    count += values.length;
  }
  expect(off / count, 'elements off by more than 2e-5').toBeLessThanOrEqual(0.005);
  for (const { trainer, executor } of [actual, expected]) {
    void trainer.state.remove();
    executor.release();
  }
}

describeWebGpu('WebGPU', () => {
  beforeAll(() => DeviceMemory.of('webgpu'));

  const blocks = { mode: 'blocks' } as const;
  const stretched = { ...blocks, wholeHeadElements: 1500 };
  const lora = { lora: { rank: 2, alpha: 4, seed: 1 } };

  test.each<[string, string, ExecutorSettings, Partial<TrainerSettings>]>([
    ['an output matrix in stretches', 'llama', { ...there, ...stretched }, {}],
    ['a tied matrix in stretches', 'llama-rope-tied', { ...there, ...stretched }, {}],
    ['clipping and decay', 'gpt2', there, { clip: 0.5, weightDecay: 0.1, decayed: 'matrices' }],
    ['part of the layers', 'llama', { ...there, ...blocks }, { trainable: { layers: [1] } }],
  ])('%s', async (_, id, settings, training) => {
    const actual = await train(id, settings, training);
    expect(actual.trainer.state).toBeInstanceOf(DeviceState);
    expectAlike(actual, await train(id, { ...settings, device: 'cpu' }, training));
  });

  test('the same steps on the same device give the same bits', async () => {
    const [first, second] = [await train('llama', there), await train('llama', there)];
    expect(second.losses).toEqual(first.losses);
    for (const [name, values] of first.trained) expect(second.trained.get(name), name).toEqual(values);
    expectAlike(first, second);
  });

  test('a saved state is gone back to', async () => {
    const { trainer, executor, trained } = await train('llama', { ...there, ...stretched });
    const saved = trainer.saved();
    expect(saved.step).toBe(3);
    const [{ batch, targets }] = steps as [(typeof steps)[0]];
    const loss = await trainer.step(batch, targets);
    trainer.restore(saved);
    for (const [name, { data }] of trainer.saved().tensors) expect(data, name).toEqual(saved.tensors.get(name)!.data);
    expect(await trainer.step(batch, targets)).toBe(loss);
    // A change is counted at once, whatever becomes of the weights
    const delta = trainer.delta();
    const [name] = trained.keys();
    const change = (await valuesOf(delta.tensors.get(name!)!)).data.slice();
    await trainer.step(batch, targets);
    expect((await valuesOf(delta.tensors.get(name!)!)).data).toEqual(change);
    await trainer.state.remove();
    executor.release();
  });

  test('a device without room for moments gives gradients, and steps are taken in memory', async () => {
    const { outline } = openFixtureModel('llama');
    const memory = await DeviceMemory.of('webgpu');
    const messages: string[] = [];
    const deviceBytes = (await allocatedNow()) + outline.parameters.count * 4 * 2;
    const settings = { ...blocks, deviceBytes, onDeviceFailure: (message: string) => messages.push(message) };
    const actual = await train('llama', { ...there, ...settings });
    expect(actual.trainer.state).toBeInstanceOf(AdamState);
    expect(messages).toEqual([expect.stringMatching(/does not fit the device with its moments/)]);
    expect(memory.allocated).toBeLessThanOrEqual(deviceBytes);
    expectAlike(actual, await train('llama', { ...here, ...blocks }));
  });

  test('weights that the device has no room for are brought there in turn; what does not fit at all is named', async () => {
    const { outline, weights } = openFixtureModel('llama');
    const memory = await DeviceMemory.of('webgpu');
    const { batch } = steps[0]!;
    const expected = await new Executor(outline, { ...here, ...blocks }).logits(weights, batch, [4, 9]);
    const group = Math.max(
      ...[...outline.parameters.blocks, outline.parameters.head].map((list) =>
        list.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0),
      ),
    );
    const started = await allocatedNow();
    const tight = new Executor(outline, { ...there, ...blocks, deviceBytes: started + group + 20_000 });
    for (let pass = 0; pass < 2; pass++)
      expectClose('logits', (await tight.logits(weights, batch, [4, 9])).data, expected.data, 1e-5, 1e-5);
    expect(memory.allocated).toBeLessThanOrEqual(started + group + 20_000);
    const observers = [tight.settings, { ...here, ...blocks }].map((settings) => new Observer(outline, settings));
    const coefficients = Float32Array.of(0.4, -0.6, 0.2, -0.1, 0.8, -0.7);
    const [actual, reference] = await Promise.all(
      observers.map(async (observer) => {
        const reading = await observer.read(weights, question, coefficients);
        const layers = [];
        for (let layer = outline.configuration.layers - 1; layer >= 0; layer--) layers.push(await reading.layer(layer));
        observer.release();
        return layers.flatMap(({ gradients }) => [...gradients['mlp.out'].data]);
      }),
    );
    expectClose('gradients', actual!, reference!, 1e-7, 1e-4);
    tight.release();
    const tiny = new Executor(outline, { ...there, ...blocks, deviceBytes: (await allocatedNow()) + group / 2 });
    await expect(tiny.logits(weights, batch, [4])).rejects.toMatchObject({
      code: 'OutOfDeviceMemory',
      message: expect.stringMatching(/no room on the device for \S+\.weight \[\d+.*bytes to be used/),
    });
    tiny.release();
    expect(await allocatedNow()).toBeLessThanOrEqual(started);
    memory.limitTo(Number.POSITIVE_INFINITY);
  });

  test('adapters, and training through a scratch folder', async () => {
    expectAlike(await train('llama', there, { trainable: lora }), await train('llama', here, { trainable: lora }));
    const through = await train('llama', { ...there, ...blocks }, {}, { scratch: join(temporaryFolder(), 'there') });
    expectAlike(through, await train('llama', { ...here, ...blocks }, {}, { scratch: join(temporaryFolder(), 'here') }));
  });

  test('weights from 16-bit files, replacements, and ways between two sets of weights', async () => {
    const { outline, weights } = openFixtureModel('llama-bf16');
    const checkpoint = openCheckpoint(fixturePath('models', 'llama-bf16'));
    const stored: Weights = new Map(outline.parameters.all.map(({ name }) => [name, checkpoint.stored(name)]));
    const changed = new Map(
      [...weights].map(([name, { shape, data }]) => [
        name,
        floatTensor(
          shape,
          data.map((x) => 1.05 * x),
        ),
      ]),
    );
    const { hidden, headSize } = outline.configuration;
    const edits = [
      { item: 0, layer: 0, head: 1, token: 2, value: new Float32Array(headSize).fill(0.1) },
      { item: 1, layer: 1, head: null, token: 3, value: new Float32Array(hidden).fill(-0.2) },
    ];
    const resultsOn = async (settings: ExecutorSettings, base: Weights) => {
      const observer = new Observer(outline, settings);
      const replaced = (['whole', 'blocks'] as const).map((mode) => new Interventions(outline, { ...settings, mode }));
      const results = [
        await logitsBetween(observer, base, changed, 0.3, question),
        await logitTangents(observer, base, changed, question),
        ...(await Promise.all(replaced.map((each) => each.logits(base, question, edits)))),
      ];
      for (const each of [observer, ...replaced]) each.release();
      return results;
    };
    const expected = await resultsOn(here, weights);
    for (const [index, { data }] of (await resultsOn(there, stored)).entries())
      expectClose(`result ${index}`, data, expected[index]!.data, 1e-5, 1e-5);
    checkpoint.close();
  });

  describe('a device that is lost', () => {
    test.each([
      ['in the second step, whole', 3, {}],
      ['in the middle of a step, block by block', 13, blocks],
    ] as const)('%s: training goes on in memory from where it was', async (_, calls, mode) => {
      const stage = new LosingStage(calls);
      const actual = await train('llama', { ...there, ...mode, stage });
      expect(stage.isLost).toBe(true);
      expect(stage.warnings).toEqual([expect.stringMatching(/device was lost.*goes on on the CPU, from the last checkpoint/)]);
      expect((actual.trainer.state as DeviceState).isOnDevice).toBe(false);
      // What is said to have been trained from the lost weights comes from memory as well
      const next = await train('llama', { ...there, ...mode, stage }, {}, { base: actual.trainer.weights });
      const expected = await train('llama', { ...here, ...mode });
      expectAlike(next, await train('llama', { ...here, ...mode }, {}, { base: expected.trainer.weights }));
      expectAlike(actual, expected);
    });

    test('after so many steps that the first are not taken again', async () => {
      const options = { learningRate: 1e-5 };
      const stage = new LosingStage(2 * 18);
      const actual = await train('llama', { ...there, stage }, options, { count: 19 });
      expect(stage.isLost).toBe(true);
      expectAlike(actual, await train('llama', here, options, { count: 19 }));
    });

    test('after adapters took steps: they go on from there', async () => {
      const stage = new LosingStage(5);
      const actual = await train('llama', { ...there, stage }, { trainable: lora });
      expect(stage.isLost).toBe(true);
      expectAlike(actual, await train('llama', here, { trainable: lora }));
    });

    test.each([1, 4, 6])('at call %i of a reading: it is done again', async (calls) => {
      const { outline, weights } = openFixtureModel('llama');
      const stage = new LosingStage(calls);
      const coefficients = Float32Array.of(0.4, -0.6, 0.2, -0.1, 0.8, -0.7);
      const observers = [new Observer(outline, { ...there, stage }), new Observer(outline, here)];
      const [actual, expected] = await Promise.all(
        observers.map((observer) => observer.read(weights, question, coefficients, undefined, 1)),
      );
      for (let layer = outline.configuration.layers - 1; layer >= 0; layer--) {
        const [lost, kept] = [await actual!.layer(layer), await expected!.layer(layer)];
        expectClose(`${layer}`, lost.gradients['attn.z'].data, kept.gradients['attn.z'].data, 1e-7, 1e-4);
      }
      expect(stage.isLost).toBe(true);
      for (const observer of observers) observer.release();
    });

    test('in an experiment: it goes on, and says so', async () => {
      const { outline, weights } = openFixtureModel('llama');
      const { train: pairs, options } = readFixture<Lists>('experiments', 'llama.json')['first-hop'];
      const { tokenizer, checkpoint } = await openModel(fixturePath('models', 'llama'));
      checkpoint.close();
      const set = encodeSet(tokenizer, 'facts', pairs, options.train, 'merge');
      const order = drawOrder(set.examples.length, 4, 2, 1);
      const runOn = async (settings: ExecutorSettings, emit: ExperimentContext['emit']) => {
        const executor = new Executor(outline, settings);
        const trainer = await Trainer.create(executor, weights, { ...defaultTraining, learningRate: lr });
        const context = {
          executor,
          emit,
          progress() {},
          turn: async () => {},
          signal: undefined,
        } as unknown as ExperimentContext;
        const stage = { seed: 0, name: 'facts', trainer, examples: set.examples, order, watched: { train: set } };
        const log = await runStage(context, new WorkCounter(context), stage);
        executor.release();
        return log;
      };
      const emissions: Emission[] = [];
      // In the evaluation after the first epoch
      const stage = new LosingStage(5);
      stage.onWarning = (message) => emissions.push({ kind: 'warning', message });
      const actual = await runOn({ ...there, stage }, (emission) => emissions.push(emission));
      const expected = await runOn(here, () => {});
      expect(emissions.filter(({ kind }) => kind === 'warning')).toHaveLength(1);
      expect(emissions.filter(({ kind }) => kind === 'step')).toHaveLength(order.flat().length);
      expectClose('losses', actual.batch_losses.flat(), expected.batch_losses.flat(), 1e-4, 0);
      for (const [epoch, { train }] of expected.epochs.entries()) {
        expect(actual.epochs[epoch]!.train!.ranks).toEqual(train!.ranks);
        expect(actual.epochs[epoch]!.train!.loss).toBeCloseTo(train!.loss, 4);
      }
    });

    test('is an error where nobody is told', async () => {
      const { outline, weights } = openFixtureModel('llama');
      const stage = new DeviceStage('webgpu');
      stage.feeds = async () => {
        throw deviceError('The program "block forward" failed', 'Device is lost');
      };
      const executor = new Executor(outline, { ...there, stage });
      await expect(executor.logits(weights, steps[0]!.batch, [4])).rejects.toMatchObject({ code: 'DeviceLost' });
    });
  });
});
