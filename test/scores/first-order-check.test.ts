/** The check of first-order scores: its prediction is the true derivative, and the sum of scores where only linear maps changed. */
import { describe, expect, test } from 'vitest';
import { logitsBetween } from '../../src-main/engine/execution/change-observer.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { trainableNames } from '../../src-main/engine/models/parameters.ts';
import { encodePair } from '../../src-main/engine/training/batch.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import { extractiveScores } from '../../src-main/scores/extractive-scores.ts';
import { firstOrderCheck } from '../../src-main/scores/first-order-check.ts';
import { lossesOf, scoreBatches } from '../../src-main/scores/score-items.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { expectClose, fixturePath, openFixtureModel, readFixture, readTensors } from '../parity/fixture.ts';

const { outline, weights } = openFixtureModel('llama');
const trained = readTensors('scores', 'llama.first-hop.new-weights.safetensors');
const fixture = readFixture<{ test: Pair[]; options: string[] }>('scores', 'llama.first-hop.json');

async function checked(changed: typeof weights) {
  const { tokenizer, checkpoint } = await openModel(fixturePath('models', 'llama'));
  checkpoint.close();
  const set = encodeSet(tokenizer, 'implications', fixture.test, fixture.options, 'merge');
  const observer = new Observer(outline, { device: 'cpu', threads: 1 });
  const counterfactuals = set.examples.map((_, item) => [(item + 1) % set.examples.length]);
  const accumulation = encodePair(tokenizer, fixture.test[0]!);
  const scores = await extractiveScores({ observer, old: weights, new: changed, set, counterfactuals, accumulation });
  const check = await firstOrderCheck({ observer, old: weights, new: changed, set, scores });
  return { set, observer, scores, check };
}

describe('first-order check', () => {
  test('all parameters changed: the prediction is the derivative of the loss', async () => {
    const { set, observer, scores, check } = await checked(new Map([...weights, ...trained]));
    const step = 1 / 256;
    const slopes = new Array<number>(set.examples.length);
    for (const batch of scoreBatches(set)) {
      const after = lossesOf(
        batch,
        (await logitsBetween(observer, weights, new Map([...weights, ...trained]), step, batch.question)).data,
      );
      const before = lossesOf(
        batch,
        (await logitsBetween(observer, weights, new Map([...weights, ...trained]), -step, batch.question)).data,
      );
      for (const item of batch.items) slopes[item] = (after.get(item)! - before.get(item)!) / (2 * step);
    }
    expectClose('derivative', check.predictedByAll, slopes, 1e-3, 0);
    expect(check.change[0]).toEqual(scores.oldLosses.map(() => 0));
    expectClose(
      'whole change',
      check.change[4]!,
      scores.newLosses.map((loss, item) => loss - scores.oldLosses[item]!),
      0,
      0,
    );
    // A quarter of the change does about a quarter of it
    const error = (scale: number) => check.gap.find((entry) => entry.scale === scale)!;
    expect(error(0.25).meanAbsoluteGap).toBeLessThan(error(1).meanAbsoluteGap);
    observer.release();
  });

  test('only linear maps changed: the scores add up to the derivative', async () => {
    const names = trainableNames(outline.parameters, 'mlp_attn');
    const changed = new Map([...weights, ...[...trained].filter(([name]) => names.has(name))]);
    const { observer, check } = await checked(changed);
    expectClose('sum of scores', check.predictedByMaps, check.predictedByAll, 1e-5, 1e-5);
    observer.release();
  });
});
