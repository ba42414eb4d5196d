/**
 * Prompts of a list as scores ask them: cut behind the prompt's last token, batched by length, with the derivatives of each item's L by the
 * candidates' logits. It runs nothing.
 */
import type { Question } from '../engine/execution/feeds.ts';
import { padTokens } from '../engine/training/batch.ts';
import type { EncodedSet } from './evaluation.ts';

/** Items of one batch. L = mean logit of the candidates - the answer's logit at each item's row, summed over the items. */
export interface ScoreBatch {
  /** Indices into the list, in the batch's order. */
  items: number[];
  question: Question;
  /** dL/dlogits [items, candidates]: 1 / candidates, less 1 at the answer. */
  coefficients: Float32Array;
}

/** Prompts per batch unless said otherwise. Larger ones do more per program, smaller ones pad less. */
const usualItemsPerBatch = 32;

/**
 * Batches of items of similar length. Nothing behind a prompt's last token can change L, so the answers are left out; padding follows the
 * prompts and no real position looks at it.
 */
export function scoreBatches(
  { items: { candidates, answers }, examples }: EncodedSet,
  itemsPerBatch = usualItemsPerBatch,
): ScoreBatch[] {
  const order = examples.map((_, index) => index).sort((a, b) => examples[a]!.questionEnd - examples[b]!.questionEnd || a - b);
  const batches: ScoreBatch[] = [];
  for (let start = 0; start < order.length; start += itemsPerBatch) {
    const items = order.slice(start, start + itemsPerBatch);
    const batch = padTokens(items.map((item) => examples[item]!.ids.slice(0, examples[item]!.questionEnd + 1)));
    const rows = items.map((item, index) => index * batch.positions + examples[item]!.questionEnd);
    const coefficients = new Float32Array(items.length * candidates.length).fill(1 / candidates.length);
    items.forEach((item, index) => {
      coefficients[index * candidates.length + answers[item]!]! -= 1;
    });
    batches.push({ items, question: { batch, rows, candidates }, coefficients });
  }
  return batches;
}

/** The batch's sums of coefficient x logit by item: L, or its derivative where tangents of the logits are given. */
export function lossesOf({ items, coefficients }: ScoreBatch, logits: Float32Array): Map<number, number> {
  const candidates = coefficients.length / items.length;
  return new Map(
    items.map((item, index) => {
      let sum = 0;
      for (let place = index * candidates; place < (index + 1) * candidates; place++)
        sum += coefficients[place]! * logits[place]!;
      return [item, sum];
    }),
  );
}
