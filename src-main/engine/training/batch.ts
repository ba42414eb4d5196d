/**
 * From prompt-continuation pairs to right-padded tokens and the rows that the loss counts.
 * It knows the masking rule, not the model.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Pair } from '../../shared/records.ts';
import type { TokenBatch } from '../execution/executor.ts';
import type { Targets } from '../execution/gradient-sink.ts';
import type { Tokenizer } from '../files/tokenizer.ts';

/** One text as the model reads it. Token indices count the special tokens in front. */
export interface Example {
  ids: readonly number[];
  /** The loss counts tokens firstLabel to lastLabel, both included. */
  firstLabel: number;
  lastLabel: number;
  /** The prompt's last token: its logits say what the model would answer. */
  questionEnd: number;
}

/**
 * Encodes `{prompt} {continuation}`. Counted are the tokens from the last one that starts at or before the continuation's first character
 * to the last one that starts at or before its last (the published rule). Errors: `BadPair`.
 */
export function encodePair(tokenizer: Tokenizer, [prompt, continuation]: Pair): Example {
  if (prompt.trim() === '' || continuation.trim() === '') {
    throw new HopscopeError('BadPair', `${JSON.stringify([prompt, continuation])}: prompt and continuation must both hold text.`);
  }
  const text = `${prompt} ${continuation}`;
  const ids = tokenizer.encode(text, { special: true });
  const { offsets } = tokenizer.encodeWithOffsets(text, { special: false });
  const special = tokenizer.prefixSpecialTokens;
  const firstCharacter = [...prompt].length + 1;
  const lastCharacter = firstCharacter + [...continuation].length - 1;
  const lastStartingBy = (character: number) => special + offsets.findLastIndex(([start]) => start <= character);
  const firstLabel = lastStartingBy(firstCharacter);
  if (firstLabel < 1) {
    throw new HopscopeError(
      'BadPair',
      `${JSON.stringify([prompt, continuation])}: the tokenizer leaves no prompt token in front of the continuation.`,
    );
  }
  return { ids, firstLabel, lastLabel: lastStartingBy(lastCharacter), questionEnd: firstLabel - 1 };
}

/** Token lists padded on the right to the longest; padding repeats token 0, which nothing looks at. */
export function padTokens(lists: readonly (readonly number[])[]): TokenBatch {
  const positions = Math.max(...lists.map((ids) => ids.length));
  const tokens = new Int32Array(lists.length * positions);
  for (const [item, ids] of lists.entries()) tokens.set(ids, item * positions);
  return { tokens, batch: lists.length, positions };
}

/** The tokens that a loss needs as input: all before the last counted one, which is only predicted. */
export function lossInputs(examples: readonly Example[]): TokenBatch {
  return padTokens(examples.map(({ ids, lastLabel }) => ids.slice(0, lastLabel)));
}

/** Loss rows of a padded batch: one mean over all counted tokens. */
export function lossTargets(examples: readonly Example[], positions: number): Targets {
  const rows: number[] = [];
  const targets: number[] = [];
  examples.forEach(({ ids, firstLabel, lastLabel }, item) => {
    for (let index = firstLabel; index <= lastLabel; index++) {
      rows.push(item * positions + index - 1);
      targets.push(ids[index]!);
    }
  });
  return { rows, targets, weights: rows.map(() => 1 / rows.length) };
}

/** Loss rows from label arrays (-100: not counted): labels[t + 1] is predicted at t. Errors: `NothingToLearn`. */
export function labelTargets(labels: readonly (readonly number[])[], positions: number): Targets {
  const rows: number[] = [];
  const targets: number[] = [];
  labels.forEach((row, item) => {
    for (let index = 1; index < row.length; index++) {
      if (row[index] === -100) continue;
      rows.push(item * positions + index - 1);
      targets.push(row[index]!);
    }
  });
  if (rows.length === 0) throw new HopscopeError('NothingToLearn', 'A batch has no counted label: all are -100.');
  return { rows, targets, weights: rows.map(() => 1 / rows.length) };
}
