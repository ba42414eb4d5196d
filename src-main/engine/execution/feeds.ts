/**
 * What programs are fed with: embedded prompts, weights by role, the output matrix's rows of a few candidates.
 * It runs nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Parameter } from '../models/parameters.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import { lookUp } from './embedding.ts';
import type { TokenBatch, Weights } from './executor.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';

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
  const matrix = weightOf(weights, parameters.embedding.name);
  const x = lookUp(matrix.data, hidden, tokens, embeddingScale);
  if (parameters.positions) {
    const learned = weightOf(weights, parameters.positions.name);
    const added = lookUp(learned.data, hidden, positionIds(tokenBatch), 1);
    for (let index = 0; index < x.length; index++) x[index]! += added[index]!;
  }
  return floatTensor([batch * positions, hidden], x);
}

/** The position of every token: 0, 1, ... in each row of the batch. */
export function positionIds({ batch, positions }: TokenBatch): Int32Array {
  return Int32Array.from({ length: batch * positions }, (_, index) => index % positions);
}

/** Weights under their roles, or under what `nameOf` makes of them. */
export function byRole(
  weights: Weights,
  parameters: readonly Parameter[],
  nameOf = (role: string) => role,
): Record<string, Tensor> {
  return Object.fromEntries(parameters.map(({ role, name }) => [nameOf(role), weightOf(weights, name)]));
}

/** The head's weights by role, of the output matrix only the candidates' rows. */
export function headWeights(
  { parameters }: ModelOutline,
  weights: Weights,
  candidates: readonly number[],
  nameOf = (role: string) => role,
): Record<string, Tensor> {
  const feeds = byRole(weights, parameters.head, nameOf);
  const matrix = feeds[nameOf('head')] as FloatTensor;
  const width = matrix.shape[1]!;
  feeds[nameOf('head')] = floatTensor([candidates.length, width], lookUp(matrix.data, width, Int32Array.from(candidates), 1));
  return feeds;
}

export const indices = (rows: readonly number[]): Tensor => ({
  type: 'int64',
  shape: [rows.length],
  data: BigInt64Array.from(rows, BigInt),
});

/** Errors: `MissingTensor`. */
export function weightOf(weights: Weights, name: string): FloatTensor {
  const tensor = weights.get(name);
  if (!tensor) throw new HopscopeError('MissingTensor', `The weights have no ${name}.`);
  return tensor;
}
