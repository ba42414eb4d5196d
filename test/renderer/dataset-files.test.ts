/** Files of data sets: strict CSV with lines, encodings, columns made to facts, every export read back without loss, versions compared. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import { detectDelimiter, parseCsv } from '../../src-renderer/datasets/csv.ts';
import { decodeText } from '../../src-renderer/datasets/decode.ts';
import { compareRows, compareTexts } from '../../src-renderer/datasets/diff.ts';
import { appended, sameTexts, textsOf } from '../../src-renderer/datasets/editor-texts.ts';
import { exportCsv, exportJson, exportJsonLines } from '../../src-renderer/datasets/export-table.ts';
import { factsOf, linkedRows, missingOptions, rowsOf } from '../../src-renderer/datasets/facts-table.ts';
import { guessMapping, importRows } from '../../src-renderer/datasets/import-rows.ts';
import { type ImportTable, type RecordList, tableOf } from '../../src-renderer/datasets/import-table.ts';
import { formatOf, readCsv, readJson, readJsonLines } from '../../src-renderer/datasets/import-text.ts';
import {
  type Keeper,
  readDraft,
  readWidths,
  removeDraft,
  writeDraft,
  writeWidths,
} from '../../src-renderer/datasets/kept-locally.ts';
import { toCsv } from '../../src-renderer/text/csv.ts';

const nasty = fc.string({
  unit: fc.constantFrom('a', 'b', '"', ',', ';', '\n', '\r', '\t', ' ', '{', '\\', 'é', '日', '🐦', '\u2028'),
  maxLength: 8,
});
const text = nasty.filter((given) => given.trim() !== '');
const pair = fc.tuple(text, text);
/** Any facts and implications, links in the order that a grid has. */
const facts: fc.Arbitrary<LinkedFacts> = fc
  .record({
    train: fc.array(pair, { minLength: 1, maxLength: 6 }),
    test: fc.array(pair, { minLength: 1, maxLength: 8 }),
    options: fc.record({ train: fc.array(text, { minLength: 1, maxLength: 9 }), test: fc.array(text, { minLength: 1 }) }),
    links: fc.option(fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), { nil: undefined }),
  })
  .map(({ links, ...content }) => {
    if (links === undefined) return content;
    const linked = content.test.map((_, index) => (links[index]! % (content.train.length + 1)) - 1).sort((a, b) => a - b);
    const isPlain = linked.every((fact, index) => fact === (content.train.length === content.test.length ? index : -1));
    return isPlain ? content : { ...content, links: linked };
  });

describe('facts as rows', () => {
  it('and back are the same', () => {
    fc.assert(
      fc.property(facts, (content) => {
        const found = factsOf(rowsOf(content), content.options);
        expect(found.content).toEqual(content);
        expect(found.problems).toEqual([]);
        expect([found.factRows.length, found.implicationRows.length]).toEqual([content.train.length, content.test.length]);
      }),
    );
  });
  it('name what is missing by row and column, and skip empty rows', () => {
    const { content, problems, factRows } = factsOf(
      [
        ['', ' ', '', ''],
        ['a', 'b', 'c', ''],
        ['', 'd', '', ''],
      ],
      { train: [], test: [] },
    );
    expect(content).toMatchObject({ train: [['a', 'b']], test: [] });
    expect(factRows).toEqual([1]);
    expect(problems).toEqual([
      { row: 1, column: 3, message: 'Row 2 has no implication continuation.' },
      { row: 2, column: 0, message: 'Row 3 has no fact prompt.' },
    ]);
    expect(
      missingOptions(
        [
          ['p', 'x'],
          ['q', 'y'],
          ['r', 'x'],
        ],
        ['y'],
      ),
    ).toEqual(['x']);
  });
});

describe('links and moments', () => {
  it('a row without a fact follows from the fact above, the first ones from none', () => {
    const rows = [
      ['', '', 'x', '1'],
      ['a', 'b', 'y', '2'],
      ['', '', '', ''],
      ['', '', 'z', '3'],
      ['c', 'd', '', ''],
    ];
    expect([...linkedRows(factsOf(rows, { train: [], test: [] }))]).toEqual([
      [0, -1],
      [3, 0],
    ]);
  });
  it('agree with the links of the content', () => {
    fc.assert(
      fc.property(facts, (content) => {
        const found = factsOf(rowsOf(content), content.options);
        const linked = linkedRows(found);
        found.implicationRows.forEach((row, index) => {
          const own = found.factRows.indexOf(row);
          const plain = content.train.length === content.test.length ? index : -1;
          expect(own >= 0 ? own : linked.get(row)).toBe(content.links?.[index] ?? plain);
        });
      }),
    );
  });
  it('are the same moment where only empty rows differ', () => {
    const options = { train: ['a'], test: [] };
    expect(
      sameTexts(
        {
          rows: [
            ['a', ''],
            ['', ''],
          ],
          options,
        },
        { rows: [['a', '']], options },
      ),
    ).toBe(true);
    expect(sameTexts({ rows: [['a', '']], options }, { rows: [['', 'a']], options })).toBe(false);
    expect(sameTexts({ rows: [], options }, { rows: [], options: { train: [], test: ['a'] } })).toBe(false);
  });
});

describe('CSV', () => {
  it('is read back as it was written, whatever is in it', () => {
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) => fc.array(fc.array(nasty, { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(table, (rows) => {
        const { records, problem } = parseCsv(toCsv(rows[0]!, rows.slice(1)), ',');
        expect(problem).toBeNull();
        expect(records.map(({ fields }) => fields)).toEqual(rows);
      }),
    );
  });
  it('never fails on any text, and reads it all or says where it stopped', () => {
    fc.assert(
      fc.property(nasty, fc.constantFrom(',', ';'), (given, delimiter) => {
        const { records, problem } = parseCsv(given, delimiter);
        const lines = given.split(/\r\n|\n|\r/).length;
        expect(problem === null || (problem.line >= 1 && problem.line <= lines)).toBe(true);
        expect(records.every(({ line }) => line >= 1 && line <= lines)).toBe(true);
      }),
    );
  });
  it('knows its lines, also across quoted line ends', () => {
    expect(parseCsv('a,b\r\n"1\n2",3\n\n4,5\r6,7', ',').records.map(({ line, fields }) => [line, ...fields])).toEqual([
      [1, 'a', 'b'],
      [2, '1\n2', '3'],
      [5, '4', '5'],
      [6, '6', '7'],
    ]);
  });
  it.each([
    ['a,b\n1,"x\ny', 2, /never closed/],
    ['a,b\n1,2\n3,"x" y', 3, /After a closing quote/],
    ['a,b\n1,say "x"', 2, /inside the unquoted cell/],
  ])('%j is broken on line %i', (given, line, message) => {
    const { problem } = parseCsv(given, ',');
    expect(problem).toMatchObject({ line, code: 'BrokenQuote' });
    expect(problem?.message).toMatch(message);
  });
  it('finds its delimiter', () => {
    expect(detectDelimiter('a;b,c\n1;2\n')).toBe(';');
    expect(detectDelimiter('a\tb\n1,1\t2\n')).toBe('\t');
    expect(detectDelimiter('a\nb')).toBe(',');
    expect(detectDelimiter('a|b|c\n1|2')).toBe('|');
  });
});

describe('bytes', () => {
  const bytes = (given: string) => new TextEncoder().encode(given);
  it('are UTF-8, with or without a mark', () => {
    expect(decodeText('x.csv', bytes('\ufeffé'))).toEqual({ text: 'é', hadMark: true });
    expect(decodeText('x.csv', bytes('é'))).toEqual({ text: 'é', hadMark: false });
  });
  it.each([
    ['EmptyFile', [], /empty/],
    ['WrongEncoding', [0xff, 0xfe, 0x61, 0], /UTF-16 \(little endian\)/],
    ['WrongEncoding', [0xfe, 0xff, 0, 0x61], /UTF-16 \(big endian\)/],
    ['WrongEncoding', [0x61, 0, 0x62, 0], /without a byte order mark/],
    ['WrongEncoding', [0x61, 0x0a, 0x62, 0x0a, 0xe9, 0x61], /line 3: the byte 0xE9/],
    ['WrongEncoding', [0x50, 0x4b, 3, 4], /spreadsheet/],
  ])('%s', (code, given, message) => {
    const read = () => decodeText('data.csv', new Uint8Array(given));
    expect(read).toThrow(expect.objectContaining({ code }));
    expect(read).toThrow(message);
  });
});

describe('imports', () => {
  const imported = (table: ImportTable) => importRows(table, guessMapping(table.columns));
  it('of every export give the data set back', () => {
    fc.assert(
      fc.property(facts, (content) => {
        for (const table of [
          readCsv(exportCsv(textsOf(content)), { header: true, delimiter: ',' }),
          tableOf(readJsonLines(exportJsonLines(textsOf(content)))),
        ]) {
          expect(table.problems).toEqual([]);
          const { rows, options, problems } = imported(table);
          expect(problems).toEqual([]);
          expect(factsOf(rows, options).content).toEqual(content);
        }
        expect(readJson(exportJson(content))).toMatchObject({ problems: [], content: { kind: 'facts', content } });
      }),
    );
  });
  it('know what columns are by name or by place', () => {
    expect(guessMapping(['Fact prompt', 'answer', 'Implication', 'test_answer', 'notes'])).toMatchObject({
      fact_prompt: 0,
      fact_continuation: 1,
      implication_prompt: 2,
      implication_continuation: 3,
      fact_option: -1,
    });
    expect(guessMapping(['Column 1', 'Column 2'])).toMatchObject({
      fact_prompt: 0,
      fact_continuation: 1,
      implication_prompt: -1,
    });
  });
  it('name lines: too few cells, a missing half, a column that is not chosen', () => {
    const table = readCsv('prompt,answer\na,b\n\nc\nd,\n', { header: true });
    expect(table.problems).toEqual([
      { line: 4, column: '', code: 'WrongCellCount', message: 'The line has 1 cells, the first one has 2.' },
    ]);
    expect(imported(table).problems.map(({ line, column, code }) => [line, column, code])).toEqual([
      [4, 'answer', 'MissingCell'],
      [5, 'answer', 'MissingCell'],
    ]);
    expect(importRows(table, { ...guessMapping(table.columns), fact_continuation: -1 }).problems[0]).toMatchObject({
      code: 'MissingColumn',
      column: 'fact_continuation',
    });
    expect(imported(readCsv('prompt,answer\na,b\nc,b\n', { header: true })).options.train).toEqual(['b']);
  });
  it('name lines of JSON', () => {
    const lines = tableOf(readJsonLines('{"prompt": "a", "answer": "b"}\n{"prompt": \n{"prompt": {"x": 1}, "answer": "b"}\n7'));
    expect([...lines.problems, ...imported(lines).problems].map(({ line, code }) => [line, code])).toEqual([
      [2, 'BadJson'],
      [4, 'BadRow'],
      [3, 'BadCell'],
    ]);
    const list = (text: string) => tableOf(readJson(text) as RecordList);
    expect(list('[\n{"a": 1},\n{"a"\n]').problems[0]).toMatchObject({ code: 'BadJson', line: 4 });
    expect(list('7').problems[0]).toMatchObject({ code: 'BadDataset' });
    expect(list('[["a", "b"], ["c", 4]]').rows[1]).toEqual({ line: 2, cells: ['c', '4'] });
  });
  it('take lists of options, in JSON and in a cell, but leave a text that looks like one as our exports have it', () => {
    const lines = tableOf(
      readJsonLines(
        '{"prompt":"a","continuation":"b","options":["b","c"],"notes":{"x":1}}\n{"prompt":"d","continuation":"c","options":["c"]}',
      ),
    );
    expect(imported(lines)).toMatchObject({ options: { train: ['b', 'c'] }, problems: [] });
    const csv = (option: string) =>
      imported(readCsv(`prompt,answer,${option}\na,b,"[""b"",""c""]"\nd,c,"[""c""]"\n`, { header: true }));
    expect(csv('options').options.train).toEqual(['b', 'c']);
    expect(csv('fact_option').options.train).toEqual(['["b","c"]', '["c"]']);
    const wrong = tableOf(readJsonLines('{"prompt":"a","continuation":["b"],"options":[["b"]]}'));
    expect(imported(wrong).problems.map(({ column, message }) => [column, message])).toEqual([
      ['continuation', 'The cell holds a list, not a text.'],
      ['options', 'The cell holds a list of other things than texts, not a text.'],
    ]);
  });
  it('know their format', () => {
    expect([
      formatOf('x.TSV', ''),
      formatOf('x', '[1]'),
      formatOf('x', '{"a":1}\n{"a":2}'),
      formatOf('x', '{\n"a": 1}'),
      formatOf('x', 'a,b'),
    ]).toEqual(['csv', 'json', 'jsonl', 'json', 'csv']);
  });
});

describe('what is not made as it should be', () => {
  const lines = (text: string) => (readJson(text) as ImportTable).problems.map(({ line, column }) => `${column} ${line}`);
  it('in a whole data set is named by list and row, and nothing of it is taken', () => {
    const broken = JSON.stringify({
      train: [['a', 'b'], ['c', 'd', 'e'], [1, 2], null],
      test: [
        ['x', 'y'],
        ['z', ' '],
      ],
      options: { train: ['b', 7], test: 'y' },
      links: [7],
      notes: '',
    });
    expect(lines(broken)).toEqual([
      'notes 1',
      'train 2',
      'train 3',
      'train 4',
      'test 2',
      'options.train 2',
      'options.test 1',
      'links 1',
      'links 1',
    ]);
    expect((readJson(broken) as ImportTable).content).toBeNull();
    expect(lines('{"train": 1, "test": {}, "options": []}')).toEqual(['train 1', 'test 1', 'options 1']);
    expect(readJson('{"train":[["a","b"]],"test":[["c","d"]]}')).toMatchObject({
      problems: [],
      content: { content: { options: { train: ['b'], test: ['d'] } } },
    });
  });
  it('whatever JSON it is, either texts come of it or problems', () => {
    const maybe = fc.oneof(fc.jsonValue(), fc.array(fc.array(fc.oneof(fc.string(), fc.jsonValue()), { maxLength: 3 })));
    const given = fc.record({ train: maybe, test: maybe, options: maybe, links: maybe }, { requiredKeys: ['train', 'test'] });
    fc.assert(
      fc.property(given, (value) => {
        const { content, problems } = readJson(JSON.stringify(value)) as ImportTable;
        expect(content === null).toBe(problems.length > 0);
        if (content === null || !('train' in content.content)) return;
        const texts = textsOf(content.content);
        const cells = [...texts.rows, texts.options.train, texts.options.test].flat();
        expect(cells.every((cell) => typeof cell === 'string')).toBe(true);
      }),
    );
  });
  it('is told where it can be taken all the same: numbers, and columns of one name', () => {
    expect(
      tableOf(readJsonLines('{"prompt":"a","answer":"b"}\n{"prompt":"c","answer":4}\n{"prompt":"e","answer":true}')).notes,
    ).toEqual(['answer: 2 cells hold numbers or true and false, first in line 2; they are taken as texts.']);
    const { columns, notes } = readCsv('name,name (2),name,name\n1,2,3,4\n', { header: true });
    expect(columns).toEqual(['name', 'name (2)', 'name (3)', 'name (4)']);
    expect(notes).toHaveLength(2);
  });
  it('is exported as its cells are', () => {
    const texts = {
      rows: [
        ['a', '', '', ''],
        [' ', '', '', ''],
        ['', 'b', 'c', 'd'],
      ],
      options: { train: [], test: ['d'] },
    };
    expect(exportCsv(texts).split('\r\n').slice(1, 3)).toEqual(['a,,,,,d', ',b,c,d,,']);
  });
  it('rows behind others keep what follows from what', () => {
    const rows = [['a', 'b', 'c', 'd']];
    expect(
      appended(rows, [
        ['', '', 'x', 'y'],
        ['e', 'f', '', ''],
      ]),
    ).toEqual([['', '', 'x', 'y'], ...rows, ['e', 'f', '', '']]);
    expect(appended(rows, [['', '', 'x', 'y']])).toEqual([['', '', 'x', 'y'], ...rows]);
  });
});

describe('versions', () => {
  const row = (...cells: string[]) => cells;
  it('differ by rows added, removed and changed', () => {
    const before = [row('a', '1'), row('b', '2'), row('c', '3'), row('d', '4')];
    const after = [row('a', '1'), row('b', '9'), row('new', 'x'), row('d', '4')];
    const { added, removed, changed, rows } = compareRows(before, after);
    expect([added, removed, changed]).toEqual([0, 0, 2]);
    expect(rows[0]).toEqual({ kind: 'changed', before: 1, after: 1, old: row('b', '2'), new: row('b', '9') });
    expect(compareRows(before, before).rows).toEqual([]);
    expect(compareRows(before, [row('z', 'z'), ...before]).rows).toMatchObject([{ kind: 'added', after: 0 }]);
    expect(compareRows(before, before.slice(1)).rows).toMatchObject([{ kind: 'removed', before: 0 }]);
    expect(compareTexts(['a', 'b'], ['b', 'c'])).toEqual({ added: ['c'], removed: ['a'] });
  });
  it('applied to the earlier give the later', () => {
    const table = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', ''), fc.constantFrom('x', 'y')), { maxLength: 12 });
    fc.assert(
      fc.property(table, table, (before, after) => {
        const { rows } = compareRows(before, after);
        const gone = new Set(rows.map((entry) => entry.before));
        const next: (readonly string[])[] = before.filter((_, index) => !gone.has(index));
        for (const entry of rows) if (entry.after !== null) next.splice(entry.after, 0, entry.new!);
        expect(next).toEqual(after);
      }),
    );
  });
});

describe('what is kept between visits', () => {
  const memory = (): Keeper => {
    const held = new Map<string, string>();
    return {
      getItem: (key) => held.get(key) ?? null,
      setItem: (key, value) => void held.set(key, value),
      removeItem: (key) => void held.delete(key),
    };
  };
  const draft = { base: 2, written: '2026-11-22T10:00:00.000Z', rows: [['a', '', '', '']], options: { train: ['a'], test: [] } };
  it('drafts and widths come back, other values do not', () => {
    const keeper = memory();
    expect([writeDraft(keeper, 'f.7', draft), readDraft(keeper, 'f.7'), readDraft(keeper, 'g.7')]).toEqual([true, draft, null]);
    removeDraft(keeper, 'f.7');
    expect(readDraft(keeper, 'f.7')).toBeNull();
    keeper.setItem('hopscope.dataset-draft.f.7', '{"base": 1, "rows": [1]}');
    expect(readDraft(keeper, 'f.7')).toBeNull();
    writeWidths(keeper, 'facts', [10, 20]);
    expect([readWidths(keeper, 'facts', [1, 2]), readWidths(keeper, 'facts', [1, 2, 3])]).toEqual([
      [10, 20],
      [1, 2, 3],
    ]);
  });
  it('a full or forbidden store is no error', () => {
    const refuse = () => {
      throw new Error('full');
    };
    const keeper: Keeper = { getItem: refuse, setItem: refuse, removeItem: refuse };
    expect([writeDraft(keeper, 'f.7', draft), readDraft(keeper, 'f.7'), readWidths(keeper, 'x', [1])]).toEqual([
      false,
      null,
      [1],
    ]);
    removeDraft(keeper, 'f.7');
  });
});
