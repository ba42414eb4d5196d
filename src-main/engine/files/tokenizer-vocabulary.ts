/**
 * Checks of a tokenizer's lists: vocabulary, merges and added tokens, against themselves and each other.
 * The parts around the model are checked in tokenizer-file.ts.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { isInteger, isJsonObject, type JsonValue } from './strict-json.ts';

/** A token that is cut out of the text before the model sees it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalized text rather than in the text itself. */
  readonly normalized: boolean;
  readonly special: boolean;
}

const maximumTokens = 1_000_000;
const maximumMerges = 2_000_000;
const maximumAddedTokens = 100_000;
const maximumTokenLength = 65_536;

/** @throws HopscopeError `BadTokenizer` */
export function checkVocabulary(value: JsonValue | undefined, file: string): Map<string, number> {
  if (!isJsonObject(value)) throw bad(file, 'its model has no vocab object');
  const entries = Object.entries(value);
  if (entries.length === 0) throw bad(file, 'its vocabulary is empty');
  if (entries.length > maximumTokens)
    throw bad(file, `its vocabulary has ${entries.length} tokens; at most ${maximumTokens} are read`);
  const tokenOf = new Map<number, string>();
  const vocabulary = new Map<string, number>();
  for (const [token, id] of entries) {
    if (!isInteger(id, 0, 2 ** 32 - 1))
      throw bad(file, `the id of its token ${show(token)} is ${JSON.stringify(id)}, not a whole number`);
    if (token.length > maximumTokenLength) throw bad(file, `its token ${show(token)} has ${token.length} characters`);
    const other = tokenOf.get(id);
    if (other !== undefined) throw bad(file, `its tokens ${show(other)} and ${show(token)} both have id ${id}`);
    tokenOf.set(id, token);
    vocabulary.set(token, id);
  }
  return vocabulary;
}

/** Checks merges in either of their two spellings: "a b" or ["a", "b"]. @throws HopscopeError `BadTokenizer` */
export function checkMerges(value: JsonValue | undefined, vocabulary: ReadonlyMap<string, number>, file: string): void {
  if (!Array.isArray(value)) throw bad(file, 'its model has no list of merges');
  if (value.length > maximumMerges) throw bad(file, `it has ${value.length} merges; at most ${maximumMerges} are read`);
  const arePairs = Array.isArray(value[0]);
  const seen = new Set<number>();
  for (const [index, merge] of value.entries()) {
    const parts = arePairs ? merge : typeof merge === 'string' ? merge.split(' ') : undefined;
    if (!Array.isArray(parts) || parts.length !== 2) throw bad(file, `its merge ${index} is ${show(merge)}, not two tokens`);
    const [left, right] = parts as [JsonValue, JsonValue];
    const ids = [left, right].map((token) => (typeof token === 'string' ? vocabulary.get(token) : undefined));
    if (ids[0] === undefined || ids[1] === undefined)
      throw bad(file, `its merge ${index}, ${show(merge)}, names a token that is not in the vocabulary`);
    if (!vocabulary.has(`${left}${right}`))
      throw bad(file, `the result of its merge ${index}, ${show(merge)}, is not in the vocabulary`);
    // Ids are below 2 x 1 100 000 + 65 536 (checked before), so a pair of them fits into a number.
    const key = ids[0] * 2 ** 22 + ids[1];
    if (seen.has(key)) throw bad(file, `its merge ${index}, ${show(merge)}, occurs twice`);
    seen.add(key);
  }
}

/** Checks added tokens and enters them into the vocabulary. @throws HopscopeError `BadTokenizer`, `UnsupportedTokenizer` */
export function checkAddedTokens(value: JsonValue, vocabulary: Map<string, number>, file: string): AddedToken[] {
  if (!Array.isArray(value)) throw bad(file, 'its added_tokens are not a list');
  if (value.length > maximumAddedTokens)
    throw bad(file, `it has ${value.length} added tokens; at most ${maximumAddedTokens} are read`);
  const tokenOf = new Map([...vocabulary].map(([token, id]) => [id, token]));
  const seen = new Set<string>();
  return value.map((record): AddedToken => {
    const token = addedToken(record, file);
    const { content, id } = token;
    if (seen.has(content)) throw bad(file, `its added token ${show(content)} occurs twice`);
    seen.add(content);
    const known = vocabulary.get(content);
    if (known !== undefined && known !== id)
      throw bad(file, `its added token ${show(content)} has id ${id}, but in the vocabulary it is ${known}`);
    const other = tokenOf.get(id);
    if (other !== undefined && other !== content)
      throw bad(file, `its added token ${show(content)} takes the id ${id} of ${show(other)}`);
    tokenOf.set(id, content);
    vocabulary.set(content, id);
    return token;
  });
}

function addedToken(record: JsonValue, file: string): AddedToken {
  if (!isJsonObject(record)) throw bad(file, 'an added token is not an object');
  const { id, content, single_word: singleWord, lstrip, rstrip, normalized, special } = record;
  if (typeof content !== 'string' || content === '') throw bad(file, 'an added token has no content');
  if (content.length > maximumTokenLength) throw bad(file, `its added token ${show(content)} has ${content.length} characters`);
  if (!isInteger(id, 0, 2 ** 32 - 1)) throw bad(file, `its added token ${show(content)} has no valid id`);
  if (
    typeof singleWord !== 'boolean' ||
    typeof lstrip !== 'boolean' ||
    typeof rstrip !== 'boolean' ||
    typeof normalized !== 'boolean' ||
    typeof special !== 'boolean'
  ) {
    throw bad(file, `its added token ${show(content)} lacks one of single_word, lstrip, rstrip, normalized, special`);
  }
  if (singleWord)
    throw new HopscopeError(
      'UnsupportedTokenizer',
      `${file}: its added token ${show(content)} is to match whole words only, which is not supported.`,
    );
  return { id, content, lstrip, rstrip, normalized, special };
}

function show(value: JsonValue): string {
  return JSON.stringify(value).slice(0, 80);
}

/** The error of a tokenizer.json that is damaged or inconsistent. */
export function bad(file: string, what: string): HopscopeError {
  return new HopscopeError('BadTokenizer', `${file}: ${what}. Download or export the tokenizer again.`);
}
