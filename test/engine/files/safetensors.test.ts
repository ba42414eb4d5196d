import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readHeader, SafetensorsFile, writeSafetensors } from '../../../src-main/engine/files/safetensors.ts';
import { type ElementType, elementCount, floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';
import { cpuSeconds, errorOf, fixtures, temporaryFolder } from './scratch.ts';

/** A file's bytes from a header and the number of data bytes. `claimed` overrides the header's length. */
function build(header: string | Uint8Array, dataBytes: number, claimed?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function verdict(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'a.safetensors');
  writeFileSync(path, bytes);
  try {
    readHeader(path);
    return 'accepted';
  } catch (error) {
    return errorOf(() => {
      throw error;
    });
  }
}

/** One tensor of 16 bytes with parts of its description replaced. */
function one(fields: Record<string, unknown>, dataBytes = 16): Uint8Array {
  return build(JSON.stringify({ a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16], ...fields } }), dataBytes);
}

/** One tensor from the text of its shape and offsets, for numbers that JSON.stringify would change. */
function raw(shape: string, offsets = '[0,16]', dataBytes = 16): Uint8Array {
  return build(`{"a":{"dtype":"F32","shape":${shape},"data_offsets":${offsets}}}`, dataBytes);
}

function many(...tensors: [string, string, number[], [number, number]][]): string {
  return `{${tensors.map(([name, dtype, shape, range]) => `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: range })}`).join(',')}}`;
}

const good = many(['a', 'F32', [2], [0, 8]], ['b', 'F32', [2], [8, 16]]);
const entry = '{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}';

describe('malformed safetensors files', () => {
  it.each<[string, Uint8Array]>([
    // length
    ['empty file', new Uint8Array(0)],
    ['7 bytes', new Uint8Array(7)],
    ['length 0', new Uint8Array(8)],
    ['length beyond the file', build('{}', 0, 3n)],
    ['length 100 000 000 on a short file', build('{}', 0, 100_000_000n)],
    ['length 100 000 001', build('{}', 0, 100_000_001n)],
    ['length 2^32', build('{}', 0, 2n ** 32n)],
    ['length 2^63', build('{}', 0, 2n ** 63n)],
    ['length 2^64 - 1', build('{}', 0, 2n ** 64n - 1n)],
    ['length big-endian', build('{}', 0, 2n << 56n)],
    ['length one short', build(good, 16, BigInt(good.length - 1))],
    ['length one long', build(good, 16, BigInt(good.length + 1))],
    // text
    ['byte 0xFF', build(Uint8Array.of(0xff), 0)],
    ['overlong UTF-8', build(Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d), 0)],
    ['UTF-16', build(Uint8Array.of(0x7b, 0, 0x7d, 0), 0)],
    ['byte order mark', build('\ufeff{}', 0)],
    ...['{', '[]', 'null', '"x"', '{}x', '{}{}', '{"a":1,}', '{}//', '{}\0\0'].map((text): [string, Uint8Array] => [
      `header ${text}`,
      build(text, 0),
    ]),
    ['200 levels', build(`{"__metadata__":${'['.repeat(200)}${']'.repeat(200)}}`, 0)],
    ['100 000 levels', build('['.repeat(100_000), 0)],
    // duplicates
    ['field twice', build('{"a":{"dtype":"F32","dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}', 16)],
    ['metadata twice', build('{"__metadata__":{},"__metadata__":{}}', 0)],
    ['tensor twice, same range', build(`{"a":${entry},"a":${entry}}`, 16)],
    ['tensor twice by an escape', build(`{"a":${entry},"\\u0061":${entry}}`, 16)],
    ['metadata key twice', build('{"__metadata__":{"x":"1","x":"1"}}', 0)],
    [
      'tensor twice, other range',
      build('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2),
    ],
    // metadata
    ...['{"x":1}', '{"x":{}}', '[]', '"x"', '3', entry].map((text): [string, Uint8Array] => [
      `metadata ${text}`,
      build(`{"__metadata__":${text}}`, 0),
    ]),
    // names
    ['empty name', build(many(['', 'U8', [1], [0, 1]]), 1)],
    ['name with NUL', build(many(['a\0b', 'U8', [1], [0, 1]]), 1)],
    ['name with newline', build(many(['a\nb', 'U8', [1], [0, 1]]), 1)],
    ['name with half a surrogate pair', build('{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1)],
    // fields
    ...['dtype', 'shape', 'data_offsets'].map((field): [string, Uint8Array] => [`no ${field}`, one({ [field]: undefined })]),
    ['tensor null', build('{"a":null}', 0)],
    ['tensor as array', build('{"a":["F32",[2,2],[0,16]]}', 16)],
    ...['F33', 'f32', 32, null, '__proto__', 'constructor', ''].map((dtype): [string, Uint8Array] => [
      `dtype ${dtype}`,
      one({ dtype }),
    ]),
    // shape
    ...[
      '4',
      '[-2,-2]',
      '[2.0,2]',
      '[2e0,2]',
      '["2",2]',
      '[null]',
      '[true]',
      '{}',
      '[18446744073709551616]',
      '[2,18446744073709551614]',
      '[2,9223372036854775807]',
      '[4611686018427387904,8,0]',
      '[9007199254740993,0]',
      '[9007199254740991,9007199254740991]',
    ].map((shape): [string, Uint8Array] => [`shape ${shape}`, raw(shape)]),
    ['shape that overflows and then is zero', raw('[4503599627370496,4503599627370496,0]', '[0,0]', 0)],
    ['rank 10 000', raw(`[${Array(10_000).fill(1)}]`, '[0,4]', 4)],
    // offsets
    ...[
      '[0]',
      '[0,8,16]',
      '[-16,0]',
      '[0.0,16.0]',
      '["0","16"]',
      '[16,0]',
      '[0,17]',
      '[0,15]',
      '[1,17]',
      '[8,24]',
      '[18446744073709551600,18446744073709551615]',
      '[0,9007199254740991]',
      '{}',
      'null',
    ].map((offsets): [string, Uint8Array] => [`offsets ${offsets}`, raw('[2,2]', offsets)]),
    ['data past the end', raw('[2,2]', '[0,16]', 15)],
    [
      'same range ten times',
      build(
        many(...Array.from({ length: 10 }, (_, i): [string, string, number[], [number, number]] => [`t${i}`, 'U8', [4], [0, 4]])),
        4,
      ),
    ],
    ['partial overlap', build(many(['a', 'U8', [4], [0, 4]], ['b', 'U8', [4], [3, 7]]), 7)],
    ['hole at the start', build(many(['a', 'U8', [4], [1, 5]]), 5)],
    ['hole between', build(many(['a', 'U8', [1], [0, 1]], ['b', 'U8', [1], [2, 3]]), 3)],
    ['empty tensor elsewhere', build(many(['a', 'U8', [2], [0, 2]], ['b', 'U8', [0], [1, 1]]), 2)],
    ['bytes at the end', build(good, 17)],
    ['2 bytes missing', build(good, 14)],
    ['{} and a byte', build('{}', 1)],
    ['half bytes', build(many(['a', 'F4', [3], [0, 1]]), 1)],
  ])('refuses: %s', (_, bytes) => {
    expect(verdict(bytes)).toMatch(/^BadSafetensors: .*a\.safetensors.{5,}/);
  });

  it.each<[string, Uint8Array]>([
    ['no tensor', build('{}', 0)],
    ['white space around', build(` \n{} \t\n`, 0)],
    ['metadata null', build('{"__metadata__":null}', 0)],
    ['metadata', build('{"__metadata__":{"format":"pt","__proto__":"x"}}', 0)],
    ...['__proto__', 'constructor', '../../x', 'a b', 'ä🦊'].map((name): [string, Uint8Array] => [
      `name ${name}`,
      build(many([name, 'U8', [1], [0, 1]]), 1),
    ]),
    ['extra field', one({ note: 1 })],
    ['scalar', raw('[]', '[0,4]', 4)],
    ['no elements', raw('[2,0]', '[0,0]', 0)],
    ['unsorted names', build(many(['z', 'U8', [1], [0, 1]], ['a', 'U8', [1], [1, 2]]), 2)],
    [
      'all types',
      build(
        many(
          ...(['BOOL', 'U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0'] as const).map(
            (dtype, i): [string, string, number[], [number, number]] => [dtype, dtype, [1], [i, i + 1]],
          ),
          ['C64', 'C64', [1], [6, 14]],
          ['F4', 'F4', [2], [14, 15]],
        ),
        15,
      ),
    ],
  ])('accepts: %s', (_, bytes) => {
    expect(verdict(bytes)).toBe('accepted');
  });

  it('refuses 30 000 tensors on one range quickly', () => {
    const tensors = Array.from({ length: 30_000 }, (_, i): [string, string, number[], [number, number]] => [
      `t${i}`,
      'U8',
      [4],
      [0, 4],
    ]);
    const bytes = build(many(...tensors), 4);
    expect(cpuSeconds(() => expect(verdict(bytes)).toContain('overlaps'))).toBeLessThan(5);
  });

  it('names every truncation and survives every bit flip of the header and random damage', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.safetensors');
    writeSafetensors(
      path,
      new Map([
        ['w', floatTensor([3, 2], Float32Array.of(1, 2, 3, 4, 5, 6))],
        ['b', floatTensor([2])],
      ]),
      { note: 'é' },
    );
    const whole = new Uint8Array(readFileSync(path));
    const outcome = (bytes: Uint8Array): string => {
      writeFileSync(path, bytes);
      try {
        const file = SafetensorsFile.open(path);
        for (const [name, { type }] of file.tensors) if (type !== undefined) file.read(name);
        file.close();
        return 'accepted';
      } catch (error) {
        return errorOf(() => {
          throw error;
        });
      }
    };
    for (let length = 0; length < whole.length; length++) expect(outcome(whole.subarray(0, length))).toMatch(/^BadSafetensors: /);
    const named = (text: string): void => {
      if (text !== 'accepted' && !text.startsWith('BadSafetensors: ')) throw new Error(text);
    };
    const headerEnd = whole.length - 32;
    for (let index = 0; index < headerEnd; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = whole.slice();
        damaged[index]! ^= 1 << bit;
        named(outcome(damaged));
      }
    }
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(headerEnd - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const damaged = whole.slice();
        for (const [index, value] of changes) damaged[index] = value;
        named(outcome(damaged));
      }),
      { numRuns: 400 },
    );
  });

  it('warns of unknown fields, and names unsupported types only when they are read', () => {
    const path = join(temporaryFolder(), 'a.safetensors');
    writeFileSync(
      path,
      build(many(['x', 'F64', [1], [0, 8]], ['y', 'F32', [1], [8, 12]]).replace('{"dtype"', '{"note":1,"dtype"'), 12),
    );
    const file = SafetensorsFile.open(path);
    expect(file.header.warnings).toEqual([expect.stringContaining('unknown field "note"')]);
    expect(file.read('y').data).toEqual(Float32Array.of(0));
    expect(errorOf(() => file.read('x'))).toMatch(/^UnsupportedDtype: .*"x" is F64/);
    expect(errorOf(() => file.read('z'))).toMatch(/^MissingTensor: .*"z"/);
    expect(errorOf(() => file.readInto('y', new Uint8Array(3)))).toMatch(/^WrongShape: .*4 bytes, not 3/);
    file.close();
    file.close();
    expect(errorOf(() => file.read('y'))).toContain('is closed');
  });
});

describe('files that are none, or change', () => {
  it('refuses folders, FIFOs, links where none may be, and missing files', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder.safetensors'));
    expect(errorOf(() => readHeader(join(folder, 'folder.safetensors')))).toMatch(/^(BadSafetensors|CannotRead): /);
    expect(errorOf(() => readHeader(join(folder, 'none.safetensors')))).toMatch(/^CannotRead: /);
    if (process.platform === 'win32') return;
    execFileSync('mkfifo', [join(folder, 'fifo.safetensors')]);
    expect(errorOf(() => readHeader(join(folder, 'fifo.safetensors')))).toMatch(/^BadSafetensors: .*regular file/);
    writeFileSync(join(folder, 'real.safetensors'), build(good, 16));
    symlinkSync('real.safetensors', join(folder, 'link.safetensors'));
    SafetensorsFile.open(join(folder, 'link.safetensors')).close();
    expect(errorOf(() => SafetensorsFile.open(join(folder, 'link.safetensors'), { followLinks: false }))).toMatch(
      /^CannotRead: /,
    );
  });

  it('notices a file that grew or shrank after it was opened', () => {
    const path = join(temporaryFolder(), 'a.safetensors');
    writeFileSync(path, build(good, 16));
    const file = SafetensorsFile.open(path);
    appendFileSync(path, 'x');
    expect(errorOf(() => file.read('a'))).toMatch(/^BadSafetensors: .*changed/);
    truncateSync(path, 60);
    expect(errorOf(() => file.read('a'))).toMatch(/^BadSafetensors: .*changed/);
    file.close();
  });
});

describe('writing safetensors', () => {
  const makers: Record<ElementType, (count: number, fill: (index: number) => number) => Tensor['data']> = {
    float32: (count, fill) => Float32Array.from({ length: count }, (_, index) => fill(index) / 3),
    float16: (count, fill) => Uint16Array.from({ length: count }, (_, index) => fill(index)),
    bfloat16: (count, fill) => Uint16Array.from({ length: count }, (_, index) => fill(index)),
    int64: (count, fill) => BigInt64Array.from({ length: count }, (_, index) => -BigInt(fill(index)) * 2n ** 40n),
    int32: (count, fill) => Int32Array.from({ length: count }, (_, index) => -fill(index)),
    uint8: (count, fill) => Uint8Array.from({ length: count }, (_, index) => fill(index)),
    bool: (count, fill) => Uint8Array.from({ length: count }, (_, index) => fill(index) % 2),
  };
  const name = fc
    .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
    .filter((text) => !/\p{Cc}/u.test(text) && text !== '__metadata__');
  const tensor = fc
    .tuple(fc.constantFrom(...(Object.keys(makers) as ElementType[])), fc.array(fc.nat(4), { maxLength: 4 }), fc.nat(1000))
    .map(
      ([type, shape, seed]): Tensor => ({
        type,
        shape,
        data: makers[type](elementCount(shape), (index) => (seed + index * 37) % 251) as Tensor['data'],
      }),
    );

  it('gives back every tensor and all metadata', () => {
    const folder = temporaryFolder();
    fc.assert(
      fc.property(
        fc.dictionary(name, tensor, { maxKeys: 6 }),
        fc.dictionary(name, fc.string({ unit: 'grapheme' }), { maxKeys: 3 }),
        (record, metadata) => {
          const path = join(folder, 'a.safetensors');
          const tensors = new Map(Object.entries(record));
          writeSafetensors(path, tensors, metadata);
          const file = SafetensorsFile.open(path);
          expect(new Map([...file.tensors.keys()].map((key) => [key, file.read(key)]))).toEqual(tensors);
          expect(Object.fromEntries(file.header.metadata)).toEqual({ ...metadata });
          for (const { type, start } of file.tensors.values())
            expect(start % (type === 'int64' ? 8 : type?.endsWith('32') ? 4 : 1)).toBe(0);
          file.close();
        },
      ),
      { numRuns: 100 },
    );
    expect(readdirSync(folder)).toEqual(['a.safetensors']);
  });

  it('writes views of larger buffers, and the same bytes for the same content', () => {
    const folder = temporaryFolder();
    const view = new Float32Array(new Float32Array(10).map((_, index) => index).buffer, 8, 4);
    writeSafetensors(
      join(folder, 'a'),
      new Map([
        ['x', floatTensor([4], view)],
        ['w', floatTensor([])],
      ]),
    );
    writeSafetensors(
      join(folder, 'b'),
      new Map([
        ['w', floatTensor([])],
        ['x', floatTensor([4], view.slice())],
      ]),
    );
    expect(readFileSync(join(folder, 'a')).equals(readFileSync(join(folder, 'b')))).toBe(true);
    const file = SafetensorsFile.open(join(folder, 'a'));
    expect(file.read('x').data).toEqual(Float32Array.of(2, 3, 4, 5));
    file.close();
  });

  it('leaves the old file and nothing else when it fails', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'a.safetensors');
    writeSafetensors(path, new Map([['w', floatTensor([1])]]));
    const before = readFileSync(path);
    const failing = new Map<string, Tensor>([['w', floatTensor([4])]]);
    let reads = 0;
    failing.set('x', {
      type: 'float32',
      shape: [1],
      get data() {
        // The second look at the data is the one while the file is being written.
        if (++reads > 1) throw new Error('the power went out');
        return new Float32Array(1);
      },
    });
    expect(() => writeSafetensors(path, failing)).toThrow('the power went out');
    for (const bad of [
      ['', [1]],
      ['__metadata__', [1]],
      ['a\nb', [1]],
      ['w', [2]],
    ] as [string, number[]][]) {
      expect(errorOf(() => writeSafetensors(path, new Map([[bad[0], floatTensor(bad[1], new Float32Array(1))]])))).toMatch(
        /^BadSafetensors: /,
      );
    }
    expect(readdirSync(folder)).toEqual(['a.safetensors']);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(errorOf(() => writeSafetensors(join(folder, 'no/such/a'), new Map()))).toMatch(
      /^CannotWrite: .*folder does not exist/,
    );
    expect(errorOf(() => writeSafetensors(folder, new Map()))).toMatch(/^CannotWrite: /);
    expect(existsSync(join(folder, 'no'))).toBe(false);
    expect(readdirSync(folder)).toEqual(['a.safetensors']);
  });

  it('reads a reference file', () => {
    const file = SafetensorsFile.open(join(fixtures, 'models/llama/model.safetensors'));
    expect(file.tensors.size).toBeGreaterThan(10);
    for (const [key, { shape }] of file.tensors) expect(file.read(key).data.length).toBe(elementCount(shape));
    file.close();
  });
});
