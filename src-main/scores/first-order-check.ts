/**
 * How far first-order scores can be trusted: the true change of L with a growing part of the weights' change, against what its derivative at
 * the old weights predicts. It judges scores already computed and changes none.
 */
import { logitsBetween, logitTangents } from '../engine/execution/change-observer.ts';
import type { Observer } from '../engine/execution/observer.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from './evaluation.ts';
import type { ExtractiveScores, Scores } from './extractive-scores.ts';
import { lossesOf, scoreBatches } from './score-items.ts';
import { mean } from './statistics.ts';

/** Parts of the weights' change at which L is measured. */
export const checkedScales = [0, 0.25, 0.5, 0.75, 1] as const;

export interface FirstOrderCheck {
  scales: number[];
  /** L with old + scale (new - old), less L with old, [scale][item]. */
  change: number[][];
  /** The derivative of L along the change of the linear maps and their biases: minus the sum of an item's informative scores; at scale s times s. */
  predictedByMaps: number[];
  /** The same along the change of every parameter, norms, embedding and output matrix included. */
  predictedByAll: number[];
  /** Means over items by scale: the true change, both predictions, and the distance of the change from what the scores (`maps`) predict. */
  gap: { scale: number; change: number; maps: number; all: number; meanAbsoluteGap: number }[];
}

interface CheckRequest {
  observer: Observer;
  old: Weights;
  new: Weights;
  set: EncodedSet;
  /** Of the same weights and items. */
  scores: ExtractiveScores;
  signal?: AbortSignal | undefined;
}

/** Three forward passes between the two sets of weights and one with derivatives; the ends are known from the scores. */
export async function firstOrderCheck({
  observer,
  old,
  new: changed,
  set,
  scores,
  signal,
}: CheckRequest): Promise<FirstOrderCheck> {
  const losses = checkedScales.map((scale) =>
    scale === 0 ? scores.oldLosses : scale === 1 ? scores.newLosses : new Array<number>(set.examples.length),
  );
  const predictedByAll = new Array<number>(set.examples.length);
  for (const batch of scoreBatches(set)) {
    for (const [index, scale] of checkedScales.entries()) {
      if (scale === 0 || scale === 1) continue;
      const logits = await logitsBetween(observer, old, changed, scale, batch.question);
      for (const [item, loss] of lossesOf(batch, logits.data)) losses[index]![item] = loss;
      signal?.throwIfAborted();
    }
    const tangents = await logitTangents(observer, old, changed, batch.question);
    for (const [item, derivative] of lossesOf(batch, tangents.data)) predictedByAll[item] = derivative;
  }
  const names = observer.maps.map(({ name }) => `informative.${name}`);
  const predictedByMaps = scores.points.map((point) => -names.reduce((sum, name) => sum + total(point, name), 0));
  const change = losses.map((ofScale) => ofScale.map((loss, item) => loss - scores.oldLosses[item]!));
  const gap = checkedScales.map((scale, index) => ({
    scale,
    change: mean(change[index]!),
    maps: mean(predictedByMaps) * scale,
    all: mean(predictedByAll) * scale,
    meanAbsoluteGap: mean(change[index]!.map((value, item) => Math.abs(value - scale * predictedByMaps[item]!))),
  }));
  return { scales: [...checkedScales], change, predictedByMaps, predictedByAll, gap };
}

function total(point: Scores, name: string): number {
  let sum = 0;
  for (const value of point.get(name)!.data) sum += value;
  return sum;
}
