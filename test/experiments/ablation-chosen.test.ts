/** Ablation of exactly the components that a spec names: what is replaced, what is left out of a list, and what is refused. */
import { expect, test } from 'vitest';
import { openModel } from '../../src-main/engine/models/model.ts';
import { encodePair } from '../../src-main/engine/training/batch.ts';
import { chosenFirst, planLists, sitesOf } from '../../src-main/experiments/ablation-chosen.ts';
import type { ChosenComponent } from '../../src-main/experiments/ablation-settings.ts';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import { allSites } from '../../src-main/scores/ablation.ts';
import type { LinesFigure } from '../../src-main/shared/figures.ts';
import type { Emission, ExperimentSpec, FactsAndImplications, Json } from '../../src-main/shared/records.ts';
import { fixturePath, readFixture } from '../parity/fixture.ts';

const compute = createCompute({ resources: fixturePath() });
const fixture = readFixture<Record<string, Json>>('experiments', 'llama.json');
const dataset = fixture['first-hop'] as unknown as FactsAndImplications;
const model = await openModel(fixturePath('models', 'llama'));
model.checkpoint.close();
const { heads } = model.configuration;

const common = {
  experiment: 'ablation',
  model: fixturePath('models', 'llama'),
  dataset: fixture['first-hop']!,
  lr: 1e-2,
  epochs: 1,
  seeds: [0],
  draws: 2,
  collisions: 'merge',
  threads: 1,
  device: 'cpu',
};
const specOf = (components: unknown, others: Record<string, Json> = {}): ExperimentSpec =>
  ({ ...common, by: 'chosen', components: components as Json, ...others }) as ExperimentSpec;
const mlp = (layer: number, token: number): ChosenComponent => ({ part: 'mlp', layer, head: null, token });
const attention = (layer: number, head: number | null, token: number): ChosenComponent => ({ part: 'attn', layer, head, token });

interface Estimate {
  mean: number;
}
interface List {
  tokens: string[];
  mean_rank: Estimate;
  chosen: Record<'components' | 'left_out', { name: string }[]>;
  everything: { effect: Estimate };
  sets: Record<'top' | 'random', { k: number; effect: Estimate; mean_rank: Estimate }[]>;
  maps: { mlp: { measured: number[][] } };
}
interface Results {
  lists: Record<'train' | 'test', List>;
  seeds: { lists: Record<'train' | 'test', { order: unknown[] }> }[];
}

async function execute(spec: ExperimentSpec): Promise<{ results: Results; emissions: Emission[] }> {
  const emissions: Emission[] = [];
  const end = compute.onEmission(({ emission }) => emissions.push(emission));
  try {
    return { results: (await compute.execute('chosen', spec)) as unknown as Results, emissions };
  } finally {
    end();
  }
}

const plan = (components: ChosenComponent[], others: Record<string, Json> = {}) =>
  planLists(specOf(components, { k: [1, 2, 4, 8], ...others }), model, dataset);

test('all heads of a layer are as many sites, and the chosen sites come first', () => {
  expect(sitesOf([attention(1, null, 3), attention(0, 1, 2), mlp(2, 0)], 2)).toEqual([
    { layer: 1, head: 0, token: 3 },
    { layer: 1, head: 1, token: 3 },
    { layer: 0, head: 1, token: 2 },
    { layer: 2, head: null, token: 0 },
  ]);
  const all = allSites(model, 3);
  const chosen = sitesOf([mlp(2, 1), attention(0, null, 2)], heads);
  const order = chosenFirst(all, chosen);
  expect(order.slice(0, chosen.length)).toEqual(chosen);
  expect(order).toHaveLength(all.length);
  expect(new Set(order.map((site) => JSON.stringify(site))).size).toBe(all.length);
});

test('tokens are those of the prompt that scores are averaged over; all are replaced together, after smaller numbers', () => {
  const { train, test } = plan([mlp(0, 1), mlp(1, 2), attention(0, null, 1)]);
  expect(test.reference.ids).toEqual(
    encodePair(model.tokenizer, ['The people in the city X Y is from speak', dataset.test[0]![1]]).ids,
  );
  expect(train.settings.k).toEqual([1, 2, 3]);
  expect(test.chosen!.components.map(({ name }) => name)).toEqual([
    'MLP 0 at token 1 “The”',
    'MLP 1 at token 2 “people”',
    'attention 0 at token 1 “The”',
  ]);
  expect(plan([mlp(0, 1)]).test.settings.k).toEqual([1]);
  expect(plan([mlp(0, 1), mlp(0, 2), mlp(0, 3)], { k: [64] }).test.settings.k).toEqual([3]);
});

test('another accumulation prompt counts for the implications alone', () => {
  const [prompt, answer] = dataset.test[1]!;
  const { train, test } = plan([mlp(0, 1)], { accumulation: { prompt, answer } });
  expect(test.reference.ids).toEqual(encodePair(model.tokenizer, [prompt, answer]).ids);
  expect(train.reference.ids).toEqual(plan([mlp(0, 1)]).train.reference.ids);
});

test('a token beyond one list’s prompt is left out of that list, by name and with a warning', async () => {
  const { train, test } = plan([mlp(0, 1)]);
  const last = test.reference.questionEnd;
  expect(last).toBeGreaterThan(train.reference.questionEnd);
  const { results, emissions } = await execute(specOf([mlp(0, last), attention(1, 0, 1)]));
  const { lists } = results;
  expect(lists.test.sets.top.map(({ k }) => k)).toEqual([1, 2]);
  expect(lists.train.sets.top.map(({ k }) => k)).toEqual([1]);
  expect(lists.train.chosen.left_out.map(({ name }) => name)).toEqual([`MLP 0 at token ${last}`]);
  expect(lists.train.chosen.components.map(({ name }) => name)).toEqual([expect.stringContaining('head 1.0 at token 1')]);
  const warnings = emissions.flatMap((emission) => (emission.kind === 'warning' ? [emission.message] : []));
  expect(warnings).toContainEqual(expect.stringContaining(`left out of them is MLP 0 at token ${last}`));
  const figures = emissions.flatMap((emission) => (emission.kind === 'figures' ? emission.figures : []));
  const table = figures.find(({ id }) => id === 'chosen') as { rows: string[][] };
  expect(table.rows).toContainEqual(['facts', `MLP 0 at token ${last}`, 'left out: beyond the prompt']);
  expect(figures.find(({ id }) => id === 'effect-test')!.caption).toContain(`MLP 0 at token ${last}`);
  // One component alone is drawn from where nothing is replaced
  const course = (id: string) => (figures.find((figure) => figure.id === id) as LinesFigure).series[0]!;
  expect(course('effect-test').x).toEqual([1, 2]);
  expect(course('effect-train')).toMatchObject({ x: [0, 1], y: [{ mean: 0 }, lists.train.sets.top[0]!.effect] });
  expect(course('rank-train').y[0]).toEqual(lists.train.mean_rank);
  const progress = emissions.flatMap((emission) => (emission.kind === 'progress' ? [emission.progress] : []));
  expect(progress.at(-1)!.done).toBe(progress.at(-1)!.total);

  // A list with nothing left has neither sets nor their figures
  const only = await execute(specOf([mlp(0, last)]));
  expect(only.results.lists.train.sets).toEqual({ top: [], random: [] });
  const ids = only.emissions.flatMap((emission) => (emission.kind === 'figures' ? emission.figures.map(({ id }) => id) : []));
  expect(ids).toContain('effect-test');
  expect(ids).not.toContain('effect-train');
});

test('what is replaced is what was chosen: the effect of one MLP is its cell of the map, and everything chosen is everything', async () => {
  const { train } = plan([mlp(0, 1)]);
  const { results } = await execute(specOf([mlp(1, 2), mlp(2, 3)], { method: 'mean' }));
  for (const list of ['train', 'test'] as const) {
    const { sets, maps } = results.lists[list];
    expect(sets.top[0]!.effect.mean).toBeCloseTo(maps.mlp.measured[1]![2]!, 10);
    expect(results.seeds[0]!.lists[list].order).toEqual([
      { layer: 1, head: null, token: 2 },
      { layer: 2, head: null, token: 3 },
    ]);
  }
  // The facts alone: every component at every token of the reference prompt, with all heads named at once
  const every = Array.from({ length: model.configuration.layers }, (_, layer) =>
    Array.from({ length: train.reference.questionEnd + 1 }, (_, token) => [mlp(layer, token), attention(layer, null, token)]),
  ).flat(2);
  const whole = (await execute(specOf(every, { method: 'zero', k: [1] }))).results.lists.train;
  expect(whole.sets.top.at(-1)!.k).toBe(every.length);
  expect(whole.sets.top.at(-1)!.effect.mean).toBeCloseTo(whole.sets.random.at(-1)!.effect.mean, 4);
});

test.each<[string, unknown, Record<string, Json>, string, string]>([
  ['an empty list', [], {}, 'BadValue', 'empty list'],
  ['no list', 'mlp', {}, 'BadValue', 'not a list'],
  ['an unknown part', [{ part: 'norm', layer: 0, head: null, token: 0 }], {}, 'BadValue', '"norm"'],
  ['an unknown key', [{ part: 'mlp', layer: 0, head: null, token: 0, item: 1 }], {}, 'BadValue', '"item"'],
  ['a head of an MLP', [{ part: 'mlp', layer: 0, head: 1, token: 0 }], {}, 'BadValue', 'MLP'],
  ['a token that is no number', [{ part: 'mlp', layer: 0, head: null, token: 'is' }], {}, 'BadValue', 'token'],
  ['a layer that is not there', [mlp(9, 0)], {}, 'ComponentOutsideModel', 'MLP 9'],
  ['attention of a layer that is not there', [attention(9, null, 0)], {}, 'ComponentOutsideModel', '9.0'],
  ['a head that is not there', [attention(0, 99, 0)], {}, 'ComponentOutsideModel', '0.99'],
  ['a token beyond both prompts', [mlp(0, 1), mlp(0, 500)], {}, 'TokenOutsidePrompt', 'token 500'],
  ['one named twice', [mlp(0, 1), mlp(0, 1)], {}, 'ComponentTwice', 'MLP 0'],
  ['a head among all heads', [attention(0, null, 1), attention(0, 1, 1)], {}, 'ComponentTwice', 'head 0.1'],
  ['components with another order', [mlp(0, 1)], { by: 'single' }, 'BadSpec', 'components'],
])('%s is refused', async (_, components, others, code, mentions) => {
  await expect(compute.preview(specOf(components, others))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(mentions),
  });
});

test('chosen components must be named', async () => {
  await expect(compute.preview({ ...common, by: 'chosen' })).rejects.toMatchObject({ code: 'BadSpec' });
  const accumulation = { prompt: 'The people', answer: 'speak' };
  await expect(compute.preview({ ...common, accumulation })).rejects.toMatchObject({ code: 'BadSpec' });
});
