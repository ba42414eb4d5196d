import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInteger, isJsonObject, parseJson, readJson } from '../../../src-main/engine/files/strict-json.ts';
import { errorOf, temporaryFolder } from './scratch.ts';

const rules = { file: 'x.json' };
const bytes = (...codes: number[]): Uint8Array => Uint8Array.from(codes);

describe('strict JSON', () => {
  it.each([
    ...['0', '-0', '1', '-12', '1.5', '-0.25e-3', '1E5', '1e+2', '9007199254740991', '-9007199254740991', '0.1e1', '123456.789'],
    ...[
      'true',
      'false',
      'null',
      '""',
      '"a"',
      '"\\u0061\\n\\t\\b\\f\\r\\/\\\\\\""',
      '"\\ud83e\\udd8a"',
      '"🦊é日"',
      '"\\u0000"',
      '"\u007f"',
      '"\u2028"',
    ],
    ...[
      '[]',
      '{}',
      '[1,2,[3,[]]]',
      ' [ 1 , 2 ] ',
      '\t\r\n{ "a" : { "b" : [ null ] } }\n',
      '{"a":1,"b":2}',
      '{"":0}',
      '[[[[]]]]',
      '"\\uDBFF\\uDFFF"',
    ],
  ])('reads %s as JSON.parse does', (text) => {
    expect(JSON.stringify(parseJson(text, rules))).toBe(JSON.stringify(JSON.parse(text)));
    expect(JSON.stringify(parseJson(new TextEncoder().encode(text), rules))).toBe(JSON.stringify(JSON.parse(text)));
  });

  it.each([
    ...[
      '',
      ' ',
      '{',
      '[',
      '"',
      '"a',
      '[1',
      '[1,',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      ']',
      '}',
      ',',
      ':',
      '{}x',
      '{}{}',
      '[] []',
      '1 2',
    ],
    ...[
      '[1,]',
      '{"a":1,}',
      '[,1]',
      '[1,,2]',
      '{,}',
      "{'a':1}",
      '{a:1}',
      '{"a" 1}',
      '{"a":1 "b":2}',
      '[1 2]',
      '{1:2}',
      '{"a":1;"b":2}',
      '{"a"::1}',
    ],
    ...[
      '01',
      '-',
      '+1',
      '.5',
      '5.',
      '1e',
      '1e+',
      '0x10',
      '1_000',
      'NaN',
      'Infinity',
      '-Infinity',
      '1.e5',
      '--1',
      '1.2.3',
      '1e5.5',
      '00',
      '-01',
      '１',
    ],
    ...[
      'True',
      'tru',
      'nul',
      'nulll',
      'undefined',
      '// c\n1',
      '/* c */1',
      '# c',
      '\u00a01',
      '\u000b1',
      '\f1',
      '\ufeff1',
      '\u0000',
      '1\u0000',
    ],
    ...[
      '"\n"',
      '"\t"',
      '"\u0000"',
      '"\u001f"',
      '"\\x41"',
      '"\\a"',
      '"\\u12"',
      '"\\u12G4"',
      '"\\',
      '"\\"',
      '"\\u',
      "'a'",
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '"\ud800"',
    ],
    ...['1e999', '-1e999', '9007199254740992', '-9007199254740992', '18446744073709551614', '[9007199254740993]'],
    ...['{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"__proto__":1,"__proto__":2}', '{"a":{"b":1,"b":2}}', '[{"x":0,"y":1,"x":2}]'],
    ...['['.repeat(129) + ']'.repeat(129), '{"a":'.repeat(200), '['.repeat(100_000)],
  ])('refuses %j', (text) => {
    expect(errorOf(() => parseJson(text, rules))).toMatch(/^BadJson: x\.json, line \d+, column \d+: /);
  });

  it.each([
    ['a stray byte', bytes(0xff)],
    ['an overlong form', bytes(0x22, 0xc0, 0xaf, 0x22)],
    ['half a surrogate pair in UTF-8', bytes(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ['a cut character', bytes(0x22, 0xe6, 0x97, 0x22)],
    ['UTF-16', bytes(0xff, 0xfe, 0x7b, 0, 0x7d, 0)],
    ['a byte order mark', bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d)],
  ])('refuses %s', (_, source) => {
    expect(errorOf(() => parseJson(source, rules))).toMatch(/^BadJson: x\.json/);
  });

  it('allows 128 levels', () => {
    expect(() => parseJson('['.repeat(128) + ']'.repeat(128), rules)).not.toThrow();
  });

  it('names line and column', () => {
    expect(errorOf(() => parseJson('{\n  "a": 1,\n  "a": 2\n}', rules))).toBe(
      'BadJson: x.json, line 3, column 3: the key "a" occurs twice in one object.',
    );
    expect(errorOf(() => parseJson('{"é": tru}', rules))).toContain('line 1, column 7');
  });

  it('keeps special names as plain keys', () => {
    const value = parseJson('{"__proto__": {"polluted": 1}, "constructor": 2}', rules);
    expect(isJsonObject(value) && Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('takes integers by the rule asked for', () => {
    for (const text of ['2.0', '2e0', '[0.5]'])
      expect(errorOf(() => parseJson(text, { ...rules, integers: 'only' }))).toContain('as an integer');
    expect(parseJson('1000000000000000019884624838656', { ...rules, integers: 'rounded' })).toBe(1e30);
    expect([isInteger(3), isInteger(-1), isInteger(1.5), isInteger('3'), isInteger(undefined), isInteger(5, 0, 4)]).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it('agrees with JSON.parse on every JSON value, and survives any text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value, null, 1);
        expect(JSON.stringify(parseJson(text, { ...rules, integers: 'rounded' }))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[[\]{}",:\\ue0-9.+\- tfn]{0,30}$/), (text) => {
        let strict: string | undefined;
        try {
          strict = JSON.stringify(parseJson(text, rules));
        } catch {
          return;
        }
        expect(strict).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads files up to a size, and regular files only', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.json'), '{"a": [1]}');
    expect(JSON.stringify(readJson(join(folder, 'a.json'), { maximumBytes: 10 }))).toBe('{"a":[1]}');
    expect(errorOf(() => readJson(join(folder, 'a.json'), { maximumBytes: 9 }))).toContain('has 10 bytes');
    mkdirSync(join(folder, 'b.json'));
    expect(errorOf(() => readJson(join(folder, 'b.json'), { maximumBytes: 9 }))).toContain('not a regular file');
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [join(folder, 'c.json')]);
      expect(errorOf(() => readJson(join(folder, 'c.json'), { maximumBytes: 9 }))).toContain('not a regular file');
    }
  });
});
