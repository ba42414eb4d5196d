/** Experiments with extractive scores on the golden llama model: what they store, that they agree with the command line, and that they repeat. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Executor } from '../../src-main/engine/execution/executor.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { readWeights } from '../../src-main/engine/files/weight-sets.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { type Example, encodePair } from '../../src-main/engine/training/batch.ts';
import { drawOrder, finetune, type Order } from '../../src-main/engine/training/finetune.ts';
import { defaultTraining, Trainer } from '../../src-main/engine/training/trainer.ts';
import { inMemory } from '../../src-main/engine/weights.ts';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { accumulationOf } from '../../src-main/experiments/scoring.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import { extractiveScores } from '../../src-main/scores/extractive-scores.ts';
import type { Daxwug, Emission, ExperimentSpec, FactsAndImplications, Json, ScoreRow } from '../../src-main/shared/records.ts';
import { hopscope } from '../cli/support.ts';
import { expectClose, fixturePath, openFixtureModel, readFixture } from '../parity/fixture.ts';

interface ScoreMap {
  shape: number[];
  values: number[];
}

const fixture = readFixture<Record<string, Json>>('experiments', 'llama.json');
const model = fixturePath('models', 'llama');
const compute = createCompute({ resources: fixturePath() });
const folder = mkdtempSync(join(tmpdir(), 'hopscope-experiments-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { outline, weights } = openFixtureModel('llama');
const { tokenizer, checkpoint } = await openModel(model);
checkpoint.close();

/** The result, and every emission of the run. */
async function execute<T>(run: string, spec: ExperimentSpec): Promise<{ results: T; emissions: Emission[]; scores: ScoreRow[] }> {
  const emissions: Emission[] = [];
  const end = compute.onEmission((sent) => {
    if (sent.run === run) emissions.push(sent.emission);
  });
  try {
    const results = (await compute.execute(run, spec)) as unknown as T;
    return { results, emissions, scores: emissions.flatMap((emission) => (emission.kind === 'scores' ? emission.rows : [])) };
  } finally {
    end();
  }
}

const common = { model, lr: 1e-3, collisions: 'merge', threads: 1, device: 'cpu' };

/** Weights after training on examples in an order, as an experiment trains. */
async function trained(from: typeof weights, examples: readonly Example[], order: Order): Promise<typeof weights> {
  const executor = new Executor(outline, { device: 'cpu', threads: 1 });
  const trainer = await Trainer.create(executor, from, { ...defaultTraining, learningRate: 1e-3 });
  await finetune(trainer, examples, order);
  executor.release();
  return inMemory(trainer.weights);
}

describe('extractive scores', () => {
  interface Results {
    seeds: { seed: number; gap: number; first_order: { predictedByMaps: number[] } }[];
    accumulation: { prompt: string; answer: string; tokens: string[] };
    counterfactuals: number[][];
    item_tokens: string[][];
    average: Record<string, ScoreMap>;
    by_layer: Record<string, { mean: number; values: number[] }[]>;
    first_order: { scales: number[]; change: { mean: number }[]; predicted: { mean: number }[] };
  }
  const spec: ExperimentSpec = {
    ...common,
    experiment: 'extractive-scores',
    dataset: fixture['first-hop']!,
    epochs: 2,
    batch_size: 4,
    counterfactuals: 'all',
  };

  test('shapes, rows and averages over seeds', async () => {
    const { results, emissions, scores } = await execute<Results>('shapes', { ...spec, seeds: [3, 5] });
    expect(results.accumulation.prompt).toBe('The people in the city X Y is from speak');
    expect(results.accumulation.tokens).toHaveLength(13);
    expect(results.accumulation.tokens.slice(1, 10)).toEqual(['The', 'people', 'in', 'the', 'city', '␣', 'X', '␣', 'Y']);
    expect(results.counterfactuals.map((list) => list.length)).toEqual([5, 4, 4, 5, 4, 4]);
    const { layers, heads } = outline.configuration;
    const tokens = results.average['upstream.mlp']!.shape[1]!;
    expect(tokens).toBeGreaterThan(13);
    expect(results.average['upstream.mlp']!.shape).toEqual([layers, tokens]);
    expect(results.average['downstream.attn']!.shape).toEqual([layers, heads, tokens]);
    expect(results.by_layer['informative.mlp']).toHaveLength(layers);

    // Every item and the average of both seeds, each with the columns of its own tokens
    const names = Object.keys(results.average);
    expect(scores).toHaveLength(2 * 7 * names.length);
    for (const { point, shape, values, set } of scores) {
      expect(set).toBe('implications');
      expect(shape.at(-1)).toBe(point === -1 ? tokens : results.item_tokens[point]!.length);
      expect(values).toHaveLength(shape.reduce((product, size) => product * size));
    }
    for (const name of names) {
      const [first, second] = scores.filter((row) => row.point === -1 && row.name === name);
      const mean = first!.values.map((value, index) => (value + second!.values[index]!) / 2);
      expectClose(name, results.average[name]!.values, mean, 1e-9, 1e-9);
    }
    const perSeed = results.by_layer['downstream.mlp']![0]!.values;
    const own = scores.find(({ seed, point, name }) => seed === 3 && point === -1 && name === 'downstream.mlp')!;
    expect(perSeed[0]).toBeCloseTo(
      own.values.slice(0, 13).reduce((sum, value) => sum + value),
      6,
    );

    // The predicted change is minus the sum of an item's informative scores, at 1/4 a quarter of it
    const { scales, change, predicted } = results.first_order;
    expect(scales).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(change[0]!.mean).toBe(0);
    expect(predicted[1]!.mean).toBeCloseTo(predicted[4]!.mean / 4, 9);
    const sumOf = (item: number) =>
      scores
        .filter(({ seed, point, name }) => seed === 3 && point === item && /^informative\.(ff_proj|ff_out|attn)$/.test(name))
        .reduce((sum, { values }) => sum + values.reduce((total, value) => total + value, 0), 0);
    expect(results.seeds[0]!.first_order.predictedByMaps[2]).toBeCloseTo(-sumOf(2), 4);

    const progress = emissions.flatMap((emission) => (emission.kind === 'progress' ? [emission.progress] : []));
    expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total);
    const figures = emissions.flatMap((emission) => (emission.kind === 'figures' ? emission.figures : []));
    expect(figures.map(({ id }) => id)).toContain('first-order');
    const map = figures.find(({ id }) => id === 'mlp')!;
    expect(map.kind === 'map' && map.panels.map(({ values }) => [values.length, values[0]!.length])).toEqual(
      Array(3).fill([layers, 13]),
    );
  });

  test('the same spec gives the same scores', async () => {
    const drawn = { ...spec, seeds: [1], counterfactuals: { count: 2, seed: 3 } };
    const [first, second] = [await execute<Results>('first', drawn), await execute<Results>('second', drawn)];
    expect(second.results).toEqual(first.results);
    expect(second.scores).toEqual(first.scores);
  });

  test('averages are those of the scores command for the same weights', async () => {
    const { results } = await execute<Results>('command', { ...spec, seeds: [2] });
    const { train, test: implications, options } = fixture['first-hop'] as unknown as FactsAndImplications;
    const changed = await trained(
      weights,
      train.map((pair) => encodePair(tokenizer, pair)),
      drawOrder(train.length, 4, 2, 2),
    );
    const paths = {
      changed: join(folder, 'new.safetensors'),
      dataset: join(folder, 'd.json'),
      out: join(folder, 'out.safetensors'),
    };
    writeSafetensors(paths.changed, new Map(changed));
    const { prompt, answer } = results.accumulation;
    const dataset = { pairs: implications, options: options.test, counterfactuals: 'all', accumulation: { prompt, answer } };
    writeFileSync(paths.dataset, JSON.stringify(dataset));
    const outcome = await hopscope([
      'scores',
      ...['--model', model, '--new', paths.changed, '--dataset', paths.dataset, '--out', paths.out],
      ...['--collisions', 'merge', '--threads', '1', '--device', 'cpu', '--skip-check', '--json'],
    ]);
    expect(outcome.code, outcome.stderr).toBe(0);
    const written = readWeights(paths.out);
    for (const [name, { shape, values }] of Object.entries(results.average)) {
      expect(shape).toEqual([...written.get(`average.${name}`)!.shape]);
      expectClose(name, values, written.get(`average.${name}`)!.data, 1e-7, 1e-6);
    }
  });

  test('a counterfactual equal to its item, or too few of them, is refused before anything runs', async () => {
    const own = [[0], [0], [0], [0], [0], [0]];
    await expect(compute.preview({ ...spec, counterfactuals: own })).rejects.toMatchObject({ code: 'BadCounterfactual' });
    await expect(compute.preview({ ...spec, counterfactuals: { count: 6, seed: 3 } })).rejects.toMatchObject({
      code: 'BadCounterfactual',
    });
    await expect(compute.preview({ ...spec, counterfactuals: 'some' })).rejects.toMatchObject({ code: 'BadValue' });
    await expect(compute.preview({ ...spec, accumulation: { prompt: 'x' } })).rejects.toMatchObject({ code: 'BadValue' });
  });
});

describe('accumulation prompt', () => {
  const setOf = (pairs: [string, string][]) =>
    encodeSet(
      tokenizer,
      'implications',
      pairs,
      pairs.map((pair) => pair[1]),
      'merge',
    );

  test.each([
    [
      [
        ['Ada Quill zong is the', 'gecko'],
        ['Bruno Okafor zong is the', 'falcon'],
      ],
      'X Y zong is the',
    ],
    [
      [
        ['The mayor of Oslo is', 'Ada'],
        ['The mayor of New York is', 'Bruno'],
      ],
      'The mayor of X Y is',
    ],
    // Nothing shared: an item of the commonest length
    [
      [
        ['one two three', 'Ada'],
        ['k', 'Bruno'],
        ['m', 'Celia'],
      ],
      'k',
    ],
    [
      [
        ['the same', 'Ada'],
        ['the same', 'Bruno'],
      ],
      'the same',
    ],
  ] as [[string, string][], string][])('of %j', (pairs, prompt) => {
    expect(accumulationOf(tokenizer, undefined, setOf(pairs)).prompt).toBe(prompt);
  });

  test('a given one is kept', () => {
    const given = { prompt: 'A B zong is the', answer: 'otter' };
    expect(accumulationOf(tokenizer, given, setOf([['x zong is the', 'gecko']]))).toMatchObject(given);
  });
});

describe('localization', () => {
  interface Results {
    seeds: { seed: number; correlation: { mlp: number; attn: number } }[];
    correlation: Record<'mlp' | 'attn', { r: number; low: number; high: number }>;
    accumulation: { prompt: string; tokens: string[] };
    maps: Record<string, ScoreMap>;
  }
  const spec: ExperimentSpec = {
    ...common,
    experiment: 'localization',
    dataset: fixture.daxwug!,
    epochs: 2,
    batch_size: 4,
    seeds: [7],
  };

  /** r = (mean of products - product of means) / (deviation x deviation). */
  function pearson(x: readonly number[], y: readonly number[]): number {
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => value ** 2)) - mean(values) ** 2);
    return (mean(x.map((value, index) => value * y[index]!)) - mean(x) * mean(y)) / (deviation(x) * deviation(y));
  }

  test('maps of the two changes and their correlation, against a computation by hand', async () => {
    const { results, scores } = await execute<Results>('localization', spec);
    const { variant_1: data, options, test_slice, train_slice } = fixture.daxwug as unknown as Daxwug;
    const encoded = (pairs: Daxwug['variant_1']['left']) => pairs.map((pair) => encodePair(tokenizer, pair));
    const [left, both] = [encoded(data.left.slice(...train_slice)), encoded(data.both.slice(...train_slice))];
    const later = encoded(data.left.slice(...test_slice));
    const facts = await trained(weights, left, drawOrder(left.length, 4, 2, 7));
    const implications = await trained(facts, both, drawOrder(both.length, 4, 2, 7));
    const finetuned = await trained(implications, later, drawOrder(later.length, 4, 2, 7));

    const observer = new Observer(outline, { device: 'cpu', threads: 1 });
    const accumulation = encodePair(tokenizer, ['X Y zong is the', 'gecko']);
    const scored = (old: typeof weights, changed: typeof weights, slice: [number, number]) => {
      const set = encodeSet(tokenizer, 'both', data.both.slice(...slice), options.both, 'merge');
      const counterfactuals = set.examples.map((_, item) => [item === 0 ? 1 : 0]);
      return extractiveScores({ observer, old, new: changed, set, counterfactuals, accumulation });
    };
    const informative = await scored(facts, implications, train_slice);
    const downstream = await scored(implications, finetuned, test_slice);
    observer.release();

    const columns = accumulation.questionEnd + 1;
    expect(results.accumulation).toMatchObject({ prompt: 'X Y zong is the' });
    expect(results.accumulation.tokens).toHaveLength(columns);
    for (const kind of ['mlp', 'attn'] as const) {
      const [x, y] = [informative.average.get(`informative.${kind}`)!, downstream.average.get(`downstream.${kind}`)!];
      const width = x.shape.at(-1)!;
      expect(results.maps[`informative.${kind}`]!.shape).toEqual(x.shape);
      // The column of the prompt's tokens only; the answer's differ in number between accumulation prompts
      const cells = (values: ArrayLike<number>) => Array.from(values).filter((_, index) => index % width < columns);
      expectClose(`informative.${kind}`, cells(results.maps[`informative.${kind}`]!.values), cells(x.data), 1e-6, 1e-5);
      expectClose(`downstream.${kind}`, cells(results.maps[`downstream.${kind}`]!.values), cells(y.data), 1e-6, 1e-5);
      const { r, low, high } = results.correlation[kind];
      expect(r).toBeCloseTo(pearson(cells(x.data), cells(y.data)), 4);
      expect(low).toBeLessThanOrEqual(r);
      expect(high).toBeGreaterThanOrEqual(r);
      expect(results.seeds[0]!.correlation[kind]).toBeCloseTo(r, 9);
    }
    expect(new Set(scores.map(({ stage, set }) => `${stage}: ${set}`))).toEqual(
      new Set(['informative: both, scored', 'downstream: both, test names']),
    );
    expect(scores.every(({ stage, name }) => name.startsWith(stage))).toBe(true);
  });
});

describe('emergence', () => {
  const spec: ExperimentSpec = {
    ...common,
    experiment: 'emergence',
    dataset: fixture['first-hop']!,
    epochs: 1,
    seeds: [0, 1],
    checkpoints: [fixturePath('models', 'llama-bf16'), model],
    counterfactuals: 'all',
  };

  test('with scores: sums, maps and dates of every checkpoint', async () => {
    interface Results {
      checkpoints: {
        checkpoint: string;
        scores: { totals: Record<string, { positive: number; net: number }>; maps: Record<string, number[][]> };
      }[];
      accumulation: { tokens: string[] };
    }
    const { results, emissions, scores } = await execute<Results>('emergence', spec);
    expect(results.checkpoints.map(({ checkpoint }) => checkpoint)).toEqual(['llama-bf16', 'model']);
    for (const { checkpoint, scores: held } of results.checkpoints) {
      const row = scores.find(({ stage, name }) => stage === checkpoint && name === 'downstream.mlp')!;
      expect(row).toMatchObject({ seed: 0, point: -1, set: 'implications' });
      const width = row.shape[1]!;
      const columns = results.accumulation.tokens.length;
      const values = row.values.filter((_, index) => index % width < columns);
      expect(held.totals['downstream.mlp']!.net).toBeCloseTo(
        values.reduce((sum, value) => sum + value),
        6,
      );
      expect(held.totals['downstream.mlp']!.positive).toBeCloseTo(
        values.filter((value) => value > 0).reduce((sum, value) => sum + value, 0),
        6,
      );
      expect(held.maps['downstream.mlp']!.flat()).toEqual(values);
    }
    const figures = emissions.flatMap((emission) => (emission.kind === 'figures' ? emission.figures : []));
    expect(figures.map(({ id }) => id)).toEqual([
      ...['implication', 'fact', 'structures', 'dates', 'score-sums'],
      ...['upstream-mlp', 'upstream-attn', 'downstream-mlp', 'downstream-attn'],
    ]);
    const progress = emissions.flatMap((emission) => (emission.kind === 'progress' ? [emission.progress] : []));
    expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total);
  });

  test('without scores: ranks only', async () => {
    const { scores, emissions } = await execute('ranks', { ...spec, scores: false });
    expect(scores).toEqual([]);
    const figures = emissions.flatMap((emission) => (emission.kind === 'figures' ? emission.figures : []));
    expect(figures.map(({ id }) => id)).toEqual(['implication', 'fact']);
  });
});
