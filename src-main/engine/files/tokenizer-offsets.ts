/**
 * Finds which characters of a text each token stands for, in Unicode code points, by carrying every character's origin
 * through the normalization and then laying the tokens along the result. It computes no tokens itself.
 *
 * Conventions are those of the Rust library: a token that holds part of a character spans the whole character, what a
 * normalizer puts in front belongs to the first character, a composed character to the first of its parts.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './strict-json.ts';
import { typesIn } from './tokenizer-components.ts';
import type { TokenizerFile } from './tokenizer-file.ts';
import type { AddedToken } from './tokenizer-vocabulary.ts';

export type Offsets = [start: number, end: number];

/** A character after normalization and the range of the original's characters it comes from. */
interface Character {
  text: string;
  start: number;
  end: number;
}

/** A stretch of the text: an added token, or what lies between two. */
interface Section {
  added: AddedToken | undefined;
  characters: Character[];
}

export class OffsetFinder {
  private readonly file: TokenizerFile;
  private readonly addedByFirst = new Map<string, AddedToken[]>();
  private readonly trim: { addPrefixSpace: boolean } | undefined;

  constructor(file: TokenizerFile) {
    this.file = file;
    const cutFirst = file.addedTokens.filter(({ normalized }) => !normalized || file.normalizer === null);
    for (const token of cutFirst.toSorted((left, right) => right.content.length - left.content.length)) {
      const first = token.content.charAt(0);
      this.addedByFirst.set(first, [...(this.addedByFirst.get(first) ?? []), token]);
    }
    const trimming = findComponent(file.postProcessor, (part) => part.type === 'ByteLevel' && part.trim_offsets !== false);
    this.trim = trimming && { addPrefixSpace: trimming.add_prefix_space !== false };
  }

  /** The range of each of `tokens`, which are all tokens of `text` without special ones put around it. @throws HopscopeError `OffsetsUnknown` */
  find(text: string, tokens: readonly string[]): Offsets[] {
    const offsets: Offsets[] = [];
    for (const [index, section] of this.sections(text).entries()) {
      if (section.added !== undefined) offsets.push([section.characters[0]!.start, section.characters.at(-1)!.end]);
      else this.alongSection(this.preTokenized(this.normalized(section.characters), index), tokens, offsets);
    }
    if (offsets.length !== tokens.length) {
      throw new HopscopeError(
        'OffsetsUnknown',
        `${this.file.file}: token ${JSON.stringify(tokens[offsets.length])} was not found in its text.`,
        'failure',
      );
    }
    return this.trim === undefined ? offsets : offsets.map((range, index) => this.trimmed(range, tokens[index]!, index));
  }

  private sections(text: string): Section[] {
    const sections: Section[] = [];
    let between: Character[] = [];
    let position = 0;
    for (let index = 0; index < text.length; ) {
      const added = this.addedByFirst.get(text.charAt(index))?.find(({ content }) => text.startsWith(content, index));
      const length = added?.content.length ?? String.fromCodePoint(text.codePointAt(index)!).length;
      const characters = [...text.slice(index, index + length)].map((character, offset) => ({
        text: character,
        start: position + offset,
        end: position + offset + 1,
      }));
      position += characters.length;
      index += length;
      if (added === undefined) {
        between.push(characters[0]!);
      } else {
        sections.push({ added: undefined, characters: between }, { added, characters });
        between = [];
      }
    }
    sections.push({ added: undefined, characters: between });
    giveSpace(sections);
    return sections.filter(({ characters }) => characters.length > 0);
  }

  private normalized(characters: Character[], part: JsonValue = this.file.normalizer): Character[] {
    if (!isJsonObject(part) || characters.length === 0) return characters;
    switch (part.type) {
      case 'Sequence':
        return (part.normalizers as JsonValue[]).reduce((result: Character[], each) => this.normalized(result, each), characters);
      case 'Prepend':
        return [...prefix(String(part.prepend), characters), ...characters];
      case 'Replace':
        return replaced(characters, part);
      case 'Lowercase':
        return characters.flatMap(({ text, start, end }) =>
          [...text.toLowerCase()].map((lower) => ({ text: lower, start, end })),
        );
      default:
        return composed(characters, part.type as 'NFC' | 'NFD' | 'NFKC' | 'NFKD');
    }
  }

  /** What pre-tokenizers add to or change in the text, as far as tokens show it. */
  private preTokenized(characters: Character[], section: number): Character[] {
    const first = characters[0];
    if (first === undefined) return characters;
    const metaspace = findComponent(this.file.preTokenizer, ({ type }) => type === 'Metaspace');
    if (metaspace !== undefined) {
      const mark = typeof metaspace.replacement === 'string' ? metaspace.replacement : '\u2581';
      const marked = characters.map((character) => (character.text === ' ' ? { ...character, text: mark } : character));
      const scheme = metaspace.prepend_scheme ?? 'always';
      const wanted = scheme === 'always' || (scheme === 'first' && section === 0);
      return wanted && marked[0]!.text !== mark ? [...prefix(mark, marked), ...marked] : marked;
    }
    const spaced = findComponent(this.file.preTokenizer, (part) => part.type === 'ByteLevel' && part.add_prefix_space !== false);
    return spaced !== undefined && first.text !== ' ' ? [...prefix(' ', characters), ...characters] : characters;
  }

  /** Lays tokens along the bytes of a section, from the token that is next, until the section or the tokens end. */
  private alongSection(characters: Character[], tokens: readonly string[], offsets: Offsets[]): void {
    const bytes: number[] = [];
    const owners: Character[] = [];
    for (const character of characters) {
      for (const byte of encoder.encode(character.text)) {
        bytes.push(byte);
        owners.push(character);
      }
    }
    const isAt = (token: string, position: number): number | undefined =>
      this.surfaces(token).find((surface) => surface.every((byte, index) => bytes[position + index] === byte))?.length;
    let position = 0;
    while (position < bytes.length && offsets.length < tokens.length) {
      const token = tokens[offsets.length]!;
      let length = isAt(token, position);
      if (length === undefined && token === this.file.unknownToken) {
        const next = tokens[offsets.length + 1];
        length = 1;
        while (
          position + length < bytes.length &&
          (isContinuation(bytes[position + length]!) || (next !== undefined && isAt(next, position + length) === undefined))
        )
          length++;
      }
      if (length === undefined) {
        // White space that a pre-tokenizer dropped, or a character that the model knows no token for.
        position++;
        continue;
      }
      offsets.push([owners[position]!.start, owners[position + length - 1]!.end]);
      position += length;
    }
  }

  /** The bytes that a token may stand for, likeliest first. */
  private surfaces(token: string): number[][] {
    const literal = [...encoder.encode(token)];
    if (this.file.kind === 'byte-level') {
      const bytes = Array.from(token, (character) => byteOfCharacter.get(character));
      return bytes.includes(undefined) ? [literal] : [bytes as number[], literal];
    }
    const byte = this.file.byteFallback ? /^<0x([0-9A-F]{2})>$/.exec(token)?.[1] : undefined;
    return byte === undefined ? [literal] : [[Number.parseInt(byte, 16)], literal];
  }

  /** Leaves white space at a token's ends out of its range, as a ByteLevel post-processor with `trim_offsets` does. */
  private trimmed([start, end]: Offsets, token: string, index: number): Offsets {
    let leading = /^[\u0120\p{White_Space}]*/u.exec(token)![0].length;
    const trailing = /[\u0120\p{White_Space}]*$/u.exec(token)![0].length;
    if (leading > 0 && this.trim!.addPrefixSpace && (index === 0 || start === 0)) leading--;
    const newStart = Math.min(start + leading, end);
    return [newStart, trailing > 0 && end >= trailing ? Math.max(end - trailing, newStart) : end];
  }
}

const encoder = new TextEncoder();

/** GPT-2's characters for bytes: printable Latin-1 for itself, all other bytes in turn from U+0100 on. */
const byteOfCharacter = new Map<string, number>();
for (let byte = 0, next = 256; byte < 256; byte++) {
  const isItself = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  byteOfCharacter.set(String.fromCharCode(isItself ? byte : next++), byte);
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Added tokens with `lstrip` or `rstrip` take the white space beside them. */
function giveSpace(sections: Section[]): void {
  for (const [index, { added, characters }] of sections.entries()) {
    const before = sections[index - 1]?.characters ?? [];
    const after = sections[index + 1]?.characters ?? [];
    while (added?.lstrip && isSpace(before.at(-1))) characters.unshift(before.pop()!);
    while (added?.rstrip && isSpace(after[0])) characters.push(after.shift()!);
  }
}

function isSpace(character: Character | undefined): boolean {
  return character !== undefined && character.text.trim() === '';
}

function prefix(text: string, characters: readonly Character[]): Character[] {
  const { start, end } = characters[0]!;
  return Array.from(text, (character) => ({ text: character, start, end }));
}

function replaced(characters: Character[], { pattern, content }: JsonObject): Character[] {
  const { String: literal, Regex: regex } = pattern as JsonObject;
  const text = characters.map((character) => character.text).join('');
  const matches =
    literal === undefined ? [...text.matchAll(new RegExp(String(regex), 'gu'))] : literalMatches(text, String(literal));
  const at = unitIndex(characters);
  const result: Character[] = [];
  let done = 0;
  for (const match of matches) {
    const from = at[match.index]!;
    const to = at[match.index + match[0].length]!;
    result.push(...characters.slice(done, from));
    const start = characters[from]?.start ?? characters.at(-1)!.end;
    const end = to > from ? characters[to - 1]!.end : start;
    result.push(...Array.from(String(content), (character) => ({ text: character, start, end })));
    done = to;
  }
  return [...result, ...characters.slice(done)];
}

function literalMatches(text: string, literal: string): { index: number; 0: string }[] {
  const matches: { index: number; 0: string }[] = [];
  for (let index = text.indexOf(literal); index >= 0; index = text.indexOf(literal, index + literal.length))
    matches.push({ index, 0: literal });
  return matches;
}

/** For every UTF-16 index of the joined text the number of the character there. */
function unitIndex(characters: readonly Character[]): number[] {
  const at: number[] = [];
  for (const [index, { text }] of characters.entries()) for (let unit = 0; unit < text.length; unit++) at.push(index);
  at.push(characters.length);
  return at;
}

/** Unicode normalization, cluster by cluster: a base with its marks (and a Hangul syllable with its parts) never mixes with its neighbours. */
function composed(characters: Character[], form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Character[] {
  const text = characters.map((character) => character.text).join('');
  if (text.normalize(form) === text) return characters;
  const at = unitIndex(characters);
  return [...text.matchAll(/\P{M}[\p{M}\u1160-\u11ff]*|\p{M}+/gu)].flatMap((match) => {
    const old = characters.slice(at[match.index]!, at[match.index + match[0].length]!);
    const made = match[0].normalize(form);
    const oneByOne = old.flatMap(({ text: character, start, end }) =>
      Array.from(character.normalize(form), (part) => ({ text: part, start, end })),
    );
    if (oneByOne.map((character) => character.text).join('') === made) return oneByOne;
    // Characters were put together or reordered: the first one took in as many as are missing.
    const missing = old.length - [...made].length;
    return Array.from(made, (character, index) => {
      const { start, end } = old[index === 0 ? 0 : Math.max(index + missing, 0)]!;
      return { text: character, start, end };
    });
  });
}

function findComponent(part: JsonValue, wanted: (part: JsonObject) => boolean): JsonObject | undefined {
  if (typesIn(part).length === 0) return undefined;
  if (Array.isArray(part)) return part.map((each) => findComponent(each, wanted)).find((found) => found !== undefined);
  if (!isJsonObject(part)) return undefined;
  if (wanted(part)) return part;
  return findComponent(
    Object.values(part).filter((value) => typeof value === 'object'),
    wanted,
  );
}
