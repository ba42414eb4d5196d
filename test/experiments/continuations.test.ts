/** What the model says before and after training, as experiments emit it: which lists and trainings, at what cost, and not at all where none is asked for. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import type { ContinuationRow, Emission, ExperimentSpec, Json } from '../../src-main/shared/records.ts';
import { fixturePath, readFixture } from '../parity/fixture.ts';

const compute = createCompute({ resources: fixturePath() });
const fixture = readFixture<Record<string, Json>>('experiments', 'llama.json');
const golden = readFixture<{ lists: Record<'train' | 'test', { text: string }[]> }>('continuations', 'llama.json');
const common = { model: fixturePath('models', 'llama'), lr: 1e-2, epochs: 2, collisions: 'merge', threads: 1, device: 'cpu' };

async function execute(spec: { experiment: string } & Record<string, Json>): Promise<{ results: Json; emissions: Emission[] }> {
  const emissions: Emission[] = [];
  const end = compute.onEmission(({ emission }) => emissions.push(emission));
  try {
    return { results: await compute.execute('continuations', { ...common, ...spec } as unknown as ExperimentSpec), emissions };
  } finally {
    end();
  }
}

const rowsOf = (emissions: readonly Emission[]): ContinuationRow[] =>
  emissions.flatMap((emission) => (emission.kind === 'continuations' ? [emission.row] : []));
const lastProgress = (emissions: readonly Emission[]) =>
  emissions.flatMap((emission) => (emission.kind === 'progress' ? [emission.progress] : [])).at(-1)!;

test('ocr: both lists by seed; before training they are the model’s own, after it they are others', async () => {
  const spec = { experiment: 'ocr', dataset: fixture['first-hop']!, seeds: [0, 4] };
  const { results, emissions } = await execute(spec);
  const rows = rowsOf(emissions);
  expect(rows.map(({ seed, stage, set }) => [seed, stage, set])).toEqual([
    [0, 'finetune', 'facts'],
    [0, 'finetune', 'implications'],
    [4, 'finetune', 'facts'],
    [4, 'finetune', 'implications'],
  ]);
  for (const { set, rows: texts } of rows) {
    const list = golden.lists[set === 'facts' ? 'train' : 'test'];
    expect(texts.map(({ item }) => item)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(texts.map(({ before }) => before)).toEqual(list.map(({ text }) => text));
    expect(texts.some(({ before, after }) => before !== after)).toBe(true);
  }
  expect(lastProgress(emissions).done).toBe(lastProgress(emissions).total);

  const silent = await execute({ ...spec, continuation_tokens: 0 });
  expect(rowsOf(silent.emissions)).toEqual([]);
  // No result depends on them
  expect(silent.results).toEqual(results);
  const { cost } = await compute.preview({ ...common, ...spec } as unknown as ExperimentSpec);
  const { cost: less } = await compute.preview({ ...common, ...spec, continuation_tokens: 0 } as unknown as ExperimentSpec);
  // 8 tokens, for two seeds and once before
  expect(cost.evaluations - less.evaluations).toBe(24);
  expect(cost.seconds).toBeGreaterThan(less.seconds);
});

test('after a training that learned its facts, the model says them', async () => {
  const small = createCompute({ resources: join(import.meta.dirname, '../../resources') });
  const rows: ContinuationRow[] = [];
  const pairs: string[][] = [];
  const end = small.onEmission(({ emission }) => {
    if (emission.kind === 'continuations') rows.push(emission.row);
    if (emission.kind === 'items' && emission.items.set === 'facts') pairs.push(...emission.items.pairs);
  });
  await small.execute('small', {
    experiment: 'ocr',
    model: 'small-world',
    dataset: 'first-hop',
    seeds: [0],
    continuation_tokens: 4,
    threads: 2,
    device: 'cpu',
  });
  end();
  const right = (key: 'before' | 'after') =>
    rows.find(({ set }) => set === 'facts')!.rows.filter((row) => row[key].trimStart().startsWith(pairs[row.item]![1]!)).length;
  expect(right('after')).toBeGreaterThan(0.9 * pairs.length);
  expect(right('before')).toBeLessThan(0.5 * pairs.length);
});

test.each(['weight-grafting', 'emergence'])('%s has none', async (experiment) => {
  const spec = { ...common, experiment, dataset: fixture['first-hop']!, continuation_tokens: 8 } as unknown as ExperimentSpec;
  await expect(compute.preview(spec)).rejects.toMatchObject({ code: 'UnknownKey' });
});

test.each<[string, string, [string, string][]]>([
  [
    'layer-freezing',
    'first-hop',
    [
      ['nothing frozen', 'facts'],
      ['nothing frozen', 'implications'],
    ],
  ],
  [
    'data-ordering',
    'daxwug',
    ['joint', 'left_first', 'both_first'].flatMap((ordering) => [
      [`${ordering}.finetune`, 'left, test names'] as [string, string],
      [`${ordering}.finetune`, 'both, test names'] as [string, string],
    ]),
  ],
  [
    'localization',
    'daxwug',
    [
      ['finetune', 'left, test names'],
      ['finetune', 'both, test names'],
    ],
  ],
])('%s: of its main trainings', async (experiment, dataset, expected) => {
  const { results, emissions } = await execute({
    experiment,
    dataset: fixture[dataset]!,
    seeds: [0],
    epochs: 1,
    continuation_tokens: 2,
  });
  const rows = rowsOf(emissions);
  expect(rows.map(({ stage, set }) => [stage, set])).toEqual(expected);
  // Before any training there is one text for an item, whatever the stage
  const before = new Map<string, string>();
  for (const { set, rows: texts } of rows) {
    for (const { item, before: text } of texts) {
      expect(before.get(`${set} ${item}`) ?? text).toBe(text);
      before.set(`${set} ${item}`, text);
    }
  }
  if (experiment !== 'localization') return;
  const { item_tokens: tokens } = results as unknown as { item_tokens: Record<string, string[][]> };
  const widths = emissions.flatMap((emission) => (emission.kind === 'scores' ? emission.rows : []));
  expect(Object.keys(tokens)).toEqual(['both, scored', 'both, test names']);
  for (const { set, point, shape } of widths) if (point >= 0) expect(tokens[set]![point]).toHaveLength(shape.at(-1)!);
});
