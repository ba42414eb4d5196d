/**
 * Parquet files as data sets: files of pyarrow 26 in every compression, what is refused and how, and exports read back without loss.
 * The same rows as text are dataset-files.test.ts's.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it, test } from 'vitest';
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import { isParquet } from '../../src-renderer/datasets/decode.ts';
import { textsOf } from '../../src-renderer/datasets/editor-texts.ts';
import { exportParquet } from '../../src-renderer/datasets/export-table.ts';
import { factsOf } from '../../src-renderer/datasets/facts-table.ts';
import { guessMapping, importRows } from '../../src-renderer/datasets/import-rows.ts';
import { tableOf } from '../../src-renderer/datasets/import-table.ts';
import { readParquet, writeParquet } from '../../src-renderer/datasets/parquet.ts';

const fixture = (name: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'parquet', `${name}.parquet`)));
async function imported(bytes: Uint8Array) {
  const table = tableOf(await readParquet('people.parquet', bytes));
  expect(table).toMatchObject({ problems: [], unit: 'row' });
  return importRows(table, guessMapping(table.columns));
}
const people = [
  ['Ada Moss lives in', 'Oslo', '', ''],
  ['Ben "B" Lark\nlives in', 'Rome', '', ''],
  ['Zoë 日本 lives in', 'Oslo', '', ''],
];

test.each(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4', 'v2', 'plain', 'groups'])(
  'people-%s.parquet of pyarrow: texts, and a list of options in each row',
  async (name) => {
    expect(await imported(fixture(`people-${name}`))).toEqual({
      rows: people,
      options: { train: ['Oslo', 'Rome'], test: [] },
      problems: [],
    });
  },
);

test('compressed by Node: gzip and Zstandard', async () => {
  const columnData = [
    { name: 'prompt', data: Array.from({ length: 500 }, (_, row) => `Person ${row} lives in`) },
    { name: 'answer', data: Array.from({ length: 500 }, () => 'Oslo') },
  ];
  for (const [codec, compress] of [
    ['GZIP', gzipSync],
    ['ZSTD', zstdCompressSync],
  ] as const) {
    const compressors = { [codec]: (input: Uint8Array) => new Uint8Array(compress(input)) };
    const { rows } = await imported(new Uint8Array(parquetWriteBuffer({ columnData, codec, compressors })));
    expect([rows.length, rows[499]]).toEqual([500, ['Person 499 lives in', 'Oslo', '', '']]);
  }
});

test('a cell that is missing or no text is named with its row, where its column is used', async () => {
  const table = tableOf(await readParquet('nulls.parquet', fixture('nulls')));
  expect(table.columns).toEqual(['prompt', 'continuation', 'meta']);
  const mapping = guessMapping(table.columns);
  expect(importRows(table, mapping).problems).toEqual([
    { line: 2, column: 'prompt', code: 'MissingCell', message: 'The fact prompt is missing.' },
  ]);
  expect(importRows(table, { ...mapping, fact_prompt: 2 }).problems.map(({ line, code }) => [line, code])).toEqual([
    [1, 'BadCell'],
    [2, 'BadCell'],
    [3, 'MissingCell'],
  ]);
  const bytes = new Uint8Array([0x61, 0xff]);
  const marked = new Uint8Array(
    parquetWriteBuffer({
      columnData: [{ name: 'prompt', data: [bytes] }],
      schema: [
        { name: 'root', num_children: 1 },
        { name: 'prompt', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' },
      ],
      statistics: false,
    }),
  );
  expect(tableOf(await readParquet('x', marked)).rows[0]?.cells).toEqual([{ unreadable: 'bytes that are no UTF-8 text' }]);
});

describe('what is refused', () => {
  const whole = fixture('people-snappy');
  const changed = (at: number, ...values: number[]) => {
    const copy = whole.slice();
    copy.set(values, at < 0 ? copy.length + at : at);
    return copy;
  };
  it.each([
    ['NotParquet', /does not begin as a Parquet file/, new TextEncoder().encode('prompt,answer\na,b\n')],
    ['TruncatedParquet', /last part is missing/, whole.subarray(0, whole.length - 100)],
    ['TruncatedParquet', /last part is missing/, whole.subarray(0, 4)],
    ['EncryptedParquet', /is encrypted/, fixture('encrypted')],
    ['EncryptedParquet', /is encrypted/, fixture('encrypted-columns')],
    ['BrokenParquet', /metadata length/, changed(-8, 0xff, 0xff, 0xff, 0x7f)],
    ['BrokenParquet', /cannot be read as Parquet/, changed(4, ...Array<number>(60).fill(0xff))],
  ])('%s: %s', async (code, message, bytes) => {
    await expect(readParquet('people.parquet', bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
  it('more rows than a data set may have, before any is read', async () => {
    const many = writeParquet(['prompt'], Array<string[]>(50_001).fill(['a']));
    await expect(readParquet('many.parquet', many)).rejects.toMatchObject({
      code: 'TooManyRows',
      message: expect.stringMatching(/has 50001 rows; at most 50000/),
    });
  });
  it('a compression that is not read, with its column', async () => {
    const odd = parquetWriteBuffer({
      columnData: [{ name: 'prompt', data: ['a'] }],
      codec: 'LZO',
      compressors: { LZO: (input) => input },
    });
    await expect(readParquet('odd.parquet', new Uint8Array(odd))).rejects.toMatchObject({
      code: 'UnsupportedParquet',
      message: expect.stringMatching(/column prompt: it is compressed with LZO/),
    });
  });
  it('any damage is a named error or leaves a table, never something else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), async (at, value) => {
        const error: unknown = await readParquet('x', changed(at, value)).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error === null || /Parquet|Row|File/.test((error as { code?: string }).code ?? '')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
  it('an empty file has no rows', async () => {
    expect(tableOf(await readParquet('empty.parquet', fixture('empty'))).problems[0]).toMatchObject({ code: 'EmptyFile' });
    expect([isParquet('a.parquet', new Uint8Array()), isParquet('a', whole), isParquet('a.csv', new Uint8Array([97]))]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

test('an export read back gives the data set', async () => {
  const text = fc
    .string({ unit: fc.constantFrom('a', '"', '\n', ' ', '[', ']', 'é', '日', '🐦', '\u0000'), maxLength: 8 })
    .filter((given) => given.trim() !== '');
  const pair = fc.tuple(text, text);
  const facts: fc.Arbitrary<LinkedFacts> = fc.record({
    train: fc.array(pair, { minLength: 1, maxLength: 6 }),
    test: fc.array(pair, { minLength: 1, maxLength: 8 }),
    options: fc.record({ train: fc.array(text, { minLength: 1, maxLength: 9 }), test: fc.array(text, { minLength: 1 }) }),
  });
  await fc.assert(
    fc.asyncProperty(facts, async (content) => {
      const blob = await exportParquet(textsOf(content));
      const { rows, options, problems } = await imported(new Uint8Array(await blob.arrayBuffer()));
      expect(problems).toEqual([]);
      expect(factsOf(rows, options).content).toEqual(content);
    }),
    { numRuns: 60 },
  );
});
