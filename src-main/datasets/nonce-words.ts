/**
 * Pronounceable words and names that mean nothing, chosen so that models can be asked about them: their first tokens differ and they have the same
 * number of tokens in every given tokenizer. Whether a word exists in some language is not looked up.
 */
import { HopscopeError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';

/** What is needed of a tokenizer. */
export interface WordTokenizer {
  encode(text: string, options: { special: boolean }): readonly number[];
}

export interface NonceChoice {
  count: number;
  seed: number | string;
  /** `word`: one word in lower case, such as `zorib`; `name`: a first and a last name, such as `Velda Morin`. */
  kind: 'word' | 'name';
  /** All that will read the words; at least one. */
  tokenizers: readonly WordTokenizer[];
  /** Words that must not occur, such as those of other data sets. */
  without?: readonly string[];
}

const starts = 'b br c ch cl d dr f fl fr g gl gr h j k kl l m n p pl pr qu r s sh sk sl sp st t th tr v w y z'.split(' ');
const vowels = 'a e i o u ai ea ee io oa oo ou'.split(' ');
const middles = 'b bb d dd f g k l ll lm ln lt m mb mm n nd nn nt p r rb rd rl rm rn rt s ss st t v x z'.split(' ');
const ends = 'b ck d f g k l ll lm m n nd ng p r rd rn s sk st t th x z'.split(' ');

/** Candidates tried for each word wanted. */
const triesPerWord = 400;

/**
 * The same choice gives the same words. Words of one length in every tokenizer form a group; the first group that is large enough wins.
 * Errors: `BadCount`, `NotEnoughWords` where the tokenizers do not tell enough words apart.
 */
export function nonceWords({ count, seed, kind, tokenizers, without = [] }: NonceChoice): string[] {
  if (!Number.isInteger(count) || count < 1 || tokenizers.length === 0) {
    throw new HopscopeError('BadCount', `${count} words for ${tokenizers.length} tokenizers: at least one of each is needed.`);
  }
  const random = new Random(seed).fork(`nonce ${kind}`);
  const excluded = new Set(without.map((word) => word.toLowerCase()));
  const groups = new Map<string, { words: string[]; firstTokens: Set<number>[] }>();
  for (let tried = 0; tried < triesPerWord * count; tried++) {
    const word = kind === 'name' ? `${capitalized(nonceWord(random))} ${capitalized(nonceWord(random))}` : nonceWord(random);
    if (excluded.has(word.toLowerCase())) continue;
    excluded.add(word.toLowerCase());
    // In front of a word in running text is a space
    const read = tokenizers.map((tokenizer) => tokenizer.encode(` ${word}`, { special: false }));
    const lengths = read.map(({ length }) => length).join();
    const group = groups.get(lengths) ?? { words: [], firstTokens: tokenizers.map(() => new Set<number>()) };
    groups.set(lengths, group);
    if (read.some(([first], index) => first === undefined || group.firstTokens[index]!.has(first))) continue;
    read.forEach(([first], index) => void group.firstTokens[index]!.add(first!));
    group.words.push(word);
    if (group.words.length === count) return group.words;
  }
  const most = Math.max(...[...groups.values()].map(({ words }) => words.length));
  throw new HopscopeError(
    'NotEnoughWords',
    `Of ${count} nonce ${kind}s only ${most} have different first tokens and equal numbers of tokens in ${tokenizers.length === 1 ? 'the tokenizer' : `all ${tokenizers.length} tokenizers`}. Ask for fewer, or for fewer tokenizers at once.`,
  );
}

function nonceWord(random: Random): string {
  const syllable = random.choose(starts) + random.choose(vowels);
  const second = random.choose(middles) + random.choose(vowels);
  return random.integer(3) === 0
    ? syllable + random.choose(ends)
    : syllable + second + (random.integer(2) === 0 ? random.choose(ends) : '');
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
