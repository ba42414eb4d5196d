/**
 * Which items serve as counterfactuals of which: given by index, all that differ, or a seeded draw.
 * It sees texts and indices; what is done with the pairs is elsewhere.
 */
import { HopscopeError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';
import type { Pair } from '../shared/records.ts';

/** Indices per item (repeated ones count as often), every other item with another prompt and answer, or `count` of those drawn by `seed`. */
export type CounterfactualChoice = number[][] | 'all' | { count: number; seed: number };

/** Indices of every item's counterfactuals. Errors: `BadCounterfactual` naming the item. */
export function counterfactualsOf(choice: CounterfactualChoice, pairs: readonly Pair[]): number[][] {
  if (Array.isArray(choice)) return checked(choice, pairs.length);
  const eligible = pairs.map(([prompt, answer]) =>
    pairs.flatMap(([otherPrompt, otherAnswer], other) => (otherPrompt !== prompt && otherAnswer !== answer ? [other] : [])),
  );
  const count = choice === 'all' ? 1 : choice.count;
  const lacking = eligible.findIndex(({ length }) => length < count);
  if (lacking !== -1) {
    throw new HopscopeError(
      'BadCounterfactual',
      `counterfactuals: item ${lacking} needs ${count} items with another prompt and another answer; there are ${eligible[lacking]!.length}.`,
    );
  }
  if (choice === 'all') return eligible;
  const random = new Random(choice.seed);
  return eligible.map((items, item) => random.fork(`counterfactuals of ${item}`).sample(items, count));
}

function checked(lists: readonly (readonly number[])[], items: number): number[][] {
  const fail = (reason: string): never => {
    throw new HopscopeError('BadCounterfactual', `counterfactuals: ${reason}.`);
  };
  if (lists.length !== items) fail(`there are ${lists.length} lists for ${items} items; give one list of item indices for each`);
  return lists.map((list, item) => {
    if (list.length === 0) fail(`item ${item} has none; give at least one index`);
    const outside = list.find((index) => !Number.isInteger(index) || index < 0 || index >= items);
    if (outside !== undefined) fail(`item ${item} names ${outside}; indices of items go from 0 to ${items - 1}`);
    if (list.includes(item)) fail(`item ${item} names itself, which would be compared with itself; name other items`);
    return [...list];
  });
}
