import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src-main/engine/files/tokenizer.ts';
import { errorOf, fixtures, temporaryFolder } from './scratch.ts';

interface Case {
  text: string;
  ids: number[];
  ids_no_special: number[];
  offsets_no_special: [number, number][];
  decoded: string;
  decoded_with_special: string;
}
type Json = Record<string, unknown>;

const kinds = ['llama', 'olmo', 'olmo2', 'gpt2', 'qwen2', 'gemma2', 'mistral', 'mistral-metaspace'];
const folderOf = (kind: string): string => join(fixtures, kind === 'mistral-metaspace' ? 'tokenizers' : 'models', kind);

/** A folder with a tokenizer.json made from an object or given as text. */
function folderWith(tokenizer: unknown): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tokenizer.json'), typeof tokenizer === 'string' ? tokenizer : JSON.stringify(tokenizer));
  return folder;
}

/** llama's tokenizer.json after a change. */
function changed(
  change: (file: Json & { model: Json & { vocab: Record<string, unknown>; merges: unknown[] }; added_tokens: Json[] }) => unknown,
): string {
  const file = JSON.parse(readFileSync(join(folderOf('llama'), 'tokenizer.json'), 'utf8'));
  change(file);
  return folderWith(file);
}

/** A word-level tokenizer of the smallest form. */
function wordLevel(extra: Json = {}): Json {
  const vocab = { '[UNK]': 0, the: 1, mayor: 2, of: 3, Zürich: 4 };
  return {
    version: '1.0',
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
    ...extra,
  };
}

describe.each(kinds)('tokenizer %s', (kind) => {
  const tokenizer = Tokenizer.open(folderOf(kind));
  const cases = JSON.parse(readFileSync(join(fixtures, `tokenization/${kind}.json`), 'utf8')) as Case[];

  it('gives exactly the reference ids, offsets and texts', () => {
    expect(cases.length).toBeGreaterThan(50);
    for (const { text, ids, ids_no_special: plain, offsets_no_special: offsets, decoded, decoded_with_special: whole } of cases) {
      expect(tokenizer.encode(text), text).toEqual(ids);
      expect(tokenizer.encode(text, { special: false }), text).toEqual(plain);
      expect(tokenizer.encodeWithOffsets(text, { special: false }), text).toEqual({ ids: plain, offsets });
      expect(tokenizer.decode(ids), text).toBe(decoded);
      expect(tokenizer.decode(ids, { skipSpecial: false }), text).toBe(whole);
    }
  });

  it('counts the special tokens in front and gives them no place in the text', () => {
    const prefix = ['llama', 'gemma2', 'mistral', 'mistral-metaspace'].includes(kind) ? 1 : 0;
    expect([tokenizer.prefixSpecialTokens, tokenizer.suffixSpecialTokens]).toEqual([prefix, 0]);
    const { ids, offsets } = tokenizer.encodeWithOffsets('The city');
    expect(ids).toEqual(tokenizer.encode('The city'));
    expect(offsets.slice(0, prefix)).toEqual(Array(prefix).fill([0, 0]));
    expect(offsets.at(-1)![1]).toBe(8);
  });

  it('lays the tokens of any text along it, in order', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
        const { ids, offsets } = tokenizer.encodeWithOffsets(text, { special: false });
        expect(offsets.length).toBe(ids.length);
        const length = [...text].length;
        for (const [index, [start, end]] of offsets.entries()) {
          expect(start).toBeLessThanOrEqual(end);
          expect(end).toBeLessThanOrEqual(length);
          if (index > 0) expect(start).toBeGreaterThanOrEqual(offsets[index - 1]![0]);
        }
        for (const id of ids) expect(id).toBeLessThanOrEqual(tokenizer.maximumId);
      }),
      { numRuns: 60 },
    );
  });
});

describe('tokenizers', () => {
  it('describe themselves', () => {
    const llama = Tokenizer.open(folderOf('llama'));
    expect([llama.kind, llama.vocabularySize, llama.maximumId]).toEqual(['byte-level', 379, 378]);
    expect(Tokenizer.open(folderOf('gemma2')).kind).toBe('metaspace');
    expect(llama.tokens(llama.encode(' unmergeable'))).toEqual(['<|begin_of_text|>', 'Ġunmergeable']);
    expect(llama.decode([])).toBe('');
    expect(() => llama.assertFits({ name: 'wte.weight', shape: [379, 48] })).not.toThrow();
    expect(errorOf(() => llama.assertFits({ name: 'wte.weight', shape: [378, 48] }))).toMatch(
      /^TokenizerDoesNotFit: .* 378, .*wte\.weight .*\[379, 48\].*\[378, 48\]/,
    );
    expect(errorOf(() => llama.decode([5, 999]))).toMatch(/^UnknownToken: .*999/);
    expect(errorOf(() => llama.encode('a\ud800b'))).toMatch(/^BadText: /);
  });

  it('split words as the Rust library does', () => {
    const split = Tokenizer.open(folderWith(wordLevel()));
    expect(split.kind).toBe('word-level');
    expect(split.encodeWithOffsets('the\u0085mayor \ufeffof  Zürich ')).toEqual({
      ids: [1, 2, 0, 4],
      offsets: [
        [0, 3],
        [4, 9],
        [10, 13],
        [15, 21],
      ],
    });
    expect(split.decode([1, 2, 3, 4])).toBe('the mayor of Zürich');
    const words = Tokenizer.open(folderWith(wordLevel({ pre_tokenizer: { type: 'Whitespace' } })));
    expect(words.encodeWithOffsets('Zürich, the mayor²')).toEqual({
      ids: [4, 0, 1, 2, 0],
      offsets: [
        [0, 6],
        [6, 7],
        [8, 11],
        [12, 17],
        [17, 18],
      ],
    });
    const digits = Tokenizer.open(
      folderWith(
        wordLevel({
          pre_tokenizer: {
            type: 'Sequence',
            pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Digits', individual_digits: true }],
          },
        }),
      ),
    );
    expect(digits.encodeWithOffsets('the12')).toEqual({
      ids: [1, 0, 0],
      offsets: [
        [0, 3],
        [3, 4],
        [4, 5],
      ],
    });
  });

  it('decode bytes that are no text as the Rust library does', () => {
    const mistral = Tokenizer.open(folderOf('mistral'));
    const idsOf = (text: string): number[] => mistral.encode(text, { special: false }).slice(1);
    expect(mistral.decode(idsOf('日').slice(0, 2))).toBe('\ufffd\ufffd');
    const dollar = wordLevel({ normalizer: { type: 'Replace', pattern: { String: 'x' }, content: '$&the' } });
    expect(Tokenizer.open(folderWith(dollar)).encodeWithOffsets('x the')).toEqual({
      ids: [0, 1],
      offsets: [
        [0, 1],
        [2, 5],
      ],
    });
  });

  it('take long texts in bounded time', () => {
    for (const kind of kinds) {
      const tokenizer = Tokenizer.open(folderOf(kind));
      for (const unit of [' ', '\n', 'a', '1', '!', ' \n', "'", '\r ']) {
        const { ids, offsets } = tokenizer.encodeWithOffsets(unit.repeat(4000));
        expect(offsets.length).toBe(ids.length);
      }
    }
  });

  it('open nothing outside their folder', () => {
    const folder = temporaryFolder();
    expect(errorOf(() => Tokenizer.open(folder))).toMatch(/^TokenizerMissing: /);
    symlinkSync(join(folderOf('llama'), 'tokenizer.json'), join(folder, 'tokenizer.json'));
    expect(errorOf(() => Tokenizer.open(folder))).toMatch(/^OutsideFolder: /);
    const other = temporaryFolder();
    mkdirSync(join(other, 'tokenizer.json'));
    expect(errorOf(() => Tokenizer.open(other))).toMatch(/^BadJson: /);
  });
});

describe('malformed tokenizers', () => {
  it.each(['', '{}', '[]', 'null', '\ufeff{}', '{"model":', '['.repeat(200)])('refuses the text %j', (text) => {
    expect(errorOf(() => Tokenizer.open(folderWith(text)))).toMatch(/^Bad(Json|Tokenizer): /);
  });

  it('refuses a token twice in the vocabulary', () => {
    const text = JSON.stringify(wordLevel()).replace('"the":1', '"the":1,"the":1');
    expect(errorOf(() => Tokenizer.open(folderWith(text)))).toMatch(/^BadJson: .*"the" occurs twice/);
  });

  type Change = Parameters<typeof changed>[0];
  const addedToken = {
    id: 379,
    content: 'x',
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: false,
  };
  const template = (ids: number[], name = '<|begin_of_text|>'): Json => ({
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|begin_of_text|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { [name]: { id: name, ids, tokens: [name] } },
  });
  it.each<[string, string, Change]>([
    ['BadTokenizer', 'version 2.0', (file) => (file.version = '2.0')],
    ['BadTokenizer', 'no model', (file) => Object.assign(file, { model: undefined })],
    ['BadTokenizer', 'model null', (file) => Object.assign(file, { model: null })],
    ['BadTokenizer', 'unknown model', (file) => (file.model.type = 'Magic')],
    ['UnsupportedTokenizer', 'unigram', (file) => (file.model.type = 'Unigram')],
    ['UnsupportedTokenizer', 'word piece', (file) => (file.model.type = 'WordPiece')],
    ['BadTokenizer', 'no vocabulary', (file) => Object.assign(file.model, { vocab: undefined })],
    ['BadTokenizer', 'vocabulary an array', (file) => Object.assign(file.model, { vocab: [] })],
    ['BadTokenizer', 'vocabulary empty', (file) => Object.assign(file.model, { vocab: {} })],
    ['BadTokenizer', 'no merges', (file) => Object.assign(file.model, { merges: undefined })],
    ['BadTokenizer', 'negative id', (file) => (file.model.vocab['!'] = -1)],
    ['BadTokenizer', 'id 0.5', (file) => (file.model.vocab['!'] = 0.5)],
    ['BadTokenizer', 'id as text', (file) => (file.model.vocab['!'] = '0')],
    ['BadTokenizer', 'id 2^32', (file) => (file.model.vocab['!'] = 2 ** 32)],
    ['BadTokenizer', 'id 2^32 - 1', (file) => (file.model.vocab['!'] = 2 ** 32 - 1)],
    ['BadTokenizer', 'two tokens, one id', (file) => (file.model.vocab['!'] = 1)],
    ['BadTokenizer', 'characters that are no bytes', (file) => (file.model.vocab.日本 = 500)],
    ['BadTokenizer', 'merge of an unknown token', (file) => file.model.merges.push('zzzz a')],
    ['BadTokenizer', 'merge with an unknown result', (file) => file.model.merges.push('! !')],
    ['BadTokenizer', 'merge of one part', (file) => file.model.merges.push('a')],
    ['BadTokenizer', 'merge of three parts', (file) => file.model.merges.push('a b c')],
    ['BadTokenizer', 'merge twice', (file) => file.model.merges.push(file.model.merges[0])],
    ['BadTokenizer', 'dropout', (file) => (file.model.dropout = 2)],
    ['BadTokenizer', 'unknown token not in the vocabulary', (file) => (file.model.unk_token = '<nope>')],
    ['UnsupportedTokenizer', 'word prefix', (file) => (file.model.continuing_subword_prefix = '##')],
    ['BadTokenizer', 'added token without a field', (file) => Object.assign(file.added_tokens[0]!, { lstrip: undefined })],
    ['BadTokenizer', 'added token empty', (file) => file.added_tokens.push({ ...addedToken, content: '' })],
    [
      'BadTokenizer',
      'added token with another id than its own',
      (file) => file.added_tokens.push({ ...addedToken, content: 'a' }),
    ],
    ['BadTokenizer', 'added token with the id of another', (file) => file.added_tokens.push({ ...addedToken, id: 3 })],
    ['BadTokenizer', 'added token twice', (file) => file.added_tokens.push({ ...file.added_tokens[0]! })],
    [
      'UnsupportedTokenizer',
      'added token for whole words',
      (file) => file.added_tokens.push({ ...addedToken, single_word: true }),
    ],
    ['BadTokenizer', 'template id outside', (file) => (file.post_processor = template([999_999]))],
    ['BadTokenizer', 'template id of another token', (file) => (file.post_processor = template([3]))],
    ['BadTokenizer', 'template token not described', (file) => (file.post_processor = template([375], 'other'))],
    ['BadTokenizer', 'max_length 0', (file) => (file.truncation = { max_length: 0, stride: 0 })],
    ['BadTokenizer', 'stride of max_length', (file) => (file.truncation = { max_length: 8, stride: 8 })],
    ['BadTokenizer', 'padding to a million and one', (file) => (file.padding = { strategy: { Fixed: 1_000_001 } })],
    ['UnsupportedTokenizer', 'unknown pre-tokenizer', (file) => (file.pre_tokenizer = { type: 'Magic' })],
    ['UnsupportedTokenizer', 'unknown decoder', (file) => (file.decoder = { type: 'Magic' })],
    [
      'UnsupportedTokenizer',
      'unknown normalizer',
      (file) => (file.normalizer = { type: 'Precompiled', precompiled_charsmap: 'x' }),
    ],
    ['BadTokenizer', 'normalizer without a type', (file) => (file.normalizer = {})],
    ['BadTokenizer', 'empty pattern', (file) => (file.normalizer = { type: 'Replace', pattern: { String: '' }, content: 'x' })],
    [
      'UnsupportedTokenizer',
      'split that merges',
      (file) => (file.pre_tokenizer = { type: 'Split', pattern: { String: 'a' }, behavior: 'MergedWithNext', invert: false }),
    ],
    [
      'UnsupportedRegex',
      'decoder with a regular expression',
      (file) => (file.decoder = { type: 'Replace', pattern: { Regex: 'a' }, content: '' }),
    ],
  ])('%s: %s', (code, _, change) => {
    const message = errorOf(() => Tokenizer.open(changed(change)));
    expect(message.startsWith(`${code}: `), message).toBe(true);
  });

  it.each<[string, Change]>([
    ['version missing', (file) => Object.assign(file, { version: undefined })],
    ['holes in the ids', (file) => file.added_tokens.push({ ...addedToken, content: '<x>', id: 400 })],
    [
      'an older file: no type, empty settings',
      (file) =>
        Object.assign(file.model, { type: undefined, unk_token: '', continuing_subword_prefix: '', end_of_word_suffix: '' }),
    ],
    ['parts missing', (file) => Object.assign(file, { normalizer: undefined, truncation: undefined, padding: undefined })],
    [
      'merges as pairs',
      (file) => (file.model.merges = file.model.merges.map((merge) => (typeof merge === 'string' ? merge.split(' ') : merge))),
    ],
  ])('accepts: %s', (_, change) => {
    expect(Tokenizer.open(changed(change)).encode('The mayor')).toEqual(Tokenizer.open(folderOf('llama')).encode('The mayor'));
  });

  it('refuses a word-level model without its unknown token', () => {
    expect(errorOf(() => Tokenizer.open(folderWith(wordLevel({ model: { type: 'WordLevel', vocab: { a: 0 } } }))))).toMatch(
      /^BadTokenizer: .*unknown token/,
    );
  });
});
