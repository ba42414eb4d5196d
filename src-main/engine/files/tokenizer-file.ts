/**
 * Reads and checks a tokenizer.json: everything that could fail, hang or silently go wrong later is found here.
 * It does not tokenize; it hands a checked description to tokenizer.ts.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { isInteger, isJsonObject, type JsonObject, type JsonValue, readJson } from './strict-json.ts';
import { ComponentChecker, typesIn } from './tokenizer-components.ts';
import { type AddedToken, bad, checkAddedTokens, checkMerges, checkVocabulary } from './tokenizer-vocabulary.ts';

export type TokenizerKind = 'byte-level' | 'metaspace' | 'word-level' | 'plain';

export interface TokenizerFile {
  readonly file: string;
  readonly kind: TokenizerKind;
  /** The file's content, rewritten where the library would read it otherwise than the Rust original. */
  readonly prepared: JsonObject;
  readonly normalizer: JsonValue;
  readonly preTokenizer: JsonValue;
  readonly postProcessor: JsonValue;
  /** Tokens and ids of the model and the added tokens together. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly addedTokens: readonly AddedToken[];
  readonly maximumId: number;
  readonly unknownToken: string | undefined;
  readonly byteFallback: boolean;
  /** Patterns that are run only on texts up to a length, in UTF-16 units. */
  readonly limits: readonly { pattern: string; longest: number }[];
}

const maximumFileBytes = 128 << 20;

/** @throws HopscopeError `BadTokenizer`, `BadJson`, `UnsupportedTokenizer`, `UnsupportedRegex` */
export function readTokenizerFile(path: string, file = path): TokenizerFile {
  const root = readJson(path, { maximumBytes: maximumFileBytes, file });
  if (!isJsonObject(root)) throw bad(file, 'it is not a JSON object');
  if (root.version !== undefined && root.version !== '1.0')
    throw bad(file, `its version is ${JSON.stringify(root.version)}; "1.0" is read`);
  if (!isJsonObject(root.model)) throw bad(file, 'it has no model');
  const model = plainModel(root.model, file);
  const vocabulary = checkVocabulary(model.vocab, file);
  const addedTokens = checkAddedTokens(root.added_tokens ?? [], vocabulary, file);
  const maximumId = checkIds(vocabulary, file);
  if (model.type === 'BPE') checkMerges(model.merges, vocabulary, file);
  const unknownToken = typeof model.unk_token === 'string' && model.unk_token !== '' ? model.unk_token : undefined;
  if (unknownToken !== undefined && !vocabulary.has(unknownToken))
    throw bad(file, `its unknown token "${unknownToken}" is not in the vocabulary`);
  if (model.type === 'WordLevel' && unknownToken === undefined) throw bad(file, 'its word-level model has no unknown token');
  checkLengthRules(root, file);

  const components = new ComponentChecker(file, vocabulary);
  const normalizer = root.normalizer ?? null;
  const preTokenizer = root.pre_tokenizer ?? null;
  const postProcessor = root.post_processor ?? null;
  const prepared: JsonObject = {
    model,
    added_tokens: root.added_tokens ?? [],
    normalizer: components.normalizer(normalizer),
    pre_tokenizer: components.preTokenizer(preTokenizer, normalizer),
    post_processor: components.postProcessor(postProcessor),
    decoder: components.decoder(root.decoder ?? null),
  };
  const types = new Set([...typesIn(preTokenizer), ...typesIn(normalizer)]);
  const isMetaspace = types.has('Metaspace') || JSON.stringify(normalizer).includes('\u2581');
  const kind =
    model.type === 'WordLevel' ? 'word-level' : types.has('ByteLevel') ? 'byte-level' : isMetaspace ? 'metaspace' : 'plain';
  if (kind === 'byte-level') checkByteAlphabet(model.vocab as JsonObject, addedTokens, file);
  const byteFallback = model.byte_fallback === true;
  const { limits } = components;
  return {
    file,
    kind,
    prepared,
    normalizer,
    preTokenizer,
    postProcessor,
    vocabulary,
    addedTokens,
    maximumId,
    unknownToken,
    byteFallback,
    limits,
  };
}

/** The model with its type named and without the empty settings that older files write for "none". */
function plainModel(model: JsonObject, file: string): JsonObject {
  const type = model.type ?? (model.merges === undefined ? undefined : 'BPE');
  if (type === 'Unigram' || type === 'WordPiece') {
    throw new HopscopeError('UnsupportedTokenizer', `${file}: its model is ${type}; BPE and WordLevel are supported.`);
  }
  if (type !== 'BPE' && type !== 'WordLevel')
    throw bad(file, `its model's type is ${JSON.stringify(type) ?? 'missing'}; BPE and WordLevel are supported`);
  const { dropout = null, continuing_subword_prefix: prefix = null, end_of_word_suffix: suffix = null } = model;
  if (dropout !== null && dropout !== 0)
    throw bad(file, `its model has dropout ${JSON.stringify(dropout)}, which would make tokenization random`);
  if ((prefix !== null && prefix !== '') || (suffix !== null && suffix !== '')) {
    throw new HopscopeError(
      'UnsupportedTokenizer',
      `${file}: its model marks word parts by a prefix or suffix, which is not supported.`,
    );
  }
  const { unk_token: unknown = null } = model;
  if (unknown !== null && typeof unknown !== 'string') throw bad(file, 'its unk_token is not a string');
  return Object.assign(Object.create(null), model, {
    type,
    unk_token: unknown === '' ? null : unknown,
    end_of_word_suffix: null,
  });
}

/** Ids index arrays: a huge id in a small vocabulary would be a memory bomb. */
function checkIds(vocabulary: ReadonlyMap<string, number>, file: string): number {
  let maximum = 0;
  for (const id of vocabulary.values()) maximum = Math.max(maximum, id);
  if (maximum >= 2 * vocabulary.size + 65_536)
    throw bad(file, `its largest id ${maximum} is far beyond its ${vocabulary.size} tokens`);
  return maximum;
}

/** Truncation and padding are not applied here, but nonsense in them says that the file is damaged. */
function checkLengthRules({ truncation = null, padding = null }: JsonObject, file: string): void {
  if (truncation !== null) {
    if (!isJsonObject(truncation) || !isInteger(truncation.max_length, 1))
      throw bad(file, 'its truncation has no max_length of at least 1');
    const { stride = 0 } = truncation;
    if (!isInteger(stride) || stride >= truncation.max_length)
      throw bad(file, 'its truncation has a stride that is not below max_length');
  }
  if (padding === null) return;
  const strategy = isJsonObject(padding) ? padding.strategy : undefined;
  const fixed = isJsonObject(strategy) ? strategy.Fixed : undefined;
  if (strategy !== 'BatchLongest' && !isInteger(fixed, 0, 1_000_000))
    throw bad(file, 'its padding strategy is neither BatchLongest nor a Fixed length up to 1000000');
}

/** The 256 characters that stand for bytes: printable Latin-1 for itself, the rest from U+0100 on. */
function checkByteAlphabet(vocabulary: JsonObject, addedTokens: readonly AddedToken[], file: string): void {
  const exempt = new Set(addedTokens.map(({ content }) => content));
  for (const token of Object.keys(vocabulary)) {
    if (!/^[!-~\u00a1-\u00ac\u00ae-\u00ff\u0100-\u0143]*$/.test(token) && !exempt.has(token)) {
      throw bad(
        file,
        `its token ${JSON.stringify(token).slice(0, 80)} holds characters that stand for no byte, in a byte-level tokenizer`,
      );
    }
  }
}
