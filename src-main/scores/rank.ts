/**
 * The rank of the right answer among an item's options, by the logits of the options' first tokens (PAPER.md's metric).
 * It sees token ids and logits only; running the model is elsewhere.
 */
import { HopscopeError } from '../shared/errors.ts';

/** Options as the model is asked about them. */
export interface Candidates {
  /** Distinct first tokens, ascending: the axis of all stored logits. */
  tokens: number[];
  /** The option texts behind each token, joined where several share it. */
  labels: string[];
  /** Options that share their first token with an earlier one, as groups of option texts. */
  collisions: string[][];
}

/** What the rank needs of a tokenizer. */
export interface FirstTokens {
  prefixSpecialTokens: number;
  encode(text: string, options: { special: boolean }): readonly number[];
}

/** The token that ` option` begins with, after whatever the tokenizer puts in front of every text. Errors: `BadOption`. */
export function firstToken(tokenizer: FirstTokens, option: string): number {
  const token =
    option.trim() === '' ? undefined : tokenizer.encode(` ${option}`, { special: true })[tokenizer.prefixSpecialTokens];
  if (token === undefined)
    throw new HopscopeError('BadOption', `The option ${JSON.stringify(option)} has no token; options must hold text.`);
  return token;
}

/** Candidate tokens of a list of options; equal options count once, different ones with one first token are collisions. */
export function candidatesOf(tokenizer: FirstTokens, options: readonly string[]): Candidates {
  const byToken = new Map<number, string[]>();
  for (const option of new Set(options)) {
    const token = firstToken(tokenizer, option);
    byToken.set(token, [...(byToken.get(token) ?? []), option]);
  }
  const tokens = [...byToken.keys()].sort((a, b) => a - b);
  return {
    tokens,
    labels: tokens.map((token) => byToken.get(token)!.join(' / ')),
    collisions: [...byToken.values()].filter((group) => group.length > 1),
  };
}

/** Throws `OptionsShareFirstToken` naming the colliding options. */
export function refuseCollisions({ collisions }: Candidates): void {
  if (collisions.length === 0) return;
  const named = collisions.map((group) => group.map((option) => JSON.stringify(option)).join(' and ')).join('; ');
  throw new HopscopeError(
    'OptionsShareFirstToken',
    `Options begin with the same token and cannot be told apart by it: ${named}. Change one of them, or count them once with \`collisions: merge\`.`,
  );
}

/**
 * Number of candidates above the answer, 0 best; among equal logits the smaller token id ranks first.
 * Errors: `AnswerNotAnOption` when the answer is no candidate, `LogitNotFinite`.
 */
export function rankOf(answer: number, tokens: readonly number[], logits: ArrayLike<number>): number {
  const own = tokens.indexOf(answer);
  if (own === -1)
    throw new HopscopeError('AnswerNotAnOption', `The answer's first token ${answer} is not among the options' first tokens.`);
  let rank = 0;
  for (let index = 0; index < tokens.length; index++) {
    // Nothing is above a logit that is no number, so that it would look like the best rank
    requireFinite(logits[index]!, tokens[index]!);
    if (logits[index]! > logits[own]! || (logits[index] === logits[own] && tokens[index]! < answer)) rank++;
  }
  return rank;
}

/** Errors: `LogitNotFinite` where the logit of `token` is no number that can be ranked. */
export function requireFinite(logit: number, token: number): void {
  if (Number.isFinite(logit)) return;
  throw new HopscopeError(
    'LogitNotFinite',
    `The logit of token ${token} is ${logit}; check the weights for values that are not finite.`,
    'failure',
  );
}

/** L = mean logit of the candidates - the answer's logit: the paper's loss for scores. */
export function logitLoss(answer: number, tokens: readonly number[], logits: ArrayLike<number>): number {
  const mean = tokens.reduce((sum, _, index) => sum + logits[index]!, 0) / tokens.length;
  return mean - logits[tokens.indexOf(answer)]!;
}
