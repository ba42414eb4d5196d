/**
 * Checks the parts around a tokenizer's model (normalizer, pre-tokenizer, post-processor, decoder) against lists of what is
 * supported, and rewrites them where the library would read them otherwise than the Rust original. It runs none of them.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts';
import { gpt2Pattern, longestText } from './tokenizer-regex.ts';
import { bad } from './tokenizer-vocabulary.ts';

/** What Unicode calls word characters (UTS 18, annex C). */
const wordCharacters = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';

/** Each method returns the part as the library should get it. @throws HopscopeError `BadTokenizer`, `UnsupportedTokenizer`, `UnsupportedRegex` */
export class ComponentChecker {
  readonly limits: { pattern: string; longest: number }[] = [];
  private readonly file: string;
  private readonly vocabulary: ReadonlyMap<string, number>;

  constructor(file: string, vocabulary: ReadonlyMap<string, number>) {
    this.file = file;
    this.vocabulary = vocabulary;
  }

  normalizer(part: JsonValue): JsonValue {
    if (part === null) return null;
    const { type, content } = this.typed(part, 'normalizer');
    if (type === 'Sequence') return this.sequence(part as JsonObject, 'normalizers', (each) => this.normalizer(each));
    if (type === 'Replace') return this.replace(part as JsonObject, content, true);
    if (type === 'Prepend' && typeof (part as JsonObject).prepend !== 'string')
      throw bad(this.file, 'its Prepend normalizer lacks the text');
    return this.supported(part, type, 'normalizer', ['NFC', 'NFD', 'NFKC', 'NFKD', 'Prepend', 'Lowercase']);
  }

  preTokenizer(part: JsonValue, normalizer: JsonValue): JsonValue {
    if (part === null) return null;
    const object = this.typed(part, 'pre-tokenizer');
    const split = (pattern: string, invert: boolean): JsonObject => ({
      type: 'Split',
      pattern: { Regex: pattern },
      behavior: invert ? 'Removed' : 'Isolated',
      invert,
    });
    switch (object.type) {
      case 'Sequence':
        return this.sequence(object, 'pretokenizers', (each) => this.preTokenizer(each, normalizer));
      case 'ByteLevel':
        // The library's own pattern takes JavaScript's idea of white space, which differs (U+FEFF, U+0085); its Split does not.
        if (object.use_regex === false || object.add_prefix_space !== false) return object;
        return { type: 'Sequence', pretokenizers: [split(gpt2Pattern, false), { ...object, use_regex: false }] };
      // The library's own patterns take JavaScript's idea of words (ASCII) and of white space.
      case 'Whitespace':
        return split(`[${wordCharacters}]+|[^${wordCharacters}\\p{White_Space}]+`, true);
      case 'WhitespaceSplit':
        return split('\\P{White_Space}+', true);
      case 'Digits':
        return split(object.individual_digits === true ? '\\p{N}' : '\\p{N}+', false);
      case 'Split':
        return this.split(object, normalizer);
      default:
        return this.supported(object, object.type, 'pre-tokenizer', ['Metaspace']);
    }
  }

  postProcessor(part: JsonValue): JsonValue {
    if (part === null) return null;
    const object = this.typed(part, 'post-processor');
    if (object.type === 'Sequence') return this.sequence(object, 'processors', (each) => this.postProcessor(each));
    if (object.type === 'TemplateProcessing') return this.template(object);
    return this.supported(object, object.type, 'post-processor', ['ByteLevel']);
  }

  decoder(part: JsonValue): JsonValue {
    if (part === null) return null;
    const object = this.typed(part, 'decoder');
    if (object.type === 'Sequence') return this.sequence(object, 'decoders', (each) => this.decoder(each));
    if (object.type === 'Replace') return this.replace(object, object.content, false);
    return this.supported(object, object.type, 'decoder', [
      'ByteLevel',
      'ByteFallback',
      'Fuse',
      'Strip',
      'Metaspace',
      'WordPiece',
    ]);
  }

  private typed(part: JsonValue, what: string): JsonObject {
    if (!isJsonObject(part) || typeof part.type !== 'string') throw bad(this.file, `a ${what} of it has no type`);
    return part;
  }

  private supported(part: JsonValue, type: JsonValue | undefined, what: string, types: string[]): JsonValue {
    if (types.includes(String(type))) return part;
    throw new HopscopeError('UnsupportedTokenizer', `${this.file}: its ${what} ${JSON.stringify(type)} is not supported.`);
  }

  private sequence(part: JsonObject, key: string, check: (each: JsonValue) => JsonValue): JsonObject {
    const list = part[key];
    if (!Array.isArray(list)) throw bad(this.file, `a Sequence of it has no list ${key}`);
    return { type: 'Sequence', [key]: list.map(check) };
  }

  private replace(part: JsonObject, content: JsonValue | undefined, regexAllowed: boolean): JsonObject {
    const { Regex: regex } = this.pattern(part);
    if (typeof content !== 'string') throw bad(this.file, 'a Replace of it has no content');
    if (regex !== undefined && !regexAllowed)
      throw new HopscopeError(
        'UnsupportedRegex',
        `${this.file}: its decoder replaces by a regular expression, which is not supported.`,
      );
    // The library hands the content to String.replaceAll, where $ is special.
    return { type: 'Replace', pattern: part.pattern ?? null, content: content.replaceAll('$', '$$$$') };
  }

  private split(part: JsonObject, normalizer: JsonValue): JsonObject {
    const { String: literal } = this.pattern(part);
    const behavior = String(part.behavior);
    const invert = part.invert === true;
    // Not removed but kept by the library: what a pattern that is not inverted would remove.
    if ((behavior === 'Isolated' && !invert) || (behavior === 'Removed' && invert)) return part;
    // Gemma splits at spaces that its normalizer has already replaced: it never splits, and the behavior does not matter.
    const replacesSpaces =
      isJsonObject(normalizer) &&
      normalizer.type === 'Replace' &&
      isJsonObject(normalizer.pattern) &&
      normalizer.pattern.String === ' ';
    if (literal === ' ' && replacesSpaces) return { ...part, behavior: 'Isolated', invert: false };
    throw new HopscopeError(
      'UnsupportedTokenizer',
      `${this.file}: its Split with behavior ${behavior}${invert ? ', inverted,' : ''} is not supported.`,
    );
  }

  private pattern(part: JsonObject): { String?: string; Regex?: string } {
    const pattern = isJsonObject(part.pattern) ? part.pattern : {};
    if (typeof pattern.String === 'string' && pattern.String !== '') return { String: pattern.String };
    if (typeof pattern.Regex !== 'string') throw bad(this.file, `a ${part.type} of it has no pattern`);
    const longest = longestText(pattern.Regex);
    if (Number.isFinite(longest)) this.limits.push({ pattern: pattern.Regex, longest });
    return { Regex: pattern.Regex };
  }

  /** The library looks a template's tokens up by name; the original takes the listed ids: both must agree. */
  private template(part: JsonObject): JsonObject {
    const specials = isJsonObject(part.special_tokens) ? part.special_tokens : {};
    for (const list of [part.single, part.pair]) {
      if (!Array.isArray(list)) throw bad(this.file, 'its template has no list single or pair');
      for (const item of list) {
        const special = isJsonObject(item) ? item.SpecialToken : undefined;
        if (isJsonObject(special)) this.templateToken(special.id, specials);
        else if (!isJsonObject(item) || !isJsonObject(item.Sequence))
          throw bad(this.file, 'its template has an item that is neither a token nor a sequence');
      }
    }
    return part;
  }

  private templateToken(name: JsonValue | undefined, specials: JsonObject): void {
    const record = typeof name === 'string' && Object.hasOwn(specials, name) ? specials[name] : undefined;
    const ids = isJsonObject(record) ? record.ids : undefined;
    if (typeof name !== 'string' || !Array.isArray(ids))
      throw bad(this.file, `its template names the token ${JSON.stringify(name)} but does not describe it`);
    const id = this.vocabulary.get(name);
    if (id === undefined || ids.length !== 1 || ids[0] !== id) {
      throw bad(
        this.file,
        `its template gives the token ${JSON.stringify(name)} the ids ${JSON.stringify(ids)}; in the vocabulary it is ${id ?? 'not there'}`,
      );
    }
  }
}

/** All `type` names in a tree of components. */
export function typesIn(part: JsonValue | undefined): string[] {
  if (Array.isArray(part)) return part.flatMap(typesIn);
  if (!isJsonObject(part)) return [];
  return [...(typeof part.type === 'string' ? [part.type] : []), ...Object.values(part).flatMap(typesIn)];
}
