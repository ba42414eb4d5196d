/** Orders of components, what replaces values, the calibration line, and the experiment that puts them together. */
import { describe, expect, test } from 'vitest';
import { floatTensor } from '../../src-main/engine/tensor.ts';
import { calibrate, lineThrough, meanEffects } from '../../src-main/experiments/calibration.ts';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { alignedSites, allSites, ordered, randomOrder, scoreIn } from '../../src-main/scores/ablation.ts';
import { alignedValues, meanValues, type PromptValues, zeroValues } from '../../src-main/scores/replacements.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { fixturePath, openFixtureModel, readFixture } from '../parity/fixture.ts';

const { outline } = openFixtureModel('llama');
const { layers, heads } = outline.configuration;
const key = (site: { layer: number; head: number | null; token: number }) => `${site.layer} ${site.head} ${site.token}`;

describe('orders', () => {
  const sites = allSites(outline, 3);

  test('every component at every token once', () => {
    expect(sites.length).toBe(layers * (heads + 1) * 3);
    expect(new Set(sites.map(key)).size).toBe(sites.length);
  });

  test('by falling score, ties as given', () => {
    const order = ordered(sites, ({ layer, head, token }) => (head === null ? 10 * layer + token : -1));
    expect(order[0]).toEqual({ layer: layers - 1, head: null, token: 2 });
    expect(order.slice(3 * layers).map(key)).toEqual(sites.filter(({ head }) => head !== null).map(key));
  });

  test('a score is found in its map', () => {
    const mlp = floatTensor(
      [layers, 4],
      Float32Array.from({ length: layers * 4 }, (_, index) => index),
    );
    const attention = floatTensor(
      [layers, heads, 4],
      Float32Array.from({ length: layers * heads * 4 }, (_, index) => -index),
    );
    const score = scoreIn(
      new Map([
        ['upstream.mlp', mlp],
        ['upstream.attn', attention],
      ]),
      'upstream',
    );
    expect(score({ layer: 1, head: null, token: 3 })).toBe(7);
    expect(score({ layer: 1, head: 1, token: 2 })).toBe(-((heads + 1) * 4 + 2));
  });

  test('random orders hold all sites, differ by seed only, and keep the kinds where that is asked for', () => {
    const order = ordered(sites, ({ layer, token }) => layer + token);
    const kinds = (of: typeof order) => of.map(({ head }) => head === null);
    for (const control of ['same-kind', 'any'] as const) {
      const random = randomOrder(order, control, 'a');
      expect(random.map(key).sort()).toEqual(order.map(key).sort());
      expect(randomOrder(order, control, 'a')).toEqual(random);
      expect(randomOrder(order, control, 'b')).not.toEqual(random);
    }
    expect(kinds(randomOrder(order, 'same-kind', 'a'))).toEqual(kinds(order));
    expect(kinds(randomOrder(order, 'any', 'a'))).not.toEqual(kinds(order));
  });

  test('tokens that fall together count once', () => {
    const moved = alignedSites(
      [0, 1, 2].map((token) => ({ layer: 0, head: 1, token })),
      [0, 1, 1],
    );
    expect(moved.map(({ token }) => token)).toEqual([0, 1]);
  });
});

describe('replacements', () => {
  /** One layer, one component of width 2 and one of width 1. */
  const values = (...rows: number[]): PromptValues => [
    { 'attn.z': Float32Array.from(rows.flatMap((value) => [value, -value])), 'mlp.out': Float32Array.from(rows) },
  ];
  const long = { ids: [1, 5, 6, 9, 2], questionEnd: 3 };
  const short = { ids: [1, 7, 9, 2], questionEnd: 2 };

  test('zeros', () => {
    expect([...zeroValues(values(1, 2))[0]!['attn.z']]).toEqual([0, 0, 0, 0]);
  });

  test('another prompt’s values where its tokens stand for the prompt’s', () => {
    const [layer] = alignedValues(long, short, values(1, 2, 3));
    expect([...layer!['mlp.out']]).toEqual([1, 2, 2, 3]);
    expect([...layer!['attn.z']]).toEqual([1, -1, 2, -2, 2, -2, 3, -3]);
  });

  test('means over prompts by position and over all tokens', () => {
    const references = [
      { tokens: long, values: values(1, 2, 3, 4) },
      { tokens: short, values: values(3, 6, 9) },
    ];
    expect([...meanValues(long, references, 'position')[0]!['mlp.out']]).toEqual([2, 4, 4.5, 6.5]);
    expect([...meanValues(short, references, 'all')[0]!['attn.z']]).toEqual([4, -4, 4, -4, 4, -4]);
  });
});

describe('calibration', () => {
  test('least squares by hand', () => {
    expect(lineThrough([0, 1, 2], [1, 3, 5])).toEqual({ slope: 2, intercept: 1, r: 1 });
    const { slope, intercept, r } = lineThrough([0, 1, 2, 3], [0, 1, 1, 2]);
    expect(slope).toBeCloseTo(0.6);
    expect(intercept).toBeCloseTo(0.1);
    expect(r).toBeCloseTo(3 / Math.sqrt(5 * 2));
  });

  const prompts = Array.from({ length: 12 }, (_, prompt) => {
    const predicted = Array.from({ length: 20 }, (_, component) => Math.sin(component + 1) * (1 + prompt / 12));
    return {
      predicted,
      measured: predicted.map((value, component) => 0.8 * value + 0.05 * Math.cos(7 * component * (prompt + 1))),
    };
  });

  test('means by component', () => {
    const { predicted } = meanEffects(prompts, [0, 0, 3]);
    expect(predicted[2]).toBeCloseTo((2 * prompts[0]!.predicted[2]! + prompts[3]!.predicted[2]!) / 3);
  });

  test('intervals hold their values, and are the same again', () => {
    const line = calibrate(prompts);
    for (const { value, low, high } of [line.slope, line.intercept]) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
    }
    expect(line.r.low).toBeLessThanOrEqual(line.r.value);
    expect(line.slope.value).toBeCloseTo(0.8, 1);
    expect(line.slope.high - line.slope.low).toBeLessThan(0.1);
    expect(calibrate(prompts)).toEqual(line);
  });

  test('one prompt has no spread', () => {
    const { slope } = calibrate(prompts.slice(0, 1));
    expect([slope.low, slope.high]).toEqual([slope.value, slope.value]);
  });
});

describe('experiment', () => {
  const compute = createCompute({ resources: fixturePath() });
  const fixture = readFixture<Record<string, Json>>('experiments', 'llama.json');
  const spec = {
    experiment: 'ablation',
    model: fixturePath('models', 'llama'),
    dataset: fixture['first-hop']!,
    lr: 1e-2,
    epochs: 2,
    seeds: [0],
    k: [1, 4],
    draws: 2,
    collisions: 'merge',
    threads: 1,
  };

  interface SetOutcome {
    k: number;
    effect: { mean: number };
  }
  interface Results {
    lists: Record<'train' | 'test', { everything: { effect: { mean: number } }; sets: Record<'top' | 'random', SetOutcome[]> }>;
    seeds: {
      lists: Record<
        'train' | 'test',
        { order: unknown[]; maps: { mlp: { measured: number[][] }; heads: { measured: number[][] } } }
      >;
    }[];
  }

  test.each([
    ['patch-old', 'downstream'],
    ['counterfactual', 'upstream'],
    ['mean', 'predicted'],
    ['zero', 'single'],
    ['patch-old', 'informative'],
  ])('%s by %s', async (method, by) => {
    const progress: { done: number; total: number }[] = [];
    const unsubscribe = compute.onEmission(({ emission }) => {
      if (emission.kind === 'progress') progress.push(emission.progress);
    });
    const results = (await compute.execute(`${method} ${by}`, { ...spec, method, by })) as unknown as Results;
    unsubscribe();
    expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total);
    for (const list of ['train', 'test'] as const) {
      const { sets, everything } = results.lists[list];
      const { maps, order } = results.seeds[0]!.lists[list];
      expect(sets.top.map(({ k }) => k)).toEqual([1, 4]);
      expect(Number.isFinite(everything.effect.mean)).toBe(true);
      expect(order.length).toBe(4);
      expect(maps.mlp.measured.length).toBe(layers);
      expect(maps.heads.measured.map((row) => row.length)).toEqual(new Array(layers).fill(heads));
      // The best single component is the best of one
      if (by === 'single') expect(sets.top[0]!.effect.mean).toBeGreaterThanOrEqual(sets.random[0]!.effect.mean);
    }
  });

  test('the same spec gives the same numbers', async () => {
    expect(await compute.execute('again', spec)).toEqual(await compute.execute('and again', spec));
  });

  test('more components than there are', async () => {
    await expect(compute.preview({ ...spec, k: [10_000] })).rejects.toMatchObject({ code: 'TooManyComponents' });
  });

  test('a method that is none', async () => {
    await expect(compute.preview({ ...spec, method: 'noise' })).rejects.toMatchObject({ code: 'BadValue' });
  });
});
