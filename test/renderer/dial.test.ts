/** The dial's blocks of layers, the curve along one slider, and its state: the newest question wins, slow ones wait for the slider to be let go. */
import { describe, expect, it } from 'vitest';
import type { Service } from '../../src-main/shared/contract.ts';
import type { DialAnswer, StrengthBlock } from '../../src-main/shared/contract-weights.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import {
  blockCounts,
  blockName,
  dialFigure,
  earlyAndLate,
  equalBlocks,
  lineStrengths,
  pathName,
  pointsAlong,
  rearranged,
  strengthByLayer,
  type VisitedPoint,
} from '../../src-renderer/measures/dial.ts';
import { Dial } from '../../src-renderer/state/dial.svelte.ts';
import { figureCsv } from '../../src-renderer/text/figure-csv.ts';
import { createFakeService } from './fake-host.ts';
import { fakeSets } from './fake-rows.ts';

const all = (strength: number): StrengthBlock[] => [{ layers: null, strength }];
const halves = (early: number, late: number): StrengthBlock[] => [
  { layers: [0, 3], strength: early },
  { layers: [4, 7], strength: late },
];
const visited = (strengths: StrengthBlock[], meanRank: number): VisitedPoint => ({
  strengths,
  ranks: [{ set: 'facts', meanRank, loss: meanRank }],
  items: new Map([['facts', [meanRank, 2 * meanRank]]]),
});

it('a path is named by what it moved', () => {
  const of = (...strengths: StrengthBlock[][]) => pathName(strengths.map((each) => ({ strengths: each })));
  expect(of(all(0), all(1), all(1.5), all(0.5), all(1))).toBe('all layers, 0 to 1.5, 5 points');
  expect(of(halves(1, 1), halves(-0.5, 1))).toBe('layers 0 to 3, −0.5 to 1, 2 points');
  expect(of(halves(1, 1), halves(0, 1), halves(0, 2))).toBe('2 blocks of layers, 0 to 2, 3 points');
  expect(of(all(1))).toBe('all layers, at 1, 1 point');
});

describe('blocks of layers', () => {
  it('cover every layer once', () => {
    for (const layers of [2, 6, 7, 32])
      for (const count of blockCounts(layers)) {
        const covered = equalBlocks(layers, count).flatMap(({ layers: of }) =>
          Array.from({ length: of![1] - of![0] + 1 }, (_, place) => of![0] + place),
        );
        expect(covered).toEqual(Array.from({ length: layers }, (_, layer) => layer));
      }
    expect(earlyAndLate(8, 6)).toEqual([{ layers: [0, 5] }, { layers: [6, 7] }]);
    expect([null, [3, 3], [2, 3], [0, 5]].map((of) => blockName(of as [number, number]))).toEqual([
      'All layers',
      'Layer 3',
      'Layers 2 and 3',
      'Layers 0 to 5',
    ]);
  });

  it('take over the strengths that there were', () => {
    expect(strengthByLayer(halves(1, 0.5), 8)).toEqual([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]);
    expect(rearranged(halves(1, 0.5), equalBlocks(8, 4), 8).map(({ strength }) => strength)).toEqual([1, 1, 0.5, 0.5]);
    expect(rearranged(all(0.3), earlyAndLate(8, 4), 8)).toEqual(halves(0.3, 0.3));
  });
});

describe('the curve', () => {
  const points = [
    visited(all(1), 1),
    visited(all(0), 5),
    visited(halves(1, 0), 4),
    visited(halves(1, 1), 1.5),
    visited(halves(0.5, 0), 4.5),
  ];

  it('has the points that one slider passes while the others stay, by strength, the newest in each place', () => {
    const along = (here: StrengthBlock[], active: number) =>
      pointsAlong(points, here, active, 8).map(({ strength, point }) => [strength, point.ranks[0]!.meanRank]);
    expect(along(all(1), 0)).toEqual([
      [0, 5],
      [1, 1.5],
    ]);
    expect(along(halves(1, 0), 1)).toEqual([
      [0, 4],
      [1, 1.5],
    ]);
    expect(along(halves(1, 0), 0)).toEqual([
      [0, 5],
      [0.5, 4.5],
      [1, 4],
    ]);
  });

  it('is a figure with chance in it, and its numbers can be saved', () => {
    const along = pointsAlong(points, all(1), 0, 8);
    const figure = dialFigure({
      along,
      sets: fakeSets().slice(0, 1),
      moved: 'in all layers',
      item: { set: 'facts', item: 1 },
      training: 'training: finetune, seed 0',
    });
    expect(figure.series.map(({ label, x, y }) => [label, x, y.map(({ mean }) => mean)])).toEqual([
      ['facts', [0, 1], [5, 1.5]],
      ['item 2 of the facts', [0, 1], [10, 3]],
    ]);
    expect(figure.references).toEqual([{ label: 'chance', value: 4.5 }]);
    expect(figure.caption).toContain('at 2 points');
    expect(figureCsv(figure, [0], '')).toContain('facts');
  });
});

describe('the dial', () => {
  const settled = async (dial: Dial) => {
    do await new Promise((resolve) => setTimeout(resolve, 5));
    while (dial.waiting || dial.kept === null);
  };

  /** The fake host with a dial of its own, and what it was asked. */
  function serviceWith(answer: (strength: number, signal: AbortSignal) => Promise<DialAnswer>): {
    service: Service;
    asked: number[];
  } {
    const asked: number[] = [];
    const fake = createFakeService('full');
    const service: Service = {
      ...fake,
      dial: (_training, strengths, _name, signal) => {
        asked.push(strengths[0]!.strength);
        return answer(strengths[0]!.strength, signal!);
      },
    };
    return { service, asked };
  }
  const answered = (meanRank: number, seconds = 0.01): DialAnswer => ({
    sets: [{ set: 'facts', meanRank, loss: 1, ranks: [meanRank] }],
    layers: 8,
    seconds,
    residency: 'memory',
  });

  it('asks at once, follows a dragged slider, and skips what was passed meanwhile', async () => {
    const { service, asked } = serviceWith(async (strength) => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return answered(10 * strength);
    });
    const dial = new Dial('run-finished');
    const close = dial.open(service);
    await settled(dial);
    expect([dial.live, dial.layers, dial.sets.map(({ set }) => set)]).toEqual([true, 8, ['facts']]);
    // The line of the slider is measured while nothing else is asked for; the sliders have been in one place
    expect([asked, dial.points.length]).toEqual([lineStrengths, 1]);
    expect(dial.answer?.sets[0]?.meanRank).toBe(10);
    for (const strength of [0.9, 0.8, 0.7, 0.6]) dial.turn(service, 0, strength);
    dial.ask(service);
    await settled(dial);
    expect(asked.slice(lineStrengths.length)).toEqual([0.9, 0.6]);
    expect(dial.points.map(({ ranks }) => ranks[0]!.meanRank)).toEqual([10, 9, 6]);
    dial.arrange(service, equalBlocks(8, 4));
    await settled(dial);
    dial.turn(service, 1, 0.2);
    dial.choose(service, 2);
    await settled(dial);
    expect([dial.points.length, dial.strengths, dial.training?.seed]).toEqual([1, all(1), 2]);
    close();
  });

  it('asks slow models when the slider is let go, and lets go of a question', async () => {
    const { service, asked } = serviceWith(
      (strength, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new HopscopeError('Interrupted', 'Stopped.', 'interrupted')));
          setTimeout(() => resolve(answered(strength, 5)), 20);
        }),
    );
    const dial = new Dial('run-long');
    dial.open(service);
    await settled(dial);
    expect(asked).toEqual([]);
    dial.ask(service);
    await settled(dial);
    dial.turn(service, 0, 0.5);
    expect([asked, dial.live]).toEqual([[1], false]);
    dial.ask(service);
    dial.stop();
    await settled(dial);
    expect([asked, dial.points.length, dial.error]).toEqual([[1, 0.5], 1, null]);
  });

  it('says what is wrong, and goes on after it', async () => {
    let broken = true;
    const { service } = serviceWith(async (strength) => {
      if (broken) throw new HopscopeError('ModelChanged', 'The files are not those of the run.');
      return answered(strength);
    });
    const dial = new Dial('run-finished');
    dial.open(service);
    await settled(dial);
    expect(dial.error?.code).toBe('ModelChanged');
    broken = false;
    dial.ask(service);
    await settled(dial);
    expect([dial.error, dial.points.length]).toEqual([null, 1]);
  });

  it('stores a path, removes it, brings it back and walks on from it', async () => {
    const { service } = serviceWith(async (strength) => answered(strength));
    const dial = new Dial('run-finished');
    dial.open(service);
    await settled(dial);
    dial.set(service, 0.25);
    await settled(dial);
    const path = (await dial.savePath(service))!;
    expect(dial.paths.all.map(({ points }) => points.map(({ strengths }) => strengths[0]!.strength))).toEqual([[1, 0.25]]);
    await dial.paths.remove(service, path);
    expect(dial.paths.all).toEqual([]);
    await dial.paths.restore(service, path);
    dial.reset(service);
    await settled(dial);
    dial.openPath(service, dial.paths.all[0]!);
    await settled(dial);
    expect(dial.strengths).toEqual(all(0.25));
    expect(dial.points).toHaveLength(6);
    // From another training, only what the path visited and the place gone to are shown
    dial.choose(service, 2);
    await settled(dial);
    dial.openPath(service, dial.paths.all[0]!);
    await settled(dial);
    expect(dial.points.map(({ strengths }) => strengths[0]!.strength)).toEqual([1, 0.25]);
  });

  it('is behind until what was asked for is measured; asking again after a stop measures the line, too', async () => {
    const { service, asked } = serviceWith(
      (strength, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new HopscopeError('Interrupted', 'Stopped.', 'interrupted')));
          setTimeout(() => resolve(answered(strength)), 5);
        }),
    );
    const dial = new Dial('run-finished');
    dial.open(service);
    await settled(dial);
    dial.set(service, 0.5);
    expect(dial.behind).toBe(true);
    dial.stop();
    expect(dial.behind).toBe(false);
    dial.set(service, 0.45);
    await settled(dial);
    expect([dial.behind, dial.points.at(-1)?.strengths]).toEqual([false, all(0.45)]);
    // The place itself, which is between those of the line, and then the whole line of the block
    dial.arrange(service, equalBlocks(8, 2));
    dial.stop();
    const before = asked.length;
    dial.ask(service);
    await settled(dial);
    expect(asked.length).toBe(before + 1 + lineStrengths.length);
  });
});
