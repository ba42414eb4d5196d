/**
 * Measures a list of prompt-continuation items under one set of weights: each option's logit, ranks, and the list's cross entropy.
 * One forward pass per length bucket gives all of it; nothing is trained or stored.
 */
import type { Executor } from '../engine/execution/executor.ts';
import type { PlannedWork } from '../engine/execution/memory-plan.ts';
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import { type Example, encodePair, lossInputs } from '../engine/training/batch.ts';
import type { Weights } from '../engine/weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ItemMeasurement, ItemSet, Pair } from '../shared/records.ts';
import { type Candidates, candidatesOf, firstToken, rankOf, refuseCollisions } from './rank.ts';

/** Items encoded once for a tokenizer, to be measured under many weights. */
export interface EncodedSet {
  items: ItemSet;
  examples: Example[];
  warnings: string[];
}

export interface Measurement {
  items: ItemMeasurement[];
  meanRank: number;
  /** Mean cross entropy over all counted tokens of all items, as of one batch. */
  loss: number;
}

/** What to do about options with the same first token. */
export type CollisionRule = 'error' | 'merge';

/** Texts per forward pass; their logits rows are [texts x (counted tokens + 1), vocabulary]. */
export const itemsPerPass = 32;

/** The largest pass that measuring some lists takes, for plans of memory. */
export function measuringWork(sets: readonly Pick<EncodedSet, 'examples'>[]): PlannedWork {
  const examples = sets.flatMap((set) => set.examples);
  const longest = (of: (example: Example) => number) => examples.reduce((most, example) => Math.max(most, of(example)), 0);
  const batch = Math.min(itemsPerPass, Math.max(...sets.map((set) => set.examples.length)));
  const counted = longest(({ questionEnd, lastLabel }) => lastLabel - questionEnd);
  return { kind: 'forward', batch, positions: longest(({ ids }) => ids.length), rows: batch * counted };
}

/** Encodes a list and its options. Errors: `OptionsShareFirstToken`, `AnswerNotAnOption`, `EmptyDataset`, `BadPair`. */
export function encodeSet(
  tokenizer: Tokenizer,
  set: string,
  pairs: readonly Pair[],
  options: readonly string[],
  collisions: CollisionRule,
): EncodedSet {
  if (pairs.length === 0 || options.length === 0) {
    throw new HopscopeError(
      'EmptyDataset',
      `The ${set} have ${pairs.length} items and ${options.length} options; both are needed.`,
    );
  }
  const candidates: Candidates = candidatesOf(tokenizer, options);
  const warnings: string[] = [];
  if (collisions === 'error') refuseCollisions(candidates);
  else
    for (const group of candidates.collisions)
      warnings.push(`${set}: ${group.join(', ')} begin with the same token and count as one option.`);
  const answers = pairs.map(([prompt, continuation]) => {
    const answer = candidates.tokens.indexOf(firstToken(tokenizer, continuation));
    if (answer === -1) {
      throw new HopscopeError(
        'AnswerNotAnOption',
        `${set}: the answer ${JSON.stringify(continuation)} of ${JSON.stringify(prompt)} is not among the options; add it to them.`,
      );
    }
    return answer;
  });
  const items: ItemSet = {
    set,
    pairs: [...pairs],
    options: [...options],
    candidates: candidates.tokens,
    labels: candidates.labels,
    answers,
  };
  return { items, examples: pairs.map((pair) => encodePair(tokenizer, pair)), warnings };
}

/**
 * Measures every item. Items are sorted by length into passes of at most 32, so that short texts are not padded to long ones. `afterPass` is told how
 * many items a pass measured; what it throws ends the measurement.
 */
export async function measure(
  executor: Executor,
  weights: Weights,
  { items, examples }: EncodedSet,
  afterPass?: (items: number) => void | Promise<void>,
): Promise<Measurement> {
  const order = examples.map((_, index) => index).sort((a, b) => examples[a]!.ids.length - examples[b]!.ids.length || a - b);
  const measured: ItemMeasurement[] = new Array(examples.length);
  let totalLoss = 0;
  let counted = 0;
  for (let start = 0; start < order.length; start += itemsPerPass) {
    const members = order.slice(start, start + itemsPerPass);
    const batch = lossInputs(members.map((index) => examples[index]!));
    const rows = members.flatMap((index, item) => {
      const { questionEnd, lastLabel } = examples[index]!;
      return Array.from({ length: lastLabel - questionEnd }, (_, offset) => item * batch.positions + questionEnd + offset);
    });
    const { data, shape } = await executor.logits(weights, batch, rows);
    const vocabulary = shape[1]!;
    let row = 0;
    for (const index of members) {
      const { ids, questionEnd, lastLabel } = examples[index]!;
      const atQuestion = data.subarray(row * vocabulary, (row + 1) * vocabulary);
      const logits = items.candidates.map((token) => atQuestion[token]!);
      measured[index] = { item: index, rank: rankOf(items.candidates[items.answers[index]!]!, items.candidates, logits), logits };
      for (let position = questionEnd; position < lastLabel; position++, row++, counted++) {
        totalLoss += crossEntropy(data.subarray(row * vocabulary, (row + 1) * vocabulary), ids[position + 1]!);
      }
    }
    await afterPass?.(members.length);
  }
  const meanRank = measured.reduce((sum, { rank }) => sum + rank, 0) / measured.length;
  return { items: measured, meanRank, loss: totalLoss / counted };
}

/** log(sum exp(logits)) - logits[target], shifted by the maximum. */
function crossEntropy(logits: Float32Array, target: number): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > maximum) maximum = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - maximum);
  return maximum + Math.log(sum) - logits[target]!;
}
