/**
 * The one reader for JSON that comes from outside: RFC 8259 read strictly, so that two readers cannot disagree about a file.
 * It is not a schema checker: what the values mean is checked by whoever asked for the file.
 *
 * Stricter than `JSON.parse`: bytes must be well-formed UTF-8 without a byte order mark, nesting is limited, a key may occur
 * once in an object (compared after unescaping), integers must be exact, strings may not hold half a surrogate pair. Objects
 * have no prototype, so `__proto__` and `constructor` are keys like others.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { HopscopeError } from '../../shared/errors.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

export interface JsonRules {
  /** What error messages call the source: a path or a name. */
  file: string;
  /**
   * `exact` (default): a number written as an integer must be at most 2^53 - 1 in magnitude. `only`: also no fraction and
   * no exponent anywhere. `rounded`: as JSON.parse, for files whose large integers stand for "no limit".
   */
  integers?: 'exact' | 'only' | 'rounded';
  /** Deepest nesting of arrays and objects, 128 by default. */
  maximumDepth?: number;
}

/** Parses bytes or text. @throws HopscopeError `BadJson` with file, line and column. */
export function parseJson(source: Uint8Array | string, rules: JsonRules): JsonValue {
  return new StrictParser(typeof source === 'string' ? source : decodeUtf8(source, rules.file), rules).parseDocument();
}

/** Reads and parses a file of at most `maximumBytes`. @throws HopscopeError `BadJson`, or the file system's own error. */
export function readJson(path: string, rules: Partial<JsonRules> & { maximumBytes: number }): JsonValue {
  const file = rules.file ?? path;
  return parseJson(readSmallFile(path, rules.maximumBytes, file), { ...rules, file });
}

/** Whether a value is a JSON object (not null, not an array). */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is an exact integer in [minimum, maximum]. */
export function isInteger(value: JsonValue | undefined, minimum = 0, maximum = Number.MAX_SAFE_INTEGER): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum;
}

/** Matches half a surrogate pair: with the `u` flag whole pairs are one character. */
export const loneSurrogate = /\p{Surrogate}/u;

/** The bytes of a regular file, refused before reading when it is too large. */
function readSmallFile(path: string, maximumBytes: number, file: string): Uint8Array {
  // Without O_NONBLOCK opening a FIFO would wait for a writer for ever.
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new HopscopeError('BadJson', `${file} is not a regular file.`);
    if (status.size > maximumBytes) {
      throw new HopscopeError(
        'BadJson',
        `${file} has ${status.size} bytes; at most ${maximumBytes} are read for this kind of file.`,
      );
    }
    const bytes = new Uint8Array(status.size);
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(descriptor, bytes, filled, bytes.length - filled, filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(descriptor);
  }
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new HopscopeError('BadJson', `${file} is not valid UTF-8 text. Save it as UTF-8 without a byte order mark.`);
  }
}

const numberPattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const hexPattern = /[0-9A-Fa-f]{4}/y;
const simpleEscapes: Record<string, string> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const quote = 0x22;
const backslash = 0x5c;

/** One pass over the text; `position` is the index of the next UTF-16 unit. */
class StrictParser {
  private position = 0;
  private depth = 0;
  private readonly text: string;
  private readonly rules: JsonRules;
  private readonly maximumDepth: number;

  constructor(text: string, rules: JsonRules) {
    this.text = text;
    this.rules = rules;
    this.maximumDepth = rules.maximumDepth ?? 128;
  }

  parseDocument(): JsonValue {
    if (this.text.charCodeAt(0) === 0xfeff) this.fail('the file begins with a byte order mark; save it without one');
    if (loneSurrogate.test(this.text)) this.fail('the text holds half a surrogate pair');
    this.skipSpace();
    const value = this.parseValue();
    this.skipSpace();
    if (this.position < this.text.length) this.fail(`unexpected ${this.here()} after the end of the value`);
    return value;
  }

  private parseValue(): JsonValue {
    switch (this.text.charCodeAt(this.position)) {
      case 0x7b:
        return this.parseObject();
      case 0x5b:
        return this.parseArray();
      case quote:
        return this.parseString();
      case 0x74:
        return this.parseWord('true', true);
      case 0x66:
        return this.parseWord('false', false);
      case 0x6e:
        return this.parseWord('null', null);
      default:
        return this.parseNumber();
    }
  }

  private parseObject(): JsonObject {
    const object: JsonObject = Object.create(null);
    this.enter();
    if (this.next() === 0x7d) return this.leave(object);
    for (;;) {
      if (this.text.charCodeAt(this.position) !== quote) this.fail(`expected a key in double quotes, found ${this.here()}`);
      const start = this.position;
      const key = this.parseString();
      if (key in object) this.fail(`the key ${JSON.stringify(key).slice(0, 80)} occurs twice in one object`, start);
      if (this.next() !== 0x3a) this.fail(`expected ":" after a key, found ${this.here()}`);
      this.position++;
      this.skipSpace();
      object[key] = this.parseValue();
      const code = this.next();
      if (code === 0x7d) return this.leave(object);
      if (code !== 0x2c) this.fail(`expected "," or "}", found ${this.here()}`);
      this.position++;
      this.skipSpace();
    }
  }

  private parseArray(): JsonValue[] {
    const array: JsonValue[] = [];
    this.enter();
    if (this.next() === 0x5d) return this.leave(array);
    for (;;) {
      array.push(this.parseValue());
      const code = this.next();
      if (code === 0x5d) return this.leave(array);
      if (code !== 0x2c) this.fail(`expected "," or "]", found ${this.here()}`);
      this.position++;
      this.skipSpace();
    }
  }

  private enter(): void {
    if (++this.depth > this.maximumDepth) this.fail(`nested deeper than ${this.maximumDepth} levels`);
    this.position++;
  }

  private leave<T>(value: T): T {
    this.depth--;
    this.position++;
    return value;
  }

  private parseString(): string {
    const { text } = this;
    const opening = this.position;
    let start = opening + 1;
    let result = '';
    let escaped = false;
    for (let index = start; ; index++) {
      const code = text.charCodeAt(index);
      if (code === quote) {
        this.position = index + 1;
        if (!escaped) return text.slice(start, index);
        result += text.slice(start, index);
        if (loneSurrogate.test(result)) this.fail('a string holds half a surrogate pair', opening);
        return result;
      }
      if (code === backslash) {
        escaped = true;
        result += text.slice(start, index);
        this.position = index + 1;
        result += this.parseEscape();
        start = this.position;
        index = start - 1;
      } else if (Number.isNaN(code)) {
        this.fail('the file ends inside a string', opening);
      } else if (code < 0x20) {
        this.fail('a string holds a control character that must be escaped', index);
      }
    }
  }

  private parseEscape(): string {
    const letter = this.text[this.position] ?? '';
    if (letter === 'u') {
      hexPattern.lastIndex = this.position + 1;
      const digits = hexPattern.exec(this.text)?.[0];
      if (digits === undefined) this.fail('expected four hexadecimal digits after \\u');
      this.position += 5;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(simpleEscapes, letter) ? simpleEscapes[letter] : undefined;
    if (character === undefined) this.fail(`unknown escape \\${letter}`);
    this.position++;
    return character;
  }

  private parseNumber(): number {
    numberPattern.lastIndex = this.position;
    const match = numberPattern.exec(this.text);
    if (match === null) this.fail(`expected a value, found ${this.here()}`);
    const value = Number(match[0]);
    const written = match[0].length > 40 ? `${match[0].slice(0, 40)}...` : match[0];
    if (!Number.isFinite(value)) this.fail(`the number ${written} is too large`);
    const integers = this.rules.integers ?? 'exact';
    const isWrittenAsInteger = match[1] === undefined && match[2] === undefined;
    if (integers === 'only' && !isWrittenAsInteger) this.fail(`${written} must be written as an integer`);
    if (integers !== 'rounded' && isWrittenAsInteger && !Number.isSafeInteger(value)) {
      this.fail(`the integer ${written} is larger than 2^53 - 1 and cannot be read exactly`);
    }
    this.position += match[0].length;
    return value;
  }

  private parseWord<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.position)) this.fail(`expected a value, found ${this.here()}`);
    this.position += word.length;
    return value;
  }

  /** Skips white space and returns the code of what follows (NaN at the end). */
  private next(): number {
    this.skipSpace();
    return this.text.charCodeAt(this.position);
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.position++;
    }
  }

  private here(): string {
    const point = this.text.codePointAt(this.position);
    if (point === undefined) return 'the end of the file';
    return point < 0x20 || point > 0x7e
      ? `U+${point.toString(16).toUpperCase().padStart(4, '0')}`
      : `"${String.fromCodePoint(point)}"`;
  }

  private fail(what: string, position = this.position): never {
    const before = this.text.slice(0, position);
    const line = before.split('\n').length;
    const column = position - before.lastIndexOf('\n');
    throw new HopscopeError('BadJson', `${this.rules.file}, line ${line}, column ${column}: ${what}.`);
  }
}
