/** Which items become counterfactuals, and which choices are refused by name. */
import { describe, expect, test } from 'vitest';
import { counterfactualsOf } from '../../src-main/scores/counterfactuals.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { Pair } from '../../src-main/shared/records.ts';

const pairs: Pair[] = [
  ['a speaks', 'Thai'],
  ['b speaks', 'Thai'],
  ['c speaks', 'Urdu'],
  ['a speaks', 'Urdu'],
  ['d speaks', 'Zulu'],
];

test('all: every item with another prompt and another answer', () => {
  expect(counterfactualsOf('all', pairs)).toEqual([
    [2, 4],
    [2, 3, 4],
    [0, 1, 4],
    [1, 4],
    [0, 1, 2, 3],
  ]);
});

test('a seeded draw is repeatable, without repetition and among those', () => {
  const all = counterfactualsOf('all', pairs);
  const drawn = counterfactualsOf({ count: 2, seed: 3 }, pairs);
  expect(counterfactualsOf({ count: 2, seed: 3 }, pairs)).toEqual(drawn);
  drawn.forEach((list, item) => {
    expect(new Set(list).size).toBe(2);
    for (const other of list) expect(all[item]).toContain(other);
  });
  const others = [4, 5, 6, 7].map((seed) => JSON.stringify(counterfactualsOf({ count: 2, seed }, pairs)));
  expect(new Set(others).size).toBeGreaterThan(1);
});

test('indices are taken as given, repeated ones too', () => {
  expect(counterfactualsOf([[1, 1], [0], [0], [0], [3]], pairs)).toEqual([[1, 1], [0], [0], [0], [3]]);
});

describe('refused', () => {
  test.each<[string, number[][] | 'all' | { count: number; seed: number }, RegExp]>([
    ['an own index', [[1], [1], [0], [0], [0]], /item 1 names itself/],
    ['an index outside', [[1], [0], [5], [0], [0]], /item 2 names 5; .* 0 to 4/],
    ['a fraction', [[1], [0], [0.5], [0], [0]], /item 2 names 0.5/],
    ['an empty list', [[1], [], [0], [0], [0]], /item 1 has none/],
    ['too few lists', [[1]], /1 lists for 5 items/],
    ['more than there are', { count: 3, seed: 0 }, /item 0 needs 3 .* there are 2/],
  ])('%s', (_, choice, message) => {
    const act = () => counterfactualsOf(choice, pairs);
    expect(act).toThrow(HopscopeError);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ code: 'BadCounterfactual' }));
  });

  test('all, of items that do not differ', () => {
    expect(() =>
      counterfactualsOf('all', [
        ['a', 'x'],
        ['b', 'x'],
      ]),
    ).toThrow(/item 0 needs 1/);
  });
});
