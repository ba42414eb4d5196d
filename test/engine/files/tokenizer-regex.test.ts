import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src-main/engine/files/tokenizer.ts';
import { gpt2Pattern, longestText } from '../../../src-main/engine/files/tokenizer-regex.ts';
import { HopscopeError } from '../../../src-main/shared/errors.ts';
import { cpuSeconds, errorOf, temporaryFolder } from './scratch.ts';

const refused = [
  ...[
    '(a+)+$',
    '(a|aa)+$',
    '(\\w+\\s?)*$',
    '(?:(?:a{1,1000}){1,1000}){1,1000}',
    '(a*)*',
    '(a|a)*b',
    '(.*)*x',
    '((a+)+)+',
    '(a|b|ab)*c',
    '(?:a?)+b',
    '(x+x+)+y',
  ],
  ...[
    '(\\s*\\S+)*$',
    '([a-z]+)*!',
    '(?:\\p{L}+)+!',
    '(a+){2,}',
    '(a{1,5}){5}',
    'a++',
    'a*+',
    'a?+',
    'a{2}+',
    '(?>a+)b',
    '(?<=a+)b',
    '(?<!a)b',
    '(a)\\1',
    '(?<n>a)\\k<n>',
  ],
  ...[
    'a*a*a*b',
    '\\s+\\s+\\s+x',
    '.*.*.*.*y',
    'a{1,1000}',
    'a{1000000}',
    'a{50}{50}',
    'a?'.repeat(20),
    '[a&&b]',
    '[[a]b]',
    '(?i)a',
    '(?#x)a',
    '\\Aa',
    'a\\z',
    '\\Ga',
    '\\Xa',
    '\\R+',
  ],
  ...['a**', 'a+*', '*a', '+', '?', '{2}', '(', ')', 'a)', '(a', '[', '[a', 'a\\', '', 'x'.repeat(1001), '('.repeat(500)],
];
const bounded = [
  ' {2,}',
  'a*a*b',
  '\\p{L}+|\\p{N}+',
  "(?i:'s|'t)?\\p{L}+",
  '\\d{1,3}(?=\\d)',
  '[^\\r\\n]+x',
  'a+b',
  '\\s+$',
  '\\s+(?!\\S)|\\s',
  '(?:a|b)c*',
  '.*=.*',
  'a{1,50}b{1,10}c',
];

/** Texts on which a pattern with a hidden blow-up would show it. */
function provoking(length: number): string[] {
  return ['a', ' ', '1', 'x', 'ab', 'a ', '=', '\n'].map((unit) => `${unit.repeat(Math.floor((length - 1) / unit.length))}!`);
}

function withPattern(pattern: string, place: 'normalizer' | 'pre_tokenizer'): Tokenizer {
  const folder = temporaryFolder();
  const part =
    place === 'normalizer'
      ? { type: 'Replace', pattern: { Regex: pattern }, content: 'b' }
      : { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
  const model = { type: 'WordLevel', vocab: { '[UNK]': 0, b: 1 }, unk_token: '[UNK]' };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify({ version: '1.0', [place]: part, model }));
  return Tokenizer.open(folder);
}

describe('regular expressions of tokenizers', () => {
  it.each(refused)('refuses %j at once', (pattern) => {
    const seconds = cpuSeconds(() => {
      expect(errorOf(() => longestText(pattern))).toMatch(/^UnsupportedRegex: /);
    });
    expect(seconds).toBeLessThan(1);
  });

  it.each(refused.slice(0, 45))('no tokenizer with %j opens', (pattern) => {
    for (const place of ['normalizer', 'pre_tokenizer'] as const)
      expect(errorOf(() => withPattern(pattern, place))).toMatch(/^(UnsupportedRegex|BadTokenizer): /);
  });

  it.each(bounded)('runs %j on texts up to a length, in bounded time', (pattern) => {
    const longest = longestText(pattern);
    expect(longest).toBeGreaterThan(100);
    for (const place of ['normalizer', 'pre_tokenizer'] as const) {
      const tokenizer = withPattern(pattern, place);
      const seconds = cpuSeconds(() => {
        for (const text of provoking(Math.min(longest, 100_000))) tokenizer.encode(text);
      });
      expect(seconds).toBeLessThan(8 * 2);
      if (longest < 1 << 20)
        expect(errorOf(() => tokenizer.encode('a'.repeat(longest + 1)))).toMatch(/^TokenizerTooSlow: .*could take too long/);
    }
  });

  it('runs the patterns of known families on any text', () => {
    expect(longestText(gpt2Pattern)).toBe(Number.POSITIVE_INFINITY);
    const tokenizer = withPattern(gpt2Pattern, 'pre_tokenizer');
    for (const text of provoking(200_000)) expect(cpuSeconds(() => tokenizer.encode(text))).toBeLessThan(5);
  });

  it('throws errors a user can read', () => {
    try {
      longestText('(a+)+$');
    } catch (error) {
      expect(error).toBeInstanceOf(HopscopeError);
      expect((error as HopscopeError).message).toContain('"(a+)+$" is refused: it repeats a group');
    }
  });
});
