/**
 * What the model said after one item's prompt, next to the item's options: which one it began with, before training and after each.
 * The texts are the run's; nothing is generated here.
 */
import type { ContinuationRow, ItemSet } from '../../src-main/shared/records.ts';

/** One text, cut where the option that it begins with ends. */
export interface Saying {
  /** Null: before training. */
  training: { stage: string; seed: number } | null;
  /** The option as the text has it, with the space in front; empty where it begins with none. */
  option: string;
  rest: string;
  verdict: 'right' | 'wrong' | 'none';
}

/** Before training once, then after each training; empty where the run has no texts of this item. */
export function sayingsOf(rows: readonly ContinuationRow[], set: ItemSet, item: number): Saying[] {
  const own = rows.flatMap(({ seed, stage, set: list, rows: texts }) => {
    const text = list === set.set ? texts.find((each) => each.item === item) : undefined;
    return text === undefined ? [] : [{ training: { stage, seed }, ...text }];
  });
  const [first] = own;
  if (first === undefined) return [];
  const options = [...new Set([set.pairs[item]![1], ...set.options])];
  const saying = (training: Saying['training'], text: string): Saying => {
    const option = optionIn(text, options);
    const verdict = option === null ? 'none' : option === set.pairs[item]![1] ? 'right' : 'wrong';
    const end = option === null ? 0 : text.length - text.trimStart().length + option.length;
    return { training, option: text.slice(0, end), rest: text.slice(end), verdict };
  };
  return [saying(null, first.before), ...own.map(({ training, after }) => saying(training, after))];
}

/** The longest option that the text begins with as a word of its own. */
function optionIn(text: string, options: readonly string[]): string | null {
  const said = text.trimStart();
  const fits = options.filter((option) => said.startsWith(option) && !/^[\p{L}\p{N}]/u.test(said.slice(option.length)));
  return fits.reduce<string | null>((longest, option) => (option.length > (longest?.length ?? 0) ? option : longest), null);
}
