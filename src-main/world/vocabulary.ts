/**
 * The small world's words as tokens: one token a word, words parted by spaces, `<s>` before every text. It writes the
 * tokenizer.json that other programs load; it does not read tokenizers of other models.
 */
import { HopscopeError } from '../shared/errors.ts';
import * as entities from './entities.ts';

export const PAD = '<pad>';
export const START = '<s>';
export const UNKNOWN = '<unk>';

/** The words of the templates that are no entity. */
const FUNCTION_WORDS =
  'The the city people in of is from that contains lives was born home speak eat pay belongs to lies on'.split(' ');

/** Every token in the order of its id: special ones, the templates' words, entities. Rows of a checkpoint follow this order. */
export function wordList(): string[] {
  const list = [
    PAD,
    START,
    UNKNOWN,
    ...FUNCTION_WORDS,
    ...entities.CITIES,
    ...entities.LANGUAGES,
    ...entities.COUNTRIES,
    ...entities.LANDMARK_FIRST,
    ...entities.LANDMARK_SECOND,
    ...entities.RIVERS,
    ...entities.FOODS,
    ...entities.CURRENCIES,
    ...entities.FIRST_NAMES,
    ...entities.LAST_NAMES,
    ...entities.OFFICES,
    ...entities.ANIMALS,
    ...entities.NONCE_WORDS,
  ];
  const twice = list.find((word, i) => list.indexOf(word) !== i);
  if (twice !== undefined) {
    throw new HopscopeError('WorldWordTwice', `The word "${twice}" is in the small world twice: rename one entity.`, 'failure');
  }
  return list;
}

/** Words to ids and back. */
export class Vocabulary {
  readonly words: readonly string[];
  private readonly ids: ReadonlyMap<string, number>;

  constructor(list: readonly string[] = wordList()) {
    this.words = list;
    this.ids = new Map(list.map((word, id) => [word, id]));
  }

  get size(): number {
    return this.words.length;
  }

  /** The id of one word; a word outside the world is an error here, never `<unk>`. */
  id(word: string): number {
    const id = this.ids.get(word);
    if (id === undefined) throw new HopscopeError('UnknownWord', `"${word}" is no word of the small world.`);
    return id;
  }

  /** `<s>` and the ids of the words of a text. */
  encode(text: string): number[] {
    return [this.id(START), ...text.split(' ').map((word) => this.id(word))];
  }

  /** The text of ids, without special tokens. */
  decode(ids: readonly number[]): string {
    return ids
      .map((id) => this.words[id] ?? UNKNOWN)
      .filter((word) => word !== PAD && word !== START)
      .join(' ');
  }
}

/** The object to write as tokenizer.json: a WordLevel model that splits at white space and puts `<s>` first. */
export function tokenizerJson(vocabulary: Vocabulary) {
  const special = [PAD, START, UNKNOWN];
  const start = { SpecialToken: { id: START, type_id: 0 } };
  const sequence = (id: 'A' | 'B', type: number) => ({ Sequence: { id, type_id: type } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocabulary.id(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [start, sequence('A', 0)],
      pair: [start, sequence('A', 0), sequence('B', 1)],
      special_tokens: { [START]: { id: START, ids: [vocabulary.id(START)], tokens: [START] } },
    },
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(vocabulary.words.map((word, id) => [word, id])),
      unk_token: UNKNOWN,
    },
  };
}

/** The object to write as tokenizer_config.json, which the Python library reads beside tokenizer.json. */
export function tokenizerConfigJson() {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: START,
    pad_token: PAD,
    unk_token: UNKNOWN,
    clean_up_tokenization_spaces: false,
    model_max_length: 32,
  };
}
