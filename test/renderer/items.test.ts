/** Single facts and implications: ranks before and after, option labels, sorting. */
import { describe, expect, it } from 'vitest';
import type { EvaluationRow, ItemSet } from '../../src-main/shared/records.ts';
import { isTrainedAt, itemStages } from '../../src-renderer/measures/item-history.ts';
import { candidateLabels, endsOf, itemOutcomes, optionLogits, sortOutcomes } from '../../src-renderer/measures/items.ts';

const set: ItemSet = {
  set: 'facts',
  pairs: [
    ['Ada lives in', 'Oslo'],
    ['Bram lives in', 'Rome'],
    ['Cleo lives in', 'Oslo'],
  ],
  options: ['Oslo', 'Rome', 'Cairo'],
  candidates: [11, 12, 13],
  labels: [],
  answers: [0, 1, 0],
};
function evaluation(epoch: number, logits: number[][], ranks: number[], seed = 0): EvaluationRow {
  return {
    seed,
    stage: 'finetune',
    epoch,
    set: 'facts',
    meanRank: 0,
    loss: 0,
    items: logits.map((values, item) => ({ item, rank: ranks[item]!, logits: values })),
  };
}
const rows = [
  evaluation(
    2,
    [
      [5, 1, 2],
      [0, 3, 1],
      [2, 4, 1],
    ],
    [0, 0, 1],
  ),
  evaluation(
    0,
    [
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ],
    [2, 1, 2],
  ),
  evaluation(0, [], [], 1),
];

describe('items', () => {
  it('takes the first and the last evaluation of a seed', () => {
    const ends = endsOf(rows, 'facts', { seed: 0 });
    expect([ends?.first?.epoch, ends?.last.epoch]).toEqual([0, 2]);
    expect(endsOf(rows, 'implications', { seed: 0 })).toBeNull();
    // Weights that the stage did not train are measured once, however often
    expect(endsOf(rows, 'facts', { seed: 0, stage: 'finetune', trained: false })).toMatchObject({
      first: null,
      last: { epoch: 2 },
    });
  });

  it('are trained where any seed has got beyond its start, not the first one alone', () => {
    const begun = [evaluation(0, [[1, 2, 3]], [2], 0), evaluation(0, [[1, 2, 3]], [2], 1), evaluation(1, [[5, 2, 3]], [0], 1)];
    const stages = itemStages(begun, set, 0);
    expect(stages[0]!.lines.map(({ points }) => points.length)).toEqual([1, 2]);
    expect([isTrainedAt(stages, 'finetune'), isTrainedAt(stages, 'elsewhere')]).toEqual([true, false]);
    expect(isTrainedAt(itemStages(begun.slice(0, 2), set, 0), 'finetune')).toBe(false);
  });

  it('lists ranks before and after, null where not measured', () => {
    expect(itemOutcomes(set, endsOf(rows, 'facts', { seed: 0 })).map(({ before, after }) => [before, after])).toEqual([
      [2, 0],
      [1, 0],
      [2, 1],
    ]);
    expect(itemOutcomes(set, endsOf(rows, 'facts', { seed: 1 }))[0]).toMatchObject({
      prompt: 'Ada lives in',
      answer: 'Oslo',
      before: null,
      after: null,
    });
    expect(itemOutcomes(set, null)).toHaveLength(3);
  });

  it('has nothing before where weights were only evaluated', () => {
    const ends = { first: null, last: endsOf(rows, 'facts', { seed: 0 })!.last };
    expect(itemOutcomes(set, ends).map(({ before, after }) => [before, after])).toEqual([
      [null, 0],
      [null, 0],
      [null, 1],
    ]);
    expect(optionLogits(set, ends, 2).map(({ before }) => before)).toEqual([null, null, null]);
  });

  it('orders options by the latest logit and marks the right one', () => {
    const options = optionLogits(set, endsOf(rows, 'facts', { seed: 0 }), 2);
    expect(options.map(({ label, right, before, after }) => [label, right, before, after])).toEqual([
      ['Rome', false, 2, 4],
      ['Oslo', true, 1, 2],
      ['Cairo', false, 3, 1],
    ]);
  });
});

describe('candidateLabels', () => {
  it('takes what the set says', () => {
    expect(candidateLabels({ ...set, labels: ['Cairo', 'Rome', 'Oslo'] })).toEqual(['Cairo', 'Rome', 'Oslo']);
  });

  it('knows the right answers otherwise, and an only option left over', () => {
    expect(candidateLabels({ ...set, options: ['Oslo', 'Rome', 'Oslo', 'Cairo'] })).toEqual(['Oslo', 'Rome', 'Cairo']);
    expect(candidateLabels({ ...set, answers: [2, 1, 2] })).toEqual(['Cairo', 'Rome', 'Oslo']);
  });

  it('names by token what it cannot know', () => {
    const open = { ...set, options: ['Oslo', 'Rome', 'Cairo', 'Lima'], candidates: [11, 12, 13, 14] };
    expect(candidateLabels(open)).toEqual(['Oslo', 'Rome', 'token 13', 'token 14']);
  });

  it('joins options that were merged', () => {
    const merged = {
      ...set,
      options: ['Oslo', 'Osaka', 'Rome'],
      pairs: [
        ['a', 'Oslo'],
        ['b', 'Osaka'],
        ['c', 'Rome'],
      ],
      candidates: [11, 12],
      answers: [0, 0, 1],
    } as ItemSet;
    expect(candidateLabels(merged)).toEqual(['Oslo / Osaka', 'Rome']);
  });
});

describe('sortOutcomes', () => {
  const outcomes = itemOutcomes(set, endsOf(rows, 'facts', { seed: 0 }));
  it('sorts by rank with ties in order, and missing ranks last both ways', () => {
    const some = [...outcomes, { ...outcomes[0]!, item: 9, before: null }];
    expect(sortOutcomes(some, 'before', true).map((row) => row.item)).toEqual([0, 2, 1, 9]);
    expect(sortOutcomes(some, 'before', false).map((row) => row.item)).toEqual([1, 0, 2, 9]);
    expect(outcomes.map((row) => row.item)).toEqual([0, 1, 2]);
  });
});
