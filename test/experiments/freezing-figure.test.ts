/** The bars of layer freezing: which of them is the training itself, and how the paper's values are said to be drawn. */
import { expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { publishedNote } from '../../src-main/experiments/figures.ts';
import type { EncodedSet } from '../../src-main/scores/evaluation.ts';
import type { BarsFigure, Figure } from '../../src-main/shared/figures.ts';
import type { ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import { fixturePath, readFixture } from '../parity/fixture.ts';

const compute = createCompute({ resources: fixturePath() });

async function barsOf(trainable: string): Promise<{ bars: BarsFigure; end: number }> {
  const spec: ExperimentSpec = {
    experiment: 'layer-freezing',
    model: fixturePath('models', 'llama'),
    dataset: readFixture<Record<string, Json>>('experiments', 'llama.json')['first-hop']!,
    lr: 1e-2,
    epochs: 1,
    seeds: [0],
    continuation_tokens: 0,
    collisions: 'merge',
    threads: 1,
    device: 'cpu',
    trainable,
  };
  const figures: Figure[] = [];
  const off = compute.onEmission(({ emission }) => {
    if (emission.kind === 'figures') figures.push(...emission.figures);
  });
  const results = (await compute.execute(trainable, spec)) as unknown as {
    ocr: { epochs: { test: { mean_rank: number } }[] };
  };
  off();
  return { bars: figures.find(({ id }) => id === 'ranks') as BarsFigure, end: results.ocr.epochs.at(-1)!.test.mean_rank };
}

test('“nothing frozen” is where the training ended; its layers alone are named apart where embeddings and norms were trained', async () => {
  const { bars, end } = await barsOf('all');
  expect(bars.groups.slice(0, 3)).toEqual(['nothing frozen', 'all layers kept', 'early frozen after training']);
  expect(bars.series.find(({ label }) => label === 'implications')!.values[0]!.mean).toBe(end);
  expect(bars.caption).toContain('“all layers kept” leaves them as they were');
  expect(bars.series.every(({ values }) => values.length === bars.groups.length)).toBe(true);
});

test('where only the layers’ matrices were trained there is one bar for both', async () => {
  const { bars, end } = await barsOf('mlp_attn');
  expect(bars.groups).toHaveLength(6);
  expect(bars.groups[0]).toBe('nothing frozen');
  expect(bars.series.find(({ label }) => label === 'implications')!.values[0]!.mean).toBe(end);
  expect(bars.caption).not.toContain('all layers kept');
});

test('the paper’s values are said to be scaled where there are not as many options', () => {
  const of = (count: number) => ({ items: { candidates: Array.from({ length: count }, (_, place) => place) } }) as EncodedSet;
  expect(publishedNote({ train: of(20), test: of(20) })).not.toContain('proportion');
  expect(publishedNote({ train: of(60), test: of(15) })).toContain('drawn in proportion to chance');
});
