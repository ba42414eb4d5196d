/**
 * Text to token ids and back, by a model folder's tokenizer.json. The only file that imports the tokenizer library;
 * what the library lacks (checks, offsets, limits) is added here and beside it. It never opens anything but tokenizer.json.
 */
import { ByteFallbackDecoder, Tokenizer as Library, SequenceDecoder } from '@huggingface/tokenizers';
import { HopscopeError } from '../../shared/errors.ts';
import { modelFolder } from './checkpoint.ts';
import { pathInside } from './inside-folder.ts';
import { loneSurrogate } from './strict-json.ts';
import { readTokenizerFile, type TokenizerFile, type TokenizerKind } from './tokenizer-file.ts';
import { OffsetFinder, type Offsets } from './tokenizer-offsets.ts';

export type { TokenizerKind } from './tokenizer-file.ts';
export type { Offsets } from './tokenizer-offsets.ts';

/** Longest text that is tokenized, in UTF-16 units. */
const longestText = 1 << 24;

export class Tokenizer {
  readonly kind: TokenizerKind;
  /** Number of different tokens, added ones included; ids may have holes. */
  readonly vocabularySize: number;
  readonly maximumId: number;
  /** How many tokens are put in front of every text, and after it; measured, not read from the settings. */
  readonly prefixSpecialTokens: number;
  readonly suffixSpecialTokens: number;
  private readonly file: TokenizerFile;
  private readonly library: Library;
  private readonly offsetFinder: OffsetFinder;
  private readonly specialIds: ReadonlySet<number>;

  private constructor(file: TokenizerFile, library: Library) {
    this.file = file;
    this.library = library;
    this.kind = file.kind;
    this.vocabularySize = file.vocabulary.size;
    this.maximumId = file.maximumId;
    this.offsetFinder = new OffsetFinder(file);
    this.specialIds = new Set(file.addedTokens.filter(({ special }) => special).map(({ id }) => id));
    const sample = [...file.vocabulary.keys()].find((token) => token.length === 1) ?? 'a';
    const plain = this.encode(sample, { special: false });
    const whole = this.encode(sample);
    const extra = whole.length - plain.length;
    let prefix = 0;
    while (prefix < extra && !plain.every((id, index) => whole[prefix + index] === id)) prefix++;
    this.prefixSpecialTokens = prefix;
    this.suffixSpecialTokens = extra - prefix;
  }

  /**
   * Opens a model folder's tokenizer.
   * @throws HopscopeError `ModelNotFound`, `TokenizerMissing`, `OutsideFolder`, `BadJson`, `BadTokenizer`, `UnsupportedTokenizer`, `UnsupportedRegex`
   */
  static open(folder: string): Tokenizer {
    const root = modelFolder(folder);
    const path = pathInside(root, 'tokenizer.json');
    if (path === undefined) {
      throw new HopscopeError(
        'TokenizerMissing',
        `${root} has no tokenizer.json. Download it, or save the tokenizer in the fast format.`,
      );
    }
    const file = readTokenizerFile(path, `${root}/tokenizer.json`);
    try {
      const library = new Library(file.prepared, { unk_token: file.unknownToken, clean_up_tokenization_spaces: false });
      repairByteFallback(library.decoder);
      return new Tokenizer(file, library);
    } catch (error) {
      if (error instanceof HopscopeError) throw error;
      throw new HopscopeError(
        'BadTokenizer',
        `${file.file} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
      );
    }
  }

  /** Ids of a text, with the special tokens around it unless `special` is false. @throws HopscopeError `BadText`, `TokenizerTooSlow` */
  encode(text: string, { special = true }: { special?: boolean } = {}): number[] {
    return this.encodeTokens(text, special).ids;
  }

  /**
   * As `encode`, with the range of code points of `text` that each token stands for; special tokens put around it have [0, 0].
   * @throws HopscopeError `BadText`, `TokenizerTooSlow`, `OffsetsUnknown`
   */
  encodeWithOffsets(text: string, { special = true }: { special?: boolean } = {}): { ids: number[]; offsets: Offsets[] } {
    const { ids, tokens } = this.encodeTokens(text, special);
    const prefix = special ? this.prefixSpecialTokens : 0;
    const suffix = special ? this.suffixSpecialTokens : 0;
    const none = (count: number): Offsets[] => Array.from({ length: count }, () => [0, 0]);
    const inner = this.offsetFinder.find(text, tokens.slice(prefix, tokens.length - suffix));
    return { ids, offsets: [...none(prefix), ...inner, ...none(suffix)] };
  }

  /** The text that ids stand for; special tokens are left out unless `skipSpecial` is false. @throws HopscopeError `UnknownToken` */
  decode(ids: readonly number[], { skipSpecial = true }: { skipSpecial?: boolean } = {}): string {
    this.tokens(ids);
    const kept = skipSpecial ? ids.filter((id) => !this.specialIds.has(id)) : [...ids];
    return kept.length === 0
      ? ''
      : this.library.decode(kept, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  /** Whether any token has this id; a model's matrix may have more rows. */
  has(id: number): boolean {
    return this.library.id_to_token(id) !== undefined;
  }

  /** Whether the id is that of a token which stands for no text, such as the end of one. */
  isSpecial(id: number): boolean {
    return this.specialIds.has(id);
  }

  /** The tokens as the vocabulary writes them. @throws HopscopeError `UnknownToken` */
  tokens(ids: readonly number[]): string[] {
    return ids.map((id) => {
      const token = this.library.id_to_token(id);
      if (token === undefined) throw new HopscopeError('UnknownToken', `${this.file.file} has no token with id ${id}.`);
      return token;
    });
  }

  /** Checks that an embedding [rows, width] has a row for every token. @throws HopscopeError `TokenizerDoesNotFit` */
  assertFits({ name, shape: [rows = 0, width = 0] }: { name: string; shape: readonly number[] }): void {
    if (this.maximumId < rows) return;
    throw new HopscopeError(
      'TokenizerDoesNotFit',
      `${this.file.file} has ids up to ${this.maximumId}, for which ${name} would have to be at least [${this.maximumId + 1}, ${width}], but it is [${rows}, ${width}]. Use the model's own tokenizer.`,
    );
  }

  private encodeTokens(text: string, special: boolean): { ids: number[]; tokens: string[] } {
    if (loneSurrogate.test(text))
      throw new HopscopeError('BadText', `The text ${JSON.stringify(text.slice(0, 40))} holds half a surrogate pair.`);
    if (text.length > longestText)
      throw new HopscopeError(
        'BadText',
        `A text of ${text.length} characters is too long; at most ${longestText} are tokenized at once.`,
      );
    for (const { pattern, longest } of this.file.limits) {
      if (text.length > longest) {
        throw new HopscopeError(
          'TokenizerTooSlow',
          `${this.file.file}: its pattern ${JSON.stringify(pattern.slice(0, 120))} could take too long on a text of ${text.length} characters; at most ${longest} are tokenized at once.`,
        );
      }
    }
    return this.library.encode(text, { add_special_tokens: special });
  }
}

/**
 * Gives byte fallback decoders the original's rules: bytes that are no UTF-8 become one U+FFFD each, and a byte order mark is
 * a character like others. The library's own decoder drops the mark and replaces whole invalid runs at once.
 */
function repairByteFallback(decoder: unknown): void {
  if (decoder instanceof ByteFallbackDecoder) decoder.text_decoder = new ByteDecoder();
  if (decoder instanceof SequenceDecoder) decoder.decoders.forEach(repairByteFallback);
}

class ByteDecoder extends TextDecoder {
  constructor() {
    super('utf-8', { fatal: true, ignoreBOM: true });
  }

  override decode(bytes: Uint8Array): string {
    try {
      return super.decode(bytes);
    } catch {
      return '\ufffd'.repeat(bytes.length);
    }
  }
}
