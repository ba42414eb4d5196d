/**
 * Numbers do not depend on where weights are kept: in memory, as 16 bits, in files, trained in memory or through a scratch folder, in one go or
 * interrupted. In block mode they are the same to the last bit.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Executor, type ExecutorSettings, type TokenBatch } from '../../src-main/engine/execution/executor.ts';
import type { BackwardState } from '../../src-main/engine/execution/gradient-sink.ts';
import { loadWeights, placeWeights } from '../../src-main/engine/execution/load-weights.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { WeightStage } from '../../src-main/engine/execution/weight-stage.ts';
import { openCheckpoint } from '../../src-main/engine/files/checkpoint.ts';
import { valuesOf } from '../../src-main/engine/files/values.ts';
import { type Model, openModel } from '../../src-main/engine/models/model.ts';
import { labelTargets } from '../../src-main/engine/training/batch.ts';
import type { ScratchState } from '../../src-main/engine/training/scratch-state.ts';
import { defaultTraining, Trainer, type TrainerSettings } from '../../src-main/engine/training/trainer.ts';
import { inMemory, type Weights } from '../../src-main/engine/weights.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import { extractiveScores, type Scores } from '../../src-main/scores/extractive-scores.ts';
import { temporaryFolder } from '../engine/files/scratch.ts';
import { expectClose, fixturePath, readFixture, readTensors } from './fixture.ts';

/** A family each, 16-bit files, shards, tied and untied matrices, learned positions, norms with and without parameters. */
const models = [
  'llama-bf16',
  'llama-sharded',
  'llama-rope-tied',
  'gemma2',
  'qwen2',
  'olmo',
  'olmo2',
  'mistral',
  'gpt2',
  'gpt-neox',
];

const settings: ExecutorSettings = { device: 'cpu', threads: 1, mode: 'blocks' };
/** So few elements that even a tiny output matrix is taken in several stretches. */
const stretched: ExecutorSettings = { ...settings, wholeHeadElements: 1500 };

interface TrainingFixture {
  lr: number;
  batches: { input_ids: number[][]; labels: number[][] }[];
}

/** The batches are those of one golden model; these tests compare ours with ours. */
const smallestVocabulary = 300;

async function openFixture(id: string): Promise<Model> {
  return openModel(fixturePath('models', id));
}

function batchesOf(id: string) {
  const { lr, batches } = readFixture<TrainingFixture>('training', `${id}.json`);
  return {
    lr,
    steps: batches.map(({ input_ids: ids, labels }) => ({
      batch: {
        tokens: Int32Array.from(ids.flat(), (token) => token % smallestVocabulary),
        batch: ids.length,
        positions: ids[0]!.length,
      } satisfies TokenBatch,
      targets: labelTargets(
        labels.map((row) => row.map((label) => (label === -100 ? label : label % smallestVocabulary))),
        ids[0]!.length,
      ),
    })),
  };
}

describe.each(models)('%s', (id) => {
  test('weights are placed within a limit, and forward passes agree from wherever they are', async () => {
    const model = await openFixture(id);
    const elements = model.parameters.count;
    const stored = [...model.checkpoint.tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0);
    const isHalf = model.checkpoint.dtype !== 'float32';
    const limits = [Number.POSITIVE_INFINITY, isHalf ? elements * 3 : stored / 2, 0];
    const expected = ['memory', isHalf ? '16-bit' : 'disk', 'disk'];
    expect(limits.map((limit) => placeWeights(model, limit).residency)).toEqual(expected);
    for (const limit of limits) expect(placeWeights(model, limit).bytes).toBeLessThanOrEqual(limit);

    const tokens = Int32Array.from({ length: 2 * 9 }, (_, index) => (index * 7 + 3) % 200);
    const batch: TokenBatch = { tokens, batch: 2, positions: 9 };
    const rows = [3, 8, 12, 17];
    const results: Float32Array[] = [];
    for (const options of [settings, stretched]) {
      for (const limit of limits) {
        const weights = loadWeights(model, limit);
        const executor = new Executor(model, options);
        results.push((await executor.logits(weights, batch, rows)).data);
        const { logits, observed } = await executor.forward(weights, batch, rows, ['final_norm']);
        expect(logits.data).toEqual(results.at(-1));
        expect(observed.get('final_norm')!.shape).toEqual([4, model.configuration.hidden]);
        executor.release();
      }
    }
    for (const result of results.slice(1, 3)) expect(result).toEqual(results[0]);
    for (const result of results.slice(4)) expect(result).toEqual(results[3]);
    expectClose('logits in stretches', results[3]!, results[0]!, 1e-6, 1e-6);
    model.checkpoint.close();
  });
});

/** Untied and tied matrices, learned positions, norms without parameters. */
describe.each(['llama', 'gemma2', 'olmo', 'gpt2'])('%s', (id) => {
  const { lr, steps } = batchesOf('llama');

  /** Losses, trained values and gradients of the first step. */
  async function train(
    model: Model,
    weights: Weights,
    options: ExecutorSettings,
    training: Partial<TrainerSettings> = {},
    scratch?: string,
    groups = 2,
    onStep?: (step: number, trainer: Trainer) => void,
  ) {
    const executor = new Executor(model, options);
    const place = scratch === undefined ? undefined : { folder: scratch, key: 'test', groups };
    const trainer = await Trainer.create(executor, weights, { ...defaultTraining, learningRate: lr, ...training }, place);
    const losses = [...trainer.state.losses];
    for (const [index, { batch, targets }] of steps.entries()) {
      if (index < trainer.state.steps) continue;
      onStep?.(index, trainer);
      losses.push(await trainer.step(batch, targets));
    }
    const trained = new Map<string, Float32Array>();
    for (const [name, tensor] of trainer.state.weights) trained.set(name, (await valuesOf(tensor)).data.slice());
    executor.release();
    return { losses, trained, trainer };
  }

  test.each([
    ['whole head', settings, 3],
    ['head in stretches', stretched, 2],
    ['each parameter alone in memory', stretched, 1],
  ] as const)('training through a scratch folder is that in memory, %s', async (_, options, groups) => {
    const model = await openFixture(id);
    const expected = await train(model, loadWeights(model), options);
    const folder = join(temporaryFolder(), 'scratch');
    const actual = await train(model, loadWeights(model, 0), options, {}, folder, groups);
    expect(actual.losses).toEqual(expected.losses);
    expect([...actual.trained.keys()].sort()).toEqual([...expected.trained.keys()].sort());
    for (const [name, values] of expected.trained) expect(actual.trained.get(name), name).toEqual(values);
    // One file a part, no leftovers of earlier steps
    const files = readdirSync(folder).filter((name) => name.includes('.step-'));
    expect(new Set(files.map((name) => name.split('.step-')[0])).size).toBe(files.length);
    await actual.trainer.state.settle();
    const rest = readdirSync(folder).filter((name) => name.includes('.step-') && !name.includes('.rows.'));
    const bytes = rest.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    const inRows = model.configuration.tiedEmbeddings ? [] : [model.parameters.embedding];
    const without = [...inRows, ...(model.parameters.positions ? [model.parameters.positions] : [])];
    const trained = model.parameters.all.filter((parameter) => !without.includes(parameter));
    expect(bytes).toBe(trained.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0));
    for (const [name, values] of expected.trained)
      expect((await valuesOf(actual.trainer.state.weights.get(name)!)).data, name).toEqual(values);
    await actual.trainer.state.remove();
    expect(existsSync(folder)).toBe(false);
    model.checkpoint.close();
  });

  if (id === 'llama' || id === 'gpt2')
    test('a training killed after any group goes on to the same numbers', async () => {
      const model = await openFixture(id);
      const expected = await train(model, loadWeights(model), stretched);
      const layers = model.configuration.layers;
      // Where the second step is left: after the head, after each block, in the middle of the output matrix
      const places = [layers, layers - 1, 0, -1];
      for (const [index, place] of places.entries()) {
        // The last two in the leanest way
        const groups = index < 2 ? 2 : 1;
        const folder = join(temporaryFolder(), 'scratch');
        let reached = 0;
        const stop = async (trainer: Trainer) => {
          const state = trainer.state as ScratchState;
          const original = state.reached.bind(state);
          state.reached = async (at: BackwardState) => {
            await original(at);
            const isThere = place === -1 ? (at.remainder?.nextRow ?? 0) > 0 : at.layer === place;
            if (isThere && ++reached === 1) {
              await state.settleCommits();
              throw new Error('killed');
            }
          };
        };
        const killed = train(model, loadWeights(model, 0), stretched, {}, folder, groups, (step, trainer) => {
          if (step === 1) void stop(trainer);
        });
        await expect(killed, `place ${place}`).rejects.toThrow('killed');
        const resumed = await train(model, loadWeights(model, 0), stretched, {}, folder, groups);
        expect(resumed.losses, `place ${place}`).toEqual(expected.losses);
        for (const [name, values] of expected.trained)
          expect(resumed.trained.get(name), `place ${place}: ${name}`).toEqual(values);
      }
      model.checkpoint.close();
    });

  test('stretches of the output matrix change nothing but rounding', async () => {
    const model = await openFixture(id);
    const whole = await train(model, loadWeights(model), settings);
    const parts = await train(model, loadWeights(model), stretched);
    parts.losses.forEach((loss, index) => {
      expect(Math.abs(loss - whole.losses[index]!)).toBeLessThan(1e-5);
    });
    model.checkpoint.close();
  });

  test('part of the parameters', async () => {
    const model = await openFixture(id);
    const choice = { trainable: { layers: [0] } };
    const expected = await train(model, loadWeights(model), settings, choice);
    const actual = await train(model, loadWeights(model, 0), settings, choice, join(temporaryFolder(), 'scratch'));
    expect(actual.losses).toEqual(expected.losses);
    for (const [name, values] of expected.trained) expect(actual.trained.get(name), name).toEqual(values);
    model.checkpoint.close();
  });
});

describe('scores', () => {
  test('two sets of weights from files give the scores that they give from memory', async () => {
    const id = 'llama';
    const fixture = readFixture<{ test: [string, string][]; options: string[]; points: { counterfactuals: number[] }[] }>(
      'scores',
      `${id}.first-hop.json`,
    );
    const model = await openFixture(id);
    const newPath = fixturePath('scores', `${id}.first-hop.new-weights.safetensors`);
    const set = encodeSet(model.tokenizer, 'test', fixture.test, fixture.options, 'merge');
    const scoresOf = async (old: Weights, changed: Weights): Promise<Scores> => {
      const stage = new WeightStage();
      const observer = new Observer(model, { ...settings, stage });
      const { average } = await extractiveScores({
        observer,
        old,
        new: changed,
        set,
        counterfactuals: fixture.points.map(({ counterfactuals }) => counterfactuals),
        accumulation: set.examples[0]!,
        itemsPerBatch: 3,
      });
      observer.release();
      // Two sets of one block, and of the next
      const block = model.parameters.blocks[0]!.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 4) + 64, 0);
      expect(stage.bytes).toBeLessThanOrEqual(4 * block);
      return average;
    };
    const old = loadWeights(model);
    const expected = await scoresOf(old, new Map([...old, ...readTensors('scores', `${id}.first-hop.new-weights.safetensors`)]));
    const stored = loadWeights(model, 0);
    const { SafetensorsFile } = await import('../../src-main/engine/files/safetensors.ts');
    const { FileTensor } = await import('../../src-main/engine/files/file-tensor.ts');
    const file = SafetensorsFile.open(newPath);
    const replaced = [...file.tensors.keys()].map((name) => [name, new FileTensor(file, name)] as const);
    const actual = await scoresOf(stored, new Map([...stored, ...replaced]));
    for (const [name, { data }] of expected) expect(actual.get(name)!.data, name).toEqual(data);
    file.close();
    model.checkpoint.close();
  });

  test('a file that is cut while it is read is said', async () => {
    const checkpoint = openCheckpoint(fixturePath('models', 'llama'));
    const model = { ...(await openFixture('llama')), checkpoint };
    const weights = loadWeights(model, 0);
    expect(() => inMemory(weights)).toThrow('not in memory');
    checkpoint.close();
    const executor = new Executor(model, settings);
    const batch = { tokens: Int32Array.of(1, 2), batch: 1, positions: 2 };
    await expect(executor.logits(weights, batch, [1])).rejects.toMatchObject({ code: 'BadSafetensors' });
    executor.release();
  });
});
