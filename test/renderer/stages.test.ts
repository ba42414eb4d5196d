/** Trainings of a run: which one is the main one, where each stands with which seeds, and the figures that are saved of it. */
import { describe, expect, it, vi } from 'vitest';
import type { EvaluationRow, ItemSet, StepRow } from '../../src-main/shared/records.ts';
import { lossFigure, ranksFigure, stageCurves, standingWords } from '../../src-renderer/measures/stages.ts';
import { RunView } from '../../src-renderer/state/run.svelte.ts';
import { figureCsv } from '../../src-renderer/text/figure-csv.ts';
import { ordinal } from '../../src-renderer/text/format.ts';
import { createFakeService } from './fake-host.ts';

function row(seed: number, epoch: number, set: string, meanRank: number, stage = 'joint'): EvaluationRow {
  return { seed, stage, epoch, set, meanRank, loss: 1, items: [] };
}
const set = (name: string): ItemSet => ({
  set: name,
  pairs: [],
  options: ['a', 'b', 'c'],
  candidates: [1, 2, 3],
  labels: ['a', 'b', 'c'],
  answers: [],
});
const sets = [set('facts'), set('implications')];
const step = (seed: number, number: number, loss: number): StepRow => ({
  seed,
  stage: 'joint',
  epoch: 0,
  step: number,
  loss,
  seconds: 1,
});

/** Stopped while the second seed trained. */
const stopped = [
  ...[0, 1, 2].flatMap((epoch) => [row(0, epoch, 'facts', 4 - epoch), row(0, epoch, 'implications', 6 - epoch)]),
  row(1, 0, 'facts', 3),
  row(1, 0, 'implications', 3),
  row(1, 1, 'facts', 1),
];

describe('where a training stands', () => {
  it('is the furthest epoch, with the seeds that got there where others did not', () => {
    const [joint] = stageCurves(stopped, [], sets);
    expect(standingWords(joint!.ranks, 2)).toBe('facts 2.00 · implications 4.00, epoch 2, seed 0 only');
    expect(standingWords(joint!.ranks.slice(0, 1), 1)).toBe('facts 2.00, epoch 2, seed 0 only');
  });

  it('names no seeds where all that were asked for have got there', () => {
    const whole = [0, 1].flatMap((seed) => [0, 1].map((epoch) => row(seed, epoch, 'facts', seed + epoch)));
    const [joint] = stageCurves(whole, [], sets.slice(0, 1));
    expect(standingWords(joint!.ranks, 2)).toBe('facts 1.50, epoch 1');
    expect(standingWords(joint!.ranks, 3)).toBe('facts 1.50, epoch 1, seeds 0, 1 only');
    expect(standingWords([], 3)).toBe('');
  });

  it('says each list of its own where they got differently far', () => {
    const [joint] = stageCurves([row(0, 0, 'facts', 3), row(0, 1, 'facts', 1), row(0, 0, 'implications', 2)], [], sets);
    expect(standingWords(joint!.ranks, 1)).toBe('facts 1.00 (epoch 1) · implications 2.00 (epoch 0)');
  });
});

describe('figures of a training', () => {
  const [joint] = stageCurves(stopped, [step(0, 0, 2), step(0, 1, 1), step(1, 0, 4)], sets);

  it('hold what all seeds have reached, and say so', () => {
    const figure = ranksFigure(joint!);
    expect(figure.series.map(({ label, x }) => [label, x])).toEqual([
      ['facts', [0, 1]],
      ['implications', [0]],
    ]);
    expect(figure.series[0]!.y.map(({ mean, values }) => [mean, values])).toEqual([
      [3.5, [4, 3]],
      [2, [3, 1]],
    ]);
    expect(figure.references).toEqual([{ label: 'chance', value: 1 }]);
    expect(figure.ofSeeds).toEqual([0, 1]);
    expect(figure.caption).toContain('as far as all seeds');
    const loss = lossFigure(joint!);
    expect(loss.series[0]).toMatchObject({ x: [1], y: [{ mean: 3, values: [2, 4] }] });
    expect(loss.id).toBe('loss-joint');
    expect(figureCsv(loss, [0, 1])).toContain('training loss');
  });

  it('say nothing of the kind where all got equally far', () => {
    const [other] = stageCurves([row(0, 0, 'facts', 3), row(0, 1, 'facts', 1)], [], sets);
    expect(ranksFigure(other!).caption).not.toContain('as far as');
  });
});

it('the stage shown first is the main training, not the control measured last', async () => {
  const service = createFakeService('full');
  const view = new RunView('run-layer-freezing');
  const end = view.follow(service);
  await vi.waitFor(() => expect(view.stages.length).toBeGreaterThan(1));
  expect(view.stage).toBe(view.detail!.outcome!.stage);
  expect(view.stage).not.toBe(view.stages.at(-1));
  end();
});

it('places are counted in words', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 22, 103, 111].map(ordinal)).toEqual(
    '1st 2nd 3rd 4th 11th 12th 13th 21st 22nd 103rd 111th'.split(' '),
  );
});
