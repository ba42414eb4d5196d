/** Curves: lines per seed, means only where every seed begun has a value, chance, standing. */
import { describe, expect, it } from 'vitest';
import { chanceLevel, chanceReferences } from '../../src-main/shared/chance.ts';
import type { EvaluationRow, ItemSet, StepRow } from '../../src-main/shared/records.ts';
import { lossCurve, rankCurves, seedsOf, stagesOf, standing } from '../../src-renderer/measures/curves.ts';

function row(seed: number, epoch: number, set: string, meanRank: number, stage = 'finetune'): EvaluationRow {
  return { seed, stage, epoch, set, meanRank, loss: 1, items: [] };
}
const facts: ItemSet = {
  set: 'facts',
  pairs: [],
  options: [],
  candidates: [7, 8, 9, 10],
  labels: ['a', 'b', 'c', 'd'],
  answers: [],
};

describe('rankCurves', () => {
  it('orders seeds and epochs whatever the order of the rows', () => {
    const [curve] = rankCurves(
      [row(1, 1, 'facts', 3), row(0, 1, 'facts', 1), row(1, 0, 'facts', 5), row(0, 0, 'facts', 4)],
      [facts],
    );
    expect(curve?.seeds).toEqual([
      {
        seed: 0,
        points: [
          { x: 0, y: 4 },
          { x: 1, y: 1 },
        ],
      },
      {
        seed: 1,
        points: [
          { x: 0, y: 5 },
          { x: 1, y: 3 },
        ],
      },
    ]);
    expect(curve?.mean).toEqual([
      { x: 0, y: 4.5 },
      { x: 1, y: 2 },
    ]);
  });

  it('draws no mean where a seed has not got to yet', () => {
    const [curve] = rankCurves([row(0, 0, 'facts', 4), row(0, 1, 'facts', 1), row(1, 0, 'facts', 6)], [facts]);
    expect(curve?.mean).toEqual([{ x: 0, y: 5 }]);
  });

  it('takes chance from the distinct first tokens', () => {
    expect(rankCurves([], [facts])[0]?.chance).toBe(1.5);
    expect(chanceLevel(20)).toBe(9.5);
  });

  it('names every list of a level of chance, where there are several levels', () => {
    const [left, both, other] = ['left', 'both', 'other'].map((set, place) => ({ set, chance: place === 1 ? 2 : 4.5 }));
    expect(chanceReferences([left!, other!])).toEqual([{ label: 'chance', value: 4.5 }]);
    expect(chanceReferences([left!, both!, other!])).toEqual([
      { label: 'chance, left, other', value: 4.5 },
      { label: 'chance, both', value: 2 },
    ]);
    expect(chanceReferences([])).toEqual([]);
    expect(seedsOf([{ seed: 10 }, { seed: 2 }, { seed: 10 }])).toEqual([2, 10]);
  });

  it('keeps sets without an item list, and stages apart', () => {
    const rows = [row(0, 0, 'left', 2, 'first'), row(0, 0, 'left', 3, 'second')];
    expect(stagesOf(rows)).toEqual(['first', 'second']);
    const [curve] = rankCurves(rows, [], 'second');
    expect(curve?.chance).toBeNull();
    expect(curve?.mean).toEqual([{ x: 0, y: 3 }]);
  });
});

describe('lossCurve', () => {
  it('counts steps per seed, whatever their stored numbers', () => {
    const step = (seed: number, epoch: number, number: number, loss: number): StepRow => ({
      seed,
      stage: 'finetune',
      epoch,
      step: number,
      loss,
      seconds: 0,
    });
    const curve = lossCurve([step(0, 0, 0, 4), step(0, 1, 0, 2), step(3, 0, 0, 6)]);
    expect(curve.seeds).toEqual([
      {
        seed: 0,
        points: [
          { x: 1, y: 4 },
          { x: 2, y: 2 },
        ],
      },
      { seed: 3, points: [{ x: 1, y: 6 }] },
    ]);
    expect(curve.mean).toEqual([{ x: 1, y: 5 }]);
  });
});

describe('standing', () => {
  it('is null before the first measurement', () => {
    expect(standing({ set: 'facts', seeds: [], mean: [], chance: null })).toBeNull();
  });

  it('speaks of the seeds that got furthest', () => {
    const [curve] = rankCurves([row(0, 0, 'facts', 4), row(0, 2, 'facts', 1), row(1, 0, 'facts', 6)], [facts]);
    expect(standing(curve!)).toEqual({ before: 4, latest: 1, epoch: 2, seeds: 1, reached: [0] });
  });

  it('means over all seeds at the end', () => {
    const [curve] = rankCurves(
      [row(0, 0, 'facts', 4), row(0, 1, 'facts', 1), row(1, 0, 'facts', 6), row(1, 1, 'facts', 0)],
      [facts],
    );
    expect(standing(curve!)).toEqual({ before: 5, latest: 0.5, epoch: 1, seeds: 2, reached: [0, 1] });
  });
});
