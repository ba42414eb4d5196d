/**
 * What programs are fed with besides whole weights: embedded prompts, the output matrix's rows of a few candidates.
 * It runs nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Parameter } from '../models/parameters.ts';
import { type AnyTensor, DeviceTensor } from '../runtime/device-tensor.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import { takeRows, type Weights, type WeightTensor } from '../weights.ts';
import type { TokenBatch } from './executor.ts';
import type { GradientBuffer, Targets } from './gradient-sink.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import type { Stage } from './stage.ts';
import type { Wanted } from './weight-stage.ts';

/** Right-padded prompts, each asked at one row (item * positions + position) for the logits of the same candidate tokens. */
export interface Question {
  batch: TokenBatch;
  rows: readonly number[];
  candidates: readonly number[];
}

/** Errors: `TextTooLong`, `TokenOutsideVocabulary`. */
export function questionShape(
  { configuration }: ModelOutline,
  { tokens, batch, positions }: TokenBatch,
  rows: readonly number[],
): ProgramShape {
  const { vocabulary, context } = configuration;
  if (positions > context) {
    throw new HopscopeError(
      'TextTooLong',
      `A prompt of ${positions} tokens does not fit the model's context of ${context}; shorten it.`,
    );
  }
  const outside = tokens.find((token) => token < 0 || token >= vocabulary);
  if (outside !== undefined) {
    throw new HopscopeError(
      'TokenOutsideVocabulary',
      `Token ${outside} is outside the model's vocabulary of ${vocabulary}; the tokenizer does not fit the model.`,
    );
  }
  return { batch, positions, rows: rows.length };
}

/** Embedded tokens, with learned positions where the model has them, [batch * positions, hidden]. */
export function embed({ configuration, parameters }: ModelOutline, weights: Weights, tokenBatch: TokenBatch): FloatTensor {
  const { hidden, embeddingScale } = configuration;
  const { tokens, batch, positions } = tokenBatch;
  const x = takeRows(weightOf(weights, parameters.embedding.name), tokens);
  if (embeddingScale !== 1) for (let index = 0; index < x.length; index++) x[index]! *= embeddingScale;
  if (parameters.positions) {
    const added = takeRows(weightOf(weights, parameters.positions.name), positionIds(tokenBatch));
    for (let index = 0; index < x.length; index++) x[index]! += added[index]!;
  }
  return floatTensor([batch * positions, hidden], x);
}

/** The position of every token: 0, 1, ... in each row of the batch. */
export function positionIds({ batch, positions }: TokenBatch): Int32Array {
  return Int32Array.from({ length: batch * positions }, (_, index) => index % positions);
}

/** A set of weights, and what a program calls its roles. */
export interface NamedSet {
  weights: Weights;
  nameOf?: (role: string) => string;
}

/** The head's weights of one or several sets, of the output matrix only the candidates' rows; with whatever else a program wants. */
export async function headWeights(
  stage: Stage,
  { parameters }: ModelOutline,
  sets: readonly NamedSet[],
  candidates: readonly number[],
  others: readonly Wanted[] = [],
): Promise<Record<string, AnyTensor>> {
  const matrix = parameters.head.find(({ role }) => role === 'head')!;
  const norm = parameters.head.filter((parameter) => parameter !== matrix);
  const called = sets.map(({ weights, nameOf = (role: string) => role }) => ({ weights, nameOf }));
  const feeds = await stage.feeds([
    ...others,
    ...called.map(({ weights, nameOf }) => ({ weights, parameters: norm, feedName: ({ role }: Parameter) => nameOf(role) })),
  ]);
  for (const { weights, nameOf } of called) {
    const rows = takeRows(weightOf(weights, matrix.name), Int32Array.from(candidates));
    feeds[nameOf('head')] = floatTensor([candidates.length, matrix.shape[1]!], rows);
  }
  return feeds;
}

export const indices = (rows: readonly number[]): Tensor => ({
  type: 'int64',
  shape: [rows.length],
  data: BigInt64Array.from(rows, BigInt),
});

/** Errors: `MissingTensor`. */
export function weightOf(weights: Weights, name: string): WeightTensor {
  const tensor = weights.get(name);
  if (!tensor) throw new HopscopeError('MissingTensor', `The weights have no ${name}.`);
  return tensor;
}

/** Padding points at row 0 and counts nothing. */
export const paddedIndices = (rows: readonly number[], padded: number): Tensor => ({
  type: 'int64',
  shape: [padded],
  data: BigInt64Array.from({ length: padded }, (_, index) => BigInt(rows[index] ?? 0)),
});

const indexColumn = (values: readonly number[], padded: number): Tensor => ({
  ...paddedIndices(values, padded),
  shape: [padded, 1],
});

const columnOf = (values: readonly number[], padded: number): Tensor =>
  floatTensor(
    [padded, 1],
    Float32Array.from({ length: padded }, (_, index) => values[index] ?? 0),
  );

/** What a program with a loss is fed. */
export const lossFeeds = ({ rows, targets, weights }: Targets, shape: ProgramShape): Record<string, AnyTensor> => ({
  rows: paddedIndices(rows, shape.rows),
  targets: indexColumn(targets, shape.rows),
  'target weights': columnOf(weights, shape.rows),
});

/** A gradient's place as programs write into it. */
export const gradientTensor = ({ shape }: Parameter, buffer: GradientBuffer): AnyTensor =>
  buffer instanceof DeviceTensor ? buffer : floatTensor(shape, buffer);

/** A loss that can be trained on. Errors: `LossNotFinite`. */
export function finite(loss: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new HopscopeError(
    'LossNotFinite',
    `The loss became ${loss}; lower the learning rate, and check the weights for values that are not finite.`,
    'failure',
  );
}
