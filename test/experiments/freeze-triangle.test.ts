/** The freeze triangle: which ranges come first, that its corners are layer freezing's own numbers, and what a short time leaves. */
import { expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { type Triangle, triangleRanges } from '../../src-main/experiments/freeze-triangle.ts';
import type { Figure, MapFigure } from '../../src-main/shared/figures.ts';
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import { fixturePath, readFixture } from '../parity/fixture.ts';

const fixture = readFixture<Record<string, Json>>('experiments', 'llama.json');
const spec: ExperimentSpec = {
  experiment: 'layer-freezing',
  model: fixturePath('models', 'llama'),
  dataset: fixture['first-hop']!,
  lr: 1e-3,
  epochs: 2,
  batch_size: 3,
  seeds: [0, 1],
  collisions: 'merge',
  threads: 1,
};

interface Results {
  free_layers: { early: number[]; late: number[] };
  summary: { when: string; frozen: string; fact_rank: { mean: number }; implication_rank: { mean: number } }[];
  triangle: Triangle;
}

async function run(given: ExperimentSpec) {
  const compute = createCompute({ resources: fixturePath() });
  const heard = { warnings: [] as string[], figures: [] as Figure[], done: 0, total: 0 };
  compute.onEmission(({ emission }) => {
    if (emission.kind === 'warning' && emission.message.includes('triangle')) heard.warnings.push(emission.message);
    if (emission.kind === 'figures') heard.figures = emission.figures;
    if (emission.kind === 'progress') Object.assign(heard, { done: emission.progress.done, total: emission.progress.total });
  });
  return { results: (await compute.execute('triangle', given)) as unknown as Results, ...heard };
}

test.each([1, 2, 3, 6, 28, 32, 33])('all ranges of %i layers, coarse ones first', (layers) => {
  const ranges = triangleRanges(layers);
  expect(ranges).toHaveLength((layers * (layers + 1)) / 2);
  expect(new Set(ranges.map(String)).size).toBe(ranges.length);
  expect(ranges.every(([first, last]) => first >= 0 && first <= last && last < layers)).toBe(true);
  expect(ranges[0]).toEqual([0, layers - 1]);
  if (layers === 32) {
    const early = ranges.slice(0, 12).map(String);
    for (const block of ['0,15', '16,31', '0,7', '8,15', '16,23', '24,31', '0,23', '8,31']) expect(early).toContain(block);
  }
});

test.each(['after', 'during'] as const)('%s: its corners are what layer freezing measures', async (when) => {
  const { results, warnings, figures, done, total } = await run({ ...spec, triangle: when });
  const { free_layers: free, summary, triangle } = results;
  const layers = triangle.fact_rank.length;
  expect(triangle).toMatchObject({ when, ranges: (layers * (layers + 1)) / 2, measured: triangle.ranges });
  expect(warnings).toEqual([]);
  expect(done).toBe(total);
  for (const [frozen, kept] of [
    ['late', free.late],
    ['early', free.early],
    ...(when === 'after' ? [['none', [0, layers - 1]] as const] : []),
  ] as const) {
    const row = summary.find((each) => each.when === when && each.frozen === frozen)!;
    expect(triangle.fact_rank[kept[0]!]![kept.at(-1)!]!.mean).toBe(row.fact_rank.mean);
    expect(triangle.implication_rank[kept[0]!]![kept.at(-1)!]!.mean).toBe(row.implication_rank.mean);
  }
  const map = figures.find(({ id }) => id === 'triangle') as MapFigure;
  expect(map.panels.map(({ values }) => values.flat().filter((value) => value !== null).length)).toEqual([
    triangle.ranges,
    triangle.ranges,
  ]);
});

test('a time that is over leaves nulls, says so, and finishes', async () => {
  const { results, warnings, done, total, figures } = await run({
    ...spec,
    epochs: 1,
    seeds: [0, 1],
    triangle: 'during',
    triangle_seconds: 0,
  });
  const { fact_rank, implication_rank, measured, ranges } = results.triangle;
  expect(measured).toBe(1);
  expect(fact_rank.flat().filter((cell) => cell !== null)).toHaveLength(measured);
  expect(implication_rank[0]!.at(-1)).not.toBeNull();
  expect(warnings).toEqual([0, 1].map((seed) => expect.stringContaining(`seed ${seed} measured 1 of ${ranges} ranges`)));
  expect(done).toBe(total);
  expect(figures.find(({ id }) => id === 'triangle')!.caption).toContain(`Time allowed for ${measured} of ${ranges} ranges`);
});

test('without asking for it there is none', async () => {
  const { results, figures } = await run({ ...spec, seeds: [0] });
  expect(results).not.toHaveProperty('triangle');
  expect(figures.map(({ id }) => id)).toEqual(['ranks']);
});
