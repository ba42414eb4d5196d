/**
 * Decides which regular expressions of a tokenizer.json may run, and on how long a text, so that none can hang the program.
 * It runs none of them: the bound comes from the pattern's form.
 *
 * A backtracking matcher tries, from each of n starting places, at most `factor x n^degree` ways through a pattern without
 * nested repetition, `degree` being the number of unbounded repetitions in a row and `factor` the product of the bounded
 * ones' choices. Patterns with nested repetition, back references or look-behind are refused; so are possessive and atomic
 * forms, which JavaScript does not have and which would run as something else.
 */
import { HopscopeError } from '../../shared/errors.ts';

/** GPT-2's pattern, also what a ByteLevel pre-tokenizer with `use_regex` stands for. */
export const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const wordsAndSpaces = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** Patterns of known model families. On these each starting place is left in linear time: the alternative that needs a look back is followed by one that takes the whole run. */
const knownPatterns = new Set([
  gpt2Pattern,
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  // Llama 3, OLMo 2
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|${wordsAndSpaces}`,
  // Qwen 2, Qwen 3
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|${wordsAndSpaces}`,
]);

const maximumPatternLength = 1000;
const maximumBoundedRepeats = 100;
const maximumDegree = 2;
const maximumFactor = 1000;
/** Steps that one text may cost: some tenths of a second at 20 ns a step. */
const maximumSteps = 1e7;

/**
 * The longest text, in UTF-16 units, that a pattern may be run on.
 * @throws HopscopeError `UnsupportedRegex` naming the pattern and what in it is refused
 */
export function longestText(pattern: string): number {
  if (knownPatterns.has(pattern)) return Number.POSITIVE_INFINITY;
  if (pattern.length > maximumPatternLength) throw unsupported(pattern, `it has ${pattern.length} characters`);
  const { degree, factor } = new PatternReader(pattern).read();
  if (degree > maximumDegree) throw unsupported(pattern, `it has ${degree} unbounded repetitions in a row`);
  if (factor > maximumFactor) throw unsupported(pattern, 'it has too many optional parts');
  return Math.floor((maximumSteps / factor) ** (1 / (degree + 1)));
}

interface Cost {
  degree: number;
  factor: number;
}

/** A recursive descent over the accepted subset of Oniguruma's syntax. */
class PatternReader {
  private readonly pattern: string;
  private position = 0;

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  read(): Cost {
    if (this.pattern === '') throw unsupported(this.pattern, 'it is empty');
    const cost = this.alternatives();
    if (this.position < this.pattern.length) throw unsupported(this.pattern, 'it has a ")" too many');
    return cost;
  }

  private alternatives(): Cost {
    const cost = this.sequence();
    while (this.take('|')) {
      const other = this.sequence();
      cost.degree = Math.max(cost.degree, other.degree);
      cost.factor += other.factor;
    }
    return cost;
  }

  private sequence(): Cost {
    const cost = { degree: 0, factor: 1 };
    while (this.position < this.pattern.length && !'|)'.includes(this.pattern[this.position]!)) {
      const part = this.repeated();
      cost.degree += part.degree;
      cost.factor *= part.factor;
    }
    return cost;
  }

  private repeated(): Cost {
    const isGroup = this.pattern[this.position] === '(';
    const cost = this.atom();
    const quantifier = this.match(/[?*+]|\{(\d*)(,?)(\d*)\}/y);
    if (quantifier === null) return cost;
    const least = quantifier[0] === '+' ? 1 : Number(quantifier[1] ?? 0);
    const most =
      quantifier[0] === '?'
        ? 1
        : quantifier[1] !== undefined && (quantifier[3] || !quantifier[2])
          ? Number(quantifier[3] || least)
          : undefined;
    this.take('?');
    if (this.match(/[?*+{]/y) !== null) throw unsupported(this.pattern, 'it has a possessive or doubled repetition');
    if (isGroup && most !== 1) throw unsupported(this.pattern, 'it repeats a group');
    if (Math.max(least, most ?? 0) > maximumBoundedRepeats)
      throw unsupported(this.pattern, `it repeats more than ${maximumBoundedRepeats} times`);
    if (most === undefined) return { degree: cost.degree + 1, factor: cost.factor };
    return { degree: cost.degree, factor: cost.factor * Math.max(1, most - least + 1) };
  }

  private atom(): Cost {
    const single = { degree: 0, factor: 1 };
    if (this.take('(')) {
      if (this.pattern[this.position] === '?' && this.match(/\?(?::|i:|=|!)/y) === null) {
        throw unsupported(this.pattern, 'it has a look-behind, an atomic group or another special group');
      }
      const cost = this.alternatives();
      if (!this.take(')')) throw unsupported(this.pattern, 'it lacks a ")"');
      return cost;
    }
    if (this.take('[')) {
      this.match(/\^?\]?/y);
      while (!this.take(']')) {
        if (this.match(/&&|\[/y) !== null) throw unsupported(this.pattern, 'it has a nested character class');
        this.character('a character class');
      }
      return single;
    }
    if (this.match(/[*+?{}]/y) !== null) throw unsupported(this.pattern, 'it repeats nothing');
    this.character('the pattern');
    return single;
  }

  /** One plain character or one escape that means the same to Oniguruma and to JavaScript. */
  private character(where: string): void {
    if (this.position >= this.pattern.length) throw unsupported(this.pattern, `${where} ends too early`);
    if (!this.take('\\')) {
      this.position += String.fromCodePoint(this.pattern.codePointAt(this.position)!).length;
    } else if (this.match(/[sSdDwWbBrntfv]|[pP]\{\^?[A-Za-z_]+\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^A-Za-z0-9]/y) === null) {
      throw unsupported(this.pattern, `it has the escape \\${this.pattern[this.position] ?? ''}`);
    }
  }

  private take(character: string): boolean {
    if (this.pattern[this.position] !== character) return false;
    this.position++;
    return true;
  }

  private match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.position;
    const found = expression.exec(this.pattern);
    if (found !== null) this.position += found[0].length;
    return found;
  }
}

function unsupported(pattern: string, why: string): HopscopeError {
  const shown = JSON.stringify(pattern.slice(0, 120));
  return new HopscopeError(
    'UnsupportedRegex',
    `The tokenizer's regular expression ${shown} is refused: ${why}. It could take unbounded time or mean something else here.`,
  );
}
