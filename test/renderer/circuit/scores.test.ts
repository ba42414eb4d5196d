/** Tables of scores: cut to the prompt, averaged, subtracted; maps of them, ends of colour scales, ranks, keys. */
import { describe, expect, it } from 'vitest';
import type { ScoreRow } from '../../../src-main/shared/records.ts';
import {
  chosenKey,
  chosenOfKey,
  componentAt,
  componentName,
  componentOfKey,
  keyOf,
  scoreOf,
} from '../../../src-renderer/circuit/components.ts';
import {
  cellBeside,
  gridsOf,
  headGrid,
  limitOf,
  rowSums,
  scaleEnds,
  standingOf,
  tokenGrid,
} from '../../../src-renderer/circuit/grids.ts';
import { differenceOf, meanOf, scoreName, shownNames, tablesOf } from '../../../src-renderer/circuit/scores.ts';
import { accumulationPrompt, accumulationTokens, tokenNames } from '../../../src-renderer/circuit/tokens.ts';

function row(name: string, shape: number[], values: number[]): ScoreRow {
  return { seed: 0, stage: 'finetune', set: 'implications', point: 0, name, shape, values };
}

/** Two layers, two heads, two tokens of a prompt and one of an answer. */
const attention = row('upstream.attn', [2, 2, 3], [1, 2, 0, 3, -4, 0, 5, 6, 0, 7, 8, 0]);
const mlp = row('upstream.mlp', [2, 3], [0.5, 0, 0, 0, -0.25, 0]);
const tables = tablesOf([attention, mlp]);
const heads = tables.get('upstream.attn')!;

describe('tables', () => {
  it('leave out the columns behind the prompt, alike in all of an item', () => {
    expect(heads).toMatchObject({ layers: 2, heads: 2, tokens: 2 });
    expect([...(heads.values as Float64Array)]).toEqual([1, 2, 3, -4, 5, 6, 7, 8]);
    expect(tables.get('upstream.mlp')).toMatchObject({ layers: 2, heads: null, tokens: 2 });
    expect(tablesOf([mlp], 3).get('upstream.mlp')!.tokens).toBe(3);
    expect(tablesOf([mlp]).get('upstream.mlp')!.tokens).toBe(2);
  });

  it('are averaged where all have them in one shape', () => {
    const other = tablesOf([row('upstream.attn', [2, 2, 2], [3, 2, 3, 4, 5, 6, 7, 8])]);
    const mean = meanOf([tables, other]);
    expect([...mean.keys()]).toEqual(['upstream.attn']);
    expect([...(mean.get('upstream.attn')!.values as Float64Array)]).toEqual([2, 2, 3, 0, 5, 6, 7, 8]);
    expect(meanOf([tables, tablesOf([row('upstream.attn', [1, 2, 2], [1, 1, 1, 1])])]).size).toBe(0);
    expect(meanOf([]).size).toBe(0);
  });

  it('are subtracted name by name, or it is said why not', () => {
    const same = differenceOf(tables, tables);
    expect(
      'tables' in same && [...same.tables.values()].every(({ values }) => [...(values as Float64Array)].every((v) => v === 0)),
    ).toBe(true);
    const longer = tablesOf([row('upstream.mlp', [2, 3], [1, 1, 1, 1, 1, 1])]);
    expect(differenceOf(tables, longer)).toEqual({ problem: expect.stringContaining('2 and 3 tokens') });
    const deeper = tablesOf([row('upstream.mlp', [3, 2], [1, 1, 1, 1, 1, 1])]);
    expect(differenceOf(tables, deeper)).toEqual({ problem: expect.stringContaining('2 layers; 3 layers') });
    expect(differenceOf(tables, new Map())).toEqual({ problem: expect.stringContaining('none of these') });
  });

  it('have the names under which they are stored', () => {
    expect(scoreName('downstream', 'attn', 'nonstrict')).toBe('downstream_nonstrict.attn');
    expect(scoreName('upstream', 'attn', 'nonstrict')).toBe('upstream.attn');
    expect(shownNames).toHaveLength(8);
  });
});

describe('maps', () => {
  it('add heads by token, or show heads at one token or over all', () => {
    expect([...(tokenGrid(heads).values as Float64Array)]).toEqual([4, -2, 12, 14]);
    expect(headGrid(heads, null)).toMatchObject({ rows: 2, columns: 2, values: Float64Array.from([3, -1, 11, 15]) });
    expect([...(headGrid(heads, 1).values as Float64Array)]).toEqual([2, -4, 6, 8]);
    expect(headGrid(tables.get('upstream.mlp')!, null).columns).toBe(1);
  });

  it('have a scale whose ends an outlier does not set', () => {
    const values = [...Array.from({ length: 99 }, (_, index) => (index + 1) / 100), -50, 0, 0];
    const grid = { rows: 1, columns: values.length, values };
    expect(limitOf([grid])).toBe(50);
    expect(limitOf([grid], 0.99)).toBe(0.99);
    expect(limitOf([{ rows: 1, columns: 2, values: [0, 0] }], 0.95)).toBe(0);
  });

  it('say how a cell stands among all', () => {
    expect(standingOf([1, -3, 4, 0], -3)).toEqual({ value: -3, share: 3 / 8, rank: 2, of: 4 });
    expect(standingOf([0, 0], 0)).toEqual({ value: 0, share: 0, rank: 1, of: 2 });
  });

  it('are walked by keys and end at their edges', () => {
    const grid = { rows: 2, columns: 3 };
    const walk = (cell: number, ...keys: string[]) => keys.map((key) => cellBeside(grid, cell, key));
    expect(walk(1, 'ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight')).toEqual([4, null, 0, 2]);
    expect(walk(4, 'Home', 'End', 'PageUp', 'PageDown', 'a')).toEqual([3, 5, 1, 4, null]);
  });
});

describe('components', () => {
  it('have keys that are read back, and others are refused', () => {
    for (const component of [
      { part: 'mlp', layer: 3, head: null, token: 5 },
      { part: 'attn', layer: 0, head: null, token: 12 },
      { part: 'attn', layer: 31, head: 7, token: 0 },
    ] as const)
      expect(componentOfKey(keyOf(component))).toEqual(component);
    for (const component of [
      { part: 'mlp', layer: 3, head: null, token: null },
      { part: 'attn', layer: 3, head: 1, token: null },
      { part: 'attn', layer: 3, head: 1, token: 4 },
    ] as const)
      expect(chosenOfKey(chosenKey(component))).toEqual(component);
    expect(chosenOfKey('')).toBeNull();
    for (const key of ['mlp.1.h2.t3', 'mlp.1', 'attn.x.t1', '', 'attn.1.t1 ']) expect(componentOfKey(key)).toBeNull();
  });

  it('have names and values', () => {
    const head = { part: 'attn', layer: 1, head: 0, token: 1 } as const;
    expect(componentAt(head, ['The', 'city'])).toBe('head 0 of layer 1 at “city” (token 1)');
    expect(componentAt(head, ['0', '1'])).toBe('head 0 of layer 1 at token 1');
    expect(componentName({ part: 'attn', layer: 2, head: null })).toBe('attention of layer 2');
    expect(scoreOf(heads, head)).toBe(6);
    expect(scoreOf(heads, { ...head, head: null })).toBe(14);
    expect(scoreOf(heads, { ...head, head: 9 })).toBe(0);
    expect(scoreOf(heads, { ...head, token: 2 })).toBe(0);
  });
});

describe('names of columns', () => {
  const results = { accumulation: { tokens: ['The', 'city'] }, item_tokens: [['A', 'b', 'answer']] };
  it('come from the results, else are numbers', () => {
    const names = (point: number, list = 'implications') => tokenNames(results, list, point, 2);
    expect(names(-1)).toEqual({ names: ['The', 'city'], named: true });
    expect(names(0)).toEqual({ names: ['A', 'b'], named: true });
    expect(names(1)).toEqual({ names: ['0', '1'], named: false });
    expect(tokenNames(null, 'implications', -1, 2).named).toBe(false);
    expect(tokenNames({ item_tokens: [[1, 2]] }, 'implications', 0, 2).named).toBe(false);
    expect([accumulationTokens(results), accumulationTokens(null)]).toEqual([2, undefined]);
    const prompt = { prompt: 'The city', answer: 'Arvish' };
    expect(accumulationPrompt({ accumulation: { ...prompt, tokens: ['The', 'city'] } })).toEqual(prompt);
    expect([accumulationPrompt(results), accumulationPrompt(null)]).toEqual([null, null]);
  });
});

it('items of several lists have the names that their own list has', () => {
  const results = { item_tokens: { both: [['A', 'b']], 'both, scored': [['C', 'd']] } };
  expect(tokenNames(results, 'both, scored', 0, 2)).toEqual({ names: ['C', 'd'], named: true });
  expect(tokenNames(results, 'both', 0, 2).names).toEqual(['A', 'b']);
  expect(tokenNames(results, 'elsewhere', 0, 2).named).toBe(false);
});

describe('colour scales', () => {
  const checkpoint = (values: number[]) => tablesOf([row('upstream.mlp', [1, values.length], values)], values.length);
  const [early, late] = [checkpoint([1, 2]), checkpoint([3, 40])].map((each) =>
    gridsOf(each, { view: 'mlp', rule: 'strict', token: null }),
  );

  it('end alike where they are shared, else each kind at its own', () => {
    expect(scaleEnds([late!], { scale: 'shared', percentile: 1 })).toEqual({ informative: 40, upstream: 40, downstream: 40 });
    expect(scaleEnds([late!], { scale: 'own', percentile: 1 })).toEqual({ informative: 0, upstream: 40, downstream: 0 });
  });

  it('fit every checkpoint of a course, each counted once', () => {
    // The third of the four sizes 1, 2, 3, 40; with the late checkpoint twice it were 40
    expect(scaleEnds([early!, late!], { scale: 'own', percentile: 0.75 }).upstream).toBe(3);
  });
});

describe('layer sums', () => {
  it('add each row over its columns', () => {
    expect([...rowSums({ rows: 2, columns: 3, values: [1, 2, -4, 0.5, 0, 0] })]).toEqual([-1, 0.5]);
    expect([...rowSums(tokenGrid(heads))]).toEqual([1 + 2 + 3 - 4, 5 + 6 + 7 + 8]);
  });
});
