/**
 * Follows a model from its old weights to its new ones: logits at any point between, and their derivative at the start.
 * It is what first-order scores are checked against, and computes none.
 */
import type { Parameter } from '../models/parameters.ts';
import type { AnyTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor } from '../tensor.ts';
import type { Weights } from '../weights.ts';
import * as change from './change-programs.ts';
import { embed, headWeights, indices, type Question, questionShape } from './feeds.ts';
import type { Observer } from './observer.ts';
import { changedWeight } from './program-parts.ts';
import type { ModelOutline } from './programs.ts';
import { recovering, type Stage } from './stage.ts';
import type { Wanted } from './weight-stage.ts';

/** Logits [rows, candidates] with the weights old + scale (changed - old). */
export function logitsBetween(
  observer: Observer,
  weights: Weights,
  changed: Weights,
  scale: number,
  question: Question,
): Promise<FloatTensor> {
  return recovering(observer.stage, () => between(observer, weights, changed, scale, question));
}

async function between(
  { outline, programs, stage }: Observer,
  weights: Weights,
  changed: Weights,
  scale: number,
  { batch, rows, candidates }: Question,
): Promise<FloatTensor> {
  const shape = questionShape(outline, batch, rows);
  const start = embed(outline, weights, batch);
  const end = embed(outline, changed, batch);
  let x: AnyTensor = floatTensor(
    start.shape,
    start.data.map((value, index) => value + scale * (end.data[index]! - value)),
  );
  const step = floatTensor([], Float32Array.of(scale));
  for (const layer of outline.parameters.blocks.keys()) {
    const session = programs.block('block between', layer, shape, () => change.blockBetween(outline, layer, shape));
    const y = await stage.place(x.shape);
    await session.run({ ...(await bothWeights(stage, outline, weights, changed, layer)), x, scale: step }, { y });
    stage.free(x);
    x = y;
  }
  const session = programs.head('head between', shape, candidates, () => change.headBetween(outline, shape, candidates.length));
  const logits = floatTensor([rows.length, candidates.length]);
  const feeds = await headWeights(stage, outline, [{ weights }, { weights: changed, nameOf: changedWeight }], candidates);
  await session.run({ ...feeds, x, rows: indices(rows), scale: step }, { logits });
  stage.free(x);
  return logits;
}

/** The logits' derivative [rows, candidates] along changed - old of every parameter, at the old weights. */
export function logitTangents(observer: Observer, weights: Weights, changed: Weights, question: Question): Promise<FloatTensor> {
  return recovering(observer.stage, () => tangents(observer, weights, changed, question));
}

async function tangents(
  { outline, programs, stage }: Observer,
  weights: Weights,
  changed: Weights,
  { batch, rows, candidates }: Question,
): Promise<FloatTensor> {
  const shape = questionShape(outline, batch, rows);
  const start = embed(outline, weights, batch);
  const end = embed(outline, changed, batch);
  let x: AnyTensor = start;
  let tangent: AnyTensor = floatTensor(
    start.shape,
    end.data.map((value, index) => value - start.data[index]!),
  );
  for (const layer of outline.parameters.blocks.keys()) {
    const session = programs.block('block tangent', layer, shape, () => change.blockTangent(outline, layer, shape));
    const y = await stage.place(x.shape);
    const next = await stage.place(x.shape);
    const feeds = {
      ...(await bothWeights(stage, outline, weights, changed, layer)),
      x,
      [change.tangentOf('x')]: tangent,
    };
    await session.run(feeds, { y, [change.tangentOf('y')]: next });
    stage.free(x);
    stage.free(tangent);
    x = y;
    tangent = next;
  }
  const session = programs.head('head tangent', shape, candidates, () => change.headTangent(outline, shape, candidates.length));
  const tangents = floatTensor([rows.length, candidates.length]);
  const feeds = await headWeights(stage, outline, [{ weights }, { weights: changed, nameOf: changedWeight }], candidates);
  await session.run(
    { ...feeds, x, rows: indices(rows), [change.tangentOf('x')]: tangent },
    { [change.tangentOf('logits')]: tangents },
  );
  stage.free(x);
  stage.free(tangent);
  return tangents;
}

/** A block's weights under both sets, those of the next block being read meanwhile. */
function bothWeights(
  stage: Stage,
  { parameters: { blocks } }: ModelOutline,
  weights: Weights,
  changed: Weights,
  layer: number,
): Promise<Record<string, AnyTensor>> {
  const both = (parameters: readonly Parameter[] = []): Wanted[] => [
    { weights, parameters },
    { weights: changed, parameters, feedName: ({ role }) => changedWeight(role) },
  ];
  return stage.feeds(both(blocks[layer]), both(blocks[layer + 1]));
}
