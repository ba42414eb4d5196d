/**
 * What experiments with extractive scores share: their parameters, the accumulation prompt, and one scoring whose rows are emitted.
 * The scores themselves are computed in src-main/scores.
 */

import { Observer } from '../engine/execution/observer.ts';
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import { type Example, encodePair } from '../engine/training/batch.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { type ExtractiveScores, extractiveScores, type Scores } from '../scores/extractive-scores.ts';
import { type FirstOrderCheck, firstOrderCheck } from '../scores/first-order-check.ts';
import { mean } from '../scores/statistics.ts';
import type { Pair, Parameter } from '../shared/records.ts';
import type { ExperimentContext } from './experiment.ts';
import type { WorkCounter } from './stage.ts';

export const accumulationParameter: Parameter = {
  name: 'accumulation',
  label: 'Accumulation prompt',
  help: 'The text over whose tokens scores of all items are averaged, as {"prompt": ..., "answer": ...}. Left out: what all prompts share with “X Y” in place of what differs, as in the paper, or an item’s own prompt where the tokenizer cannot write X and Y.',
  kind: 'prompt',
  optional: true,
  advanced: true,
};

export const counterfactualsParameter: Parameter = {
  name: 'counterfactuals',
  label: 'Counterfactuals',
  help: 'The other prompts that upstream scores compare each prompt with: 10 of the other items drawn with seed 3, as in the paper; all (every item with another prompt and answer, at no further cost); or a list of item indices for each item.',
  kind: 'counterfactuals',
  default: { count: 10, seed: 3 },
  advanced: true,
};

/** The prompt that averages are shown over. */
export interface Accumulation {
  prompt: string;
  answer: string;
  /** Its prompt's tokens: the columns of averages that mean something. */
  tokens: string[];
  example: Example;
}

/** The given prompt, or what the prompts share around `X Y`, or a usual item's own. Errors: `BadPair`. */
export function accumulationOf(
  tokenizer: Tokenizer,
  given: unknown,
  { items, examples }: { items: { readonly pairs: readonly Pair[] }; examples: readonly Example[] },
): Accumulation {
  const { prompt, answer } = (given as { prompt: string; answer: string } | undefined) ?? usual(tokenizer, items.pairs, examples);
  const example = encodePair(tokenizer, [prompt, answer]);
  return { prompt, answer, tokens: tokenTexts(tokenizer, example.ids.slice(0, example.questionEnd + 1)), example };
}

/** Each token as it reads, without the space in front; a piece of a character as the vocabulary writes it. */
export function tokenTexts(tokenizer: Tokenizer, ids: readonly number[]): string[] {
  const written = tokenizer.tokens(ids);
  return ids.map((id, index) => {
    const text = tokenizer.decode([id], { skipSpecial: false });
    return text.includes('\u{fffd}') ? written[index]! : text.trim() || '␣';
  });
}

const placeholder = 'X Y';

function usual(tokenizer: Tokenizer, pairs: readonly Pair[], examples: readonly Example[]): { prompt: string; answer: string } {
  const words = pairs.map(([prompt]) => prompt.split(' '));
  const shortest = Math.min(...words.map(({ length }) => length));
  const same = (place: (list: readonly string[]) => string | undefined) => new Set(words.map(place)).size === 1;
  let before = 0;
  while (before < shortest && same((list) => list[before])) before++;
  let after = 0;
  while (after < shortest - before && same((list) => list.at(-1 - after))) after++;
  const [first, answer] = pairs[0]!;
  if (before === shortest) return { prompt: first, answer };
  const template = [...words[0]!.slice(0, before), placeholder, ...words[0]!.slice(words[0]!.length - after)].join(' ');
  if (before + after > 0 && tokenizer.decode(tokenizer.encode(template)).includes(placeholder))
    return { prompt: template, answer };
  // Most items then align with it token by token
  const lengths = examples.map(({ questionEnd }) => questionEnd);
  const times = (length: number) => lengths.filter((other) => other === length).length;
  const commonest = Math.max(...lengths.map(times));
  const item = lengths.findIndex((length) => times(length) === commonest);
  return { prompt: pairs[item]![0], answer: pairs[item]![1] };
}

export interface Scoring {
  seed: number;
  /** Names it among the scorings of a run. */
  stage: string;
  /** Said while it runs. */
  label: string;
  observer: Observer;
  old: Weights;
  new: Weights;
  set: EncodedSet;
  counterfactuals: readonly (readonly number[])[];
  accumulation: Accumulation;
  /** Which scores are stored; default all. */
  stored?: (name: string) => boolean;
  /** Only averages are stored. */
  averageOnly?: boolean;
}

/** What a scoring counts as in units of measuring all lists once, the check included: about 13 forward passes of one list. */
export const scoringUnits = 6;

export const observerOf = ({ executor }: ExperimentContext): Observer => new Observer(executor.outline, executor.settings);

/** Scores one list, checks the scores against the true change of L, and emits rows of every item and of the average. */
export async function scoreAndEmit(
  context: ExperimentContext,
  counter: WorkCounter,
  { seed, stage, label, accumulation, stored = () => true, averageOnly = false, ...scoring }: Scoring,
): Promise<{ scores: ExtractiveScores; check: FirstOrderCheck }> {
  const { signal } = context;
  await context.turn();
  const layerUnits = scoringUnits - 1;
  let units = 0;
  const scores = await extractiveScores({
    ...scoring,
    accumulation: accumulation.example,
    signal,
    progress(done, total) {
      for (; units < Math.floor((done * layerUnits) / total); units++)
        counter.advance(`${label}, scores, layer ${done} of ${total}`);
    },
  });
  await context.turn();
  const check = await firstOrderCheck({ ...scoring, scores, signal });
  counter.advance(`${label}, first-order check`);
  const emit = (point: number, table: Scores) =>
    context.emit({
      kind: 'scores',
      rows: [...table].flatMap(([name, { shape, data }]) =>
        stored(name) ? [{ seed, stage, set: scoring.set.items.set, point, name, shape: [...shape], values: [...data] }] : [],
      ),
    });
  emit(-1, scores.average);
  if (!averageOnly) for (const [item, table] of scores.points.entries()) emit(item, table);
  return { scores, check };
}

/** Mean distance of true changes from predictions as a share of the mean true change; 0: first order is exact, 1: it says nothing. */
export function relativeGap({ change, gap }: FirstOrderCheck): number {
  return gap.at(-1)!.meanAbsoluteGap / mean(change.at(-1)!.map(Math.abs));
}

/** From this share on, maps of single items say little; averages and shares of components may still be read. */
const worryingGap = 0.75;

/** Warns where first-order scores are far from the true change. `what` begins the sentence: `Extractive scores`. */
export function warnOfGap({ emit }: ExperimentContext, what: string, gaps: readonly number[]): void {
  const gap = mean(gaps);
  if (gap < worryingGap) return;
  emit({
    kind: 'warning',
    message: `${what}: an item’s true change of L is off its first-order prediction by ${Math.round(100 * gap)} % of the change itself. Read the maps with care, or make the change smaller (a lower learning rate, fewer epochs).`,
  });
}
