/** Replacing components' values: what must come out exactly when everything, one head or nothing much is replaced. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Edit, Interventions } from '../../../src-main/engine/execution/interventions.ts';
import { Observer } from '../../../src-main/engine/execution/observer.ts';
import { openModel } from '../../../src-main/engine/models/model.ts';
import { trainableNames } from '../../../src-main/engine/models/parameters.ts';
import { type FloatTensor, floatTensor } from '../../../src-main/engine/tensor.ts';
import { padTokens } from '../../../src-main/engine/training/batch.ts';
import type { Weights } from '../../../src-main/engine/weights.ts';
import { allSites, type InterventionSet, measureInterventions, predictedEffect } from '../../../src-main/scores/ablation.ts';
import { encodeSet } from '../../../src-main/scores/evaluation.ts';
import { readPrompts, valueAt, zeroValues } from '../../../src-main/scores/replacements.ts';
import { scoreBatches } from '../../../src-main/scores/score-items.ts';
import type { Pair } from '../../../src-main/shared/records.ts';
import { expectClose, fixturePath, openFixtureModel, readFixture, readTensors } from '../../parity/fixture.ts';

const { outline, weights } = openFixtureModel('llama');
const { layers, heads, headSize } = outline.configuration;
const trained = readTensors('scores', 'llama.first-hop.new-weights.safetensors');
const fixture = readFixture<{ test: Pair[]; options: string[] }>('scores', 'llama.first-hop.json');
const { tokenizer, checkpoint } = await openModel(fixturePath('models', 'llama'));
checkpoint.close();
const set = encodeSet(tokenizer, 'implications', fixture.test, fixture.options, 'merge');

const settings = { device: 'cpu', threads: 1 } as const;
const observer = new Observer(outline, settings);
const whole = new Interventions(outline, { ...settings, mode: 'whole' });
const blocks = new Interventions(outline, { ...settings, mode: 'blocks' });
const readings = await readPrompts(observer, weights, set);
afterAll(() => {
  for (const each of [observer, whole, blocks]) each.release();
});

const tokensOf = (item: number) => set.examples[item]!.questionEnd + 1;
const promptOf = (item: number) => set.examples[item]!.ids.slice(0, tokensOf(item));
const everything = (item: number) => allSites(outline, tokensOf(item));

/** One prompt's candidate logits with edits in place. */
async function logitsOf(item: number, used: Weights, edits: readonly Omit<Edit, 'item'>[], interventions = whole) {
  const batch = padTokens([promptOf(item)]);
  const question = { batch, rows: [tokensOf(item) - 1], candidates: set.items.candidates };
  const placed = edits.map((edit): Edit => ({ ...edit, item: 0 }));
  return (await interventions.logits(used, question, placed)).data;
}

const editsFrom = (item: number, values: (typeof readings)[number]['values']) =>
  everything(item).map((site) => ({ ...site, value: valueAt(outline, values, site) }));

describe('patching everything', () => {
  test('with nothing replaced the logits are the plain pass', async () => {
    const [batch] = scoreBatches(set, set.examples.length);
    const plain = await observer.read(weights, batch!.question, batch!.coefficients);
    const item = batch!.items[0]!;
    expectClose('logits', await logitsOf(item, weights, []), plain.logits.data.subarray(0, set.items.candidates.length), 1e-5, 0);
  });

  test('from another prompt of the same length and last token gives that prompt’s logits', async () => {
    const other = set.examples.findIndex(
      ({ ids, questionEnd }, index) =>
        index > 0 && questionEnd + 1 === tokensOf(0) && ids[questionEnd] === set.examples[0]!.ids[tokensOf(0) - 1],
    );
    expect(other).toBeGreaterThan(0);
    const patched = await logitsOf(0, weights, editsFrom(0, readings[other]!.values));
    expectClose('logits', patched, await logitsOf(other, weights, []), 1e-5, 0);
    expectClose('block by block', await logitsOf(0, weights, editsFrom(0, readings[other]!.values), blocks), patched, 1e-5, 0);
  });

  test('from other weights of what the components compute gives those weights’ logits', async () => {
    // Heads are replaced before the output projection, which therefore stays what it is
    const names = trainableNames(outline.parameters, 'mlp_attn');
    for (const { role, name } of outline.parameters.all) if (role === 'attn.o') names.delete(name);
    const changed = new Map([...weights, ...[...trained].filter(([name]) => names.has(name))]);
    const [reading] = await readPrompts(observer, changed, set);
    const expected = await logitsOf(0, changed, []);
    expectClose('logits', await logitsOf(0, weights, editsFrom(0, reading!.values)), expected, 1e-5, 0);
    const before = await logitsOf(0, weights, []);
    expect(Math.max(...expected.map((value, index) => Math.abs(value - before[index]!)))).toBeGreaterThan(1e-2);
  });
});

test.each([whole, blocks])(
  'a head set to zero is its columns of the output projection set to zero (%#)',
  async (interventions) => {
    for (const [layer, head] of [
      [0, 1],
      [layers - 1, heads - 1],
    ] as const) {
      const { name, shape } = outline.parameters.blocks[layer]!.find(({ role }) => role === 'attn.o')!;
      const data = weights.get(name)!.data.slice();
      const width = heads * headSize;
      for (let row = 0; row < shape[0]!; row++) data.fill(0, row * width + head * headSize, row * width + (head + 1) * headSize);
      const without: Map<string, FloatTensor> = new Map([...weights, [name, floatTensor(shape, data)]]);
      const edits = Array.from({ length: tokensOf(0) }, (_, token) => ({
        layer,
        head,
        token,
        value: new Float32Array(headSize),
      }));
      const ablated = await logitsOf(0, weights, edits, interventions);
      expectClose(`head ${layer}.${head}`, ablated, await logitsOf(0, without, [], interventions), 1e-5, 0);
    }
  },
);

/** Every single site of some items set to zero, and some sets of several. */
function manySets(): InterventionSet[] {
  const items = [0, 1, set.examples.length - 1];
  return items.flatMap((item) => {
    const replacement = zeroValues(readings[item]!.values);
    const sites = everything(item);
    return [
      ...sites.map((site) => ({ item, sites: [site], replacement })),
      { item, sites, replacement },
      { item, sites: sites.filter((_, index) => index % 3 === 0), replacement: readings[item]!.gradients },
    ];
  });
}

test('many in one batch, one by one, whole and block by block agree', async () => {
  const sets = manySets();
  const few = sets.filter((_, index) => index % 7 === 0 || index > sets.length - 4);
  const together = await measureInterventions({ interventions: whole, weights, set, sets: few, perPass: 16 });
  const alone = await measureInterventions({ interventions: whole, weights, set, sets: few, perPass: 1 });
  const inBlocks = await measureInterventions({ interventions: blocks, weights, set, sets: few });
  const losses = (outcomes: typeof together) => outcomes.map(({ loss }) => loss);
  expectClose('one by one', losses(alone), losses(together), 1e-5, 0);
  expectClose('block by block', losses(inBlocks), losses(together), 1e-5, 0);
  expect(new Set(losses(together).map((loss) => loss.toFixed(4))).size).toBeGreaterThan(few.length / 4);
});

test('the predicted effect is the derivative along the replacement', async () => {
  const share = 1 / 64;
  const item = 1;
  const reading = readings[item]!;
  const other = readings[2]!.values;
  const length = Math.min(tokensOf(item), tokensOf(2));
  const sites = allSites(outline, length);
  const { candidates, answers } = set.items;
  const lossWith = async (chosen: typeof sites, part: number) => {
    const logits = await logitsOf(
      item,
      weights,
      chosen.map((site) => ({ ...site, value: valueAt(outline, other, site), share: part })),
    );
    return logits.reduce((sum, logit) => sum + logit, 0) / candidates.length - logits[answers[item]!]!;
  };
  const chosen = sites.filter((_, index) => index % 5 === 0);
  const predicted = chosen.map((site) => predictedEffect(outline, reading, { sites: [site], replacement: other }));
  const measured: number[] = [];
  for (const site of chosen) measured.push(((await lossWith([site], share)) - (await lossWith([site], -share))) / (2 * share));
  expectClose('derivative', measured, predicted, 1e-3, 1e-3);
  expect(Math.max(...predicted.map(Math.abs))).toBeGreaterThan(1e-2);
});

describe('refused', () => {
  const replacement = readings[0]!.values;
  const measureSites = (sites: InterventionSet['sites']) =>
    measureInterventions({ interventions: whole, weights, set, sets: [{ item: 0, sites, replacement }] });

  test.each([
    ['a layer outside the model', [{ layer: layers, head: null, token: 0 }], 'ComponentOutsideModel'],
    ['a head outside the model', [{ layer: 0, head: heads, token: 0 }], 'ComponentOutsideModel'],
    ['no component', [], 'EmptyIntervention'],
    ['a token outside the prompt', [{ layer: 0, head: 0, token: tokensOf(0) }], 'TokenOutsidePrompt'],
  ])('%s', async (_, sites, code) => {
    await expect(measureSites(sites)).rejects.toMatchObject({ code });
  });

  test('a replacement of another shape', async () => {
    const edit = { layer: 0, head: null, token: 0, value: new Float32Array(1) };
    await expect(logitsOf(0, weights, [edit])).rejects.toMatchObject({ code: 'WrongShape' });
  });

  test('a token outside the batch', async () => {
    const edit = { layer: 0, head: null, token: 99, value: new Float32Array(outline.configuration.hidden) };
    await expect(logitsOf(0, weights, [edit])).rejects.toMatchObject({ code: 'TokenOutsidePrompt' });
  });
});
