/**
 * Makes a small byte-level tokenizer.json: 256 bytes, special tokens, and given words as single tokens where a space stands in front of them.
 * It learns nothing from text; it is for models that have no tokenizer of their own.
 */

export interface TokenizerContents {
  /** Words of printable ASCII without spaces. */
  words: Iterable<string>;
  /** Special tokens, the first of which `prefixed` may put in front of every text. */
  specialTokens: readonly string[];
  prefixed: boolean;
}

/** The text of a tokenizer.json. Ids are dense: bytes, then parts of words and words, then special tokens. */
export function byteLevelTokenizer({ words, specialTokens, prefixed }: TokenizerContents): string {
  const vocabulary = new Map(byteCharacters().map((character, id) => [character, id]));
  const merges: [string, string][] = [];
  // A space and all beginnings of a word are tokens, each the one before and one more character. Only the first character's
  // merge applies to a space, and each of the others only behind the one before, so that nothing competes with a word's own.
  for (const word of words) {
    let beginning = space;
    for (const character of word) {
      const longer = beginning + character;
      if (!vocabulary.has(longer)) {
        vocabulary.set(longer, vocabulary.size);
        merges.push([beginning, character]);
      }
      beginning = longer;
    }
  }
  const special = specialTokens.map((content, index) => ({
    id: vocabulary.size + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const first = special[0];
  const template = (content: string, id: number) => ({
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: content, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [
      { SpecialToken: { id: content, type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
    ],
    special_tokens: { [content]: { id: content, ids: [id], tokens: [content] } },
  });
  return `${JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: prefixed && first ? template(first.content, first.id) : byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary),
      merges,
    },
  })}\n`;
}

/** What a space is written as. */
const space = '\u0120';

/** The characters that stand for bytes 0 to 255: visible Latin-1 for itself, the others U+0100, U+0101, ... in their order. */
function byteCharacters(): string[] {
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    return String.fromCodePoint(visible ? byte : 0x100 + others++);
  });
}
