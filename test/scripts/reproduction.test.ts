/** How the reproduction judges directions, and that every comparison names quantities that its runs have. */
import { describe, expect, test } from 'vitest';
import { experiments } from '../../src-main/experiments/index.ts';
import { estimate } from '../../src-main/scores/statistics.ts';
import type { Part, Quantity } from '../../src-main/scripts/reproduction/part.ts';
import { rankParts } from '../../src-main/scripts/reproduction/rank-parts.ts';
import { scoreParts } from '../../src-main/scripts/reproduction/score-parts.ts';
import { directionTable, judge, valueTable, verdict } from '../../src-main/scripts/reproduction/tables.ts';

const at = (mean: number, low = mean, high = mean) => ({ mean, low, high, values: [mean] });

test.each([
  ['agrees', at(1, 0.5, 1.5), at(3, 2, 4)],
  ['does not', at(3, 2, 4), at(1, 0.5, 1.5)],
  ['unclear', at(1, 0.5, 2.5), at(3, 2, 4)],
  ['unclear', at(3, 2, 4), at(1, 0.5, 2.5)],
  ['unclear', at(2, 1, 2), at(3, 2, 4)], // intervals that touch
  ['unclear', at(0), at(0)],
  ['agrees', at(0), at(0.1)],
  ['unclear', at(Number.NaN), at(1)],
] as const)('%s: %o, %o', (expected, smaller, larger) => {
  expect(verdict(smaller, larger)).toBe(expected);
});

describe('judging', () => {
  const quantity = (name: string, values: number[], published: number | null = null): Quantity => ({
    name,
    value: estimate(values),
    published,
    chance: null,
  });
  const part = (title: string, comparisons: Part['comparisons']): Part => ({
    title,
    spec: { experiment: 'ocr', dataset: 'first-hop' },
    quantities: (results) => results as Quantity[],
    comparisons,
  });
  const first = part('First', [
    { claim: 'own', smaller: 'a', larger: 'b', source: 'paper' },
    { claim: 'zero', smaller: '0', larger: 'b', source: 'hypothesis' },
  ]);
  const second = part('Second', [
    { claim: 'own before others', smaller: 'a', larger: 'c', source: 'paper' },
    { claim: 'of another part', smaller: 'b', larger: 'c', source: 'ours' },
    { claim: 'of no part', smaller: 'x', larger: 'c', source: 'paper' },
  ]);
  const judged = judge([
    { part: first, results: [quantity('a', [1, 2], 0.5), quantity('b', [5, 6], 8)] },
    { part: second, results: [quantity('a', [9, 9.5]), quantity('c', [3, 4])] },
  ]);

  test('takes own quantities before those of other parts', () => {
    expect(judged.flatMap(({ comparisons }) => comparisons.map(({ claim, verdict }) => [claim, verdict]))).toEqual([
      ['own', 'agrees'],
      ['zero', 'agrees'],
      ['own before others', 'does not'],
      ['of another part', 'does not'],
      ['of no part', 'not run'],
    ]);
  });

  test('is written as tables', () => {
    const rows = directionTable(judged).split('\n');
    expect(rows).toHaveLength(2 + 5);
    expect(rows[2]).toBe('| First | own: *a* < *b* | 1.50 [1.00, 2.00] vs 5.50 [5.00, 6.00] | 0.50 vs 8.00 | **agrees** |');
    expect(rows[3]).toContain('| 0.00 vs 5.50 [5.00, 6.00] | stated, no number | **agrees** |');
    expect(rows[6]).toContain('| not run |');
    expect(valueTable(judged).split('\n')[2]).toBe('| First | a | 1.50 [1.00, 2.00] |  | 0.50 |');
    expect(
      new Set(
        directionTable(judged)
          .split('\n')
          .map((row) => row.split('|').length),
      ).size,
    ).toBe(1);
  });
});

describe('the parts', () => {
  test('cover every experiment, with a kind of data that fits', () => {
    const parts = [...rankParts, ...scoreParts];
    expect(new Set(parts.map(({ spec }) => spec.experiment))).toEqual(
      new Set(experiments.map(({ description }) => description.id)),
    );
    for (const { spec } of parts) {
      const { datasetKind } = experiments.find(({ description }) => description.id === spec.experiment)!;
      expect(datasetKind).toBe(spec.dataset === 'daxwug' ? 'daxwug' : 'facts');
    }
  });

  test('read the results of the experiments, and compare what they read', () => {
    const rank = (value: number) => estimate([value, value + 1]);
    const results: Record<string, unknown> = {
      ocr: {
        epochs: [9, 1].map((value) => ({ per_seed: [{ fact_rank: value, implication_rank: value }] })),
        chance: { facts: 9.5, implications: 7 },
      },
      'layer-freezing': {
        summary: ['after none', 'after early', 'after late', 'after all', 'during early', 'during late'].map((key) => {
          const [when, frozen] = key.split(' ');
          return { when, frozen, fact_rank: rank(1), implication_rank: rank(2) };
        }),
      },
      'data-ordering': {
        summary: ['joint', 'left_first', 'both_first'].map((ordering) => ({
          ordering,
          both_rank_before: rank(9),
          both_rank: rank(3),
        })),
      },
      'weight-grafting': {
        summary: ['left_2', 'left_2_graft', 'left_2_graft_bad'].map((weights) => ({
          weights,
          left_1: rank(9),
          both_1: rank(8),
          left_2: rank(0),
          both_2: rank(9),
        })),
      },
      'extractive-scores': {
        seeds: [{}, {}],
        by_layer: Object.fromEntries(
          ['informative', 'upstream', 'downstream'].flatMap((kind) =>
            ['mlp', 'attn'].map((component) => [`${kind}.${component}`, [rank(-2), rank(1), rank(2)]]),
          ),
        ),
      },
      localization: { seeds: [{ correlation: { mlp: 0.5, attn: 0.25 } }] },
      emergence: { checkpoints: [9, 5, 1].map((value) => ({ fact: rank(0), implication: rank(value) })) },
      ablation: { lists: { test: { sets: { top: [{ k: 8, effect: rank(3) }], random: [{ k: 8, effect: rank(0) }] } } } },
    };
    const judged = judge([...rankParts, ...scoreParts].map((part) => ({ part, results: results[part.spec.experiment] })));
    expect(judged.flatMap(({ comparisons }) => comparisons).filter(({ verdict }) => verdict === 'not run')).toEqual([]);
    const values = judged.flatMap(({ quantities }) => quantities);
    expect(values.every(({ value }) => value.values.every(Number.isFinite))).toBe(true);
    // Layers 1 and 2 with weights 1 and 2 in the first seed, 2 and 3 in the second; the negative layer 0 counts nothing
    expect(values.find(({ name }) => name === 'mean layer of informative MLPs, first hop')!.value.values).toEqual([5 / 3, 8 / 5]);
  });
});
