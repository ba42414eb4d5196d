/** The grid behind the data editor: edits, undo, order of rows, selection, clipboard, find and replace. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromClipboard, toClipboard } from '../../src-renderer/datasets/clipboard.ts';
import { factsOf } from '../../src-renderer/datasets/facts-table.ts';
import { findCells, nextCell, replacements } from '../../src-renderer/datasets/find.ts';
import { GridHistory } from '../../src-renderer/datasets/grid-history.ts';
import { GridModel } from '../../src-renderer/datasets/grid-model.ts';
import {
  contains,
  extendTo,
  moved,
  type Range,
  rangeOf,
  selectAll,
  selectCell,
  selectRow,
  tabbed,
  within,
} from '../../src-renderer/datasets/selection.ts';

const range = (top: number, bottom: number, left = 0, right = 1): Range => ({ top, bottom, left, right });
const letters = () =>
  new GridModel(2, [
    ['b', '2'],
    ['a', '10'],
    ['c', '9'],
    ['a', '1'],
  ]);
const shown = (grid: GridModel, column = 0) => Array.from({ length: grid.length }, (_, row) => grid.text(row, column)).join('');

describe('edits', () => {
  it('set, clear, insert, delete, duplicate, move and fill rows', () => {
    const grid = letters();
    expect(grid.setCells([{ row: 0, column: 0, text: 'x' }])).toBe(1);
    expect(grid.setCells([{ row: 0, column: 0, text: 'x' }])).toBe(0);
    grid.insertRows(1, [['n']]);
    expect(shown(grid)).toBe('xnaca');
    grid.duplicate(range(0, 1));
    expect(shown(grid)).toBe('xnxnaca');
    grid.deleteShown(range(1, 2));
    expect(shown(grid)).toBe('xnaca');
    expect(grid.move(range(3, 4), -1)).toBe(-1);
    expect(shown(grid)).toBe('xncaa');
    expect(grid.move(range(0, 1), -1)).toBe(0);
    grid.fillDown(range(0, 2, 0, 0));
    expect(shown(grid)).toBe('xxxaa');
    grid.clear(range(4, 4));
    expect(grid.cells().at(-1)).toEqual(['', '']);
  });

  it('paste adds rows, repeats over whole blocks and says which columns had no place', () => {
    const grid = letters();
    const block = [
      ['1', '2', '3'],
      ['4', '5', '6'],
    ];
    expect(grid.paste(range(3, 3, 0, 0), block)).toEqual({ range: range(3, 4), droppedColumns: 1 });
    expect(grid.cells().slice(3)).toEqual([
      ['1', '2'],
      ['4', '5'],
    ]);
    grid.paste(range(0, 3, 1, 1), [['x'], ['y']]);
    expect(shown(grid, 1)).toBe('xyxy5');
    grid.paste(range(0, 2, 0, 1), [['z']]);
    expect(grid.cells()[2]).toEqual(['z', 'z']);
    expect(grid.rows).toHaveLength(5);
  });

  it('every sequence of edits is undone to the start and redone to the end', () => {
    const position = fc.nat(12);
    const edit = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), row: position, text: fc.string() }),
      fc.record({
        kind: fc.constantFrom<('insert' | 'delete' | 'duplicate' | 'fill')[]>('insert', 'delete', 'duplicate', 'fill'),
        row: position,
        count: fc.nat(3),
      }),
      fc.record({ kind: fc.constant('paste' as const), row: position, text: fc.string() }),
      fc.record({ kind: fc.constant('sort' as const), column: fc.nat(1) }),
      fc.record({ kind: fc.constant('filter' as const), text: fc.constantFrom('', 'a', '1') }),
    );
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 25 }), (edits) => {
        const grid = letters();
        const states = [grid.cells()];
        for (const step of edits) {
          const row = 'row' in step ? Math.min(step.row, Math.max(0, grid.length - 1)) : 0;
          if (step.kind === 'set') grid.setCells([{ row: grid.dataRow(row), column: 0, text: step.text }]);
          else if (step.kind === 'insert') grid.insertRows(Math.min(row, grid.rows.length), Array(step.count).fill(['n']));
          else if (step.kind === 'delete') grid.deleteShown(range(row, row + step.count));
          else if (step.kind === 'duplicate') grid.duplicate(range(row, row + step.count));
          else if (step.kind === 'fill') grid.fillDown(range(row, row + step.count));
          else if (step.kind === 'paste') grid.paste(range(row, row), [[step.text, 'p'], ['q']]);
          else if (step.kind === 'sort') grid.setSort({ column: step.column, descending: false });
          else if (step.kind === 'filter') grid.setFilter(0, step.text);
          if (JSON.stringify(states.at(-1)) !== JSON.stringify(grid.cells())) states.push(grid.cells());
          // What is shown are rows that exist, each once.
          const places = Array.from({ length: grid.length }, (_, place) => grid.dataRow(place));
          expect(new Set(places).size).toBe(grid.length);
          expect(places.every((place) => place >= 0 && place < grid.rows.length)).toBe(true);
        }
        const end = grid.cells();
        while (grid.undo() !== null);
        expect(grid.cells()).toEqual(states[0]);
        while (grid.redo() !== null);
        expect(grid.cells()).toEqual(end);
      }),
      { numRuns: 150 },
    );
  });

  it('a new edit forgets what was taken back, and says what it is', () => {
    const grid = letters();
    grid.clear(range(0, 0));
    expect([grid.undoLabel, grid.redoLabel]).toEqual(['clear cells', null]);
    grid.undo();
    expect([grid.undoLabel, grid.redoLabel]).toEqual([null, 'clear cells']);
    grid.deleteShown(range(0, 0));
    expect(grid.redo()).toBeNull();
  });

  it('50,000 rows are edited, sorted and undone', { timeout: 30_000 }, () => {
    const grid = new GridModel(
      4,
      Array.from({ length: 50_000 }, (_, row) => [`${row}`, 'x', 'y', 'z']),
    );
    grid.deleteShown(range(10, 40_000, 0, 3));
    grid.setSort({ column: 0, descending: true });
    grid.setCells([{ row: 5, column: 1, text: 'new' }]);
    grid.undo();
    grid.undo();
    expect(grid.rows).toHaveLength(50_000);
  });
});

describe('rows that hang together', () => {
  const facts = (rows: string[]) =>
    new GridModel(
      2,
      rows.map((text) => (text === '' ? [] : /^[a-z]/.test(text) ? ['', text] : [text[0]!, text.slice(1)])),
      undefined,
      { headColumns: 1 },
    );
  const all = (grid: GridModel) => grid.cells().map((cells) => cells.join(''));

  it('go with their head where it is deleted, moved, copied, and stay with it where another one comes between', () => {
    const grid = facts(['n', 'Aa', 'b', 'Cc', 'd', 'E']);
    expect(grid.deleteShown(range(1, 1))).toBe(1);
    expect(all(grid)).toEqual(['n', 'Cc', 'd', 'E']);
    grid.undo();
    expect(grid.move(range(1, 1), 1)).toBe(2);
    expect(all(grid)).toEqual(['n', 'Cc', 'd', 'Aa', 'b', 'E']);
    expect(grid.move(range(1, 1), -1)).toBe(0);
    expect(grid.move(range(5, 5), -1)).toBe(-2);
    expect(all(grid)).toEqual(['n', 'Cc', 'd', 'E', 'Aa', 'b']);
    // A row without a head of its own goes by itself, to another one.
    expect(grid.move(range(5, 5), -1)).toBe(-1);
    expect(all(grid)).toEqual(['n', 'Cc', 'd', 'E', 'b', 'Aa']);
    grid.duplicate(range(1, 1));
    expect(all(grid)).toEqual(['n', 'Cc', 'd', 'Cc', 'E', 'b', 'Aa']);
    grid.paste(range(4, 4, 0, 0), [['X', 'x'], ['Y']]);
    expect(all(grid)).toEqual(['n', 'Cc', 'd', 'Cc', 'Xx', 'Y', 'Aa']);
    expect([grid.headPlace(2), grid.headPlace(0), grid.headPlace(1)]).toEqual([3, 0, 1]);
  });

  it('links of untouched facts never change', () => {
    const row = fc.constantFrom('fact', 'implication', 'both', 'empty');
    const place = fc.nat(11);
    const edit = fc.record({
      kind: fc.constantFrom<('delete' | 'up' | 'down' | 'insert' | 'paste' | 'duplicate')[]>(
        'delete',
        'up',
        'down',
        'insert',
        'paste',
        'duplicate',
      ),
      place,
      count: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), fc.array(edit, { maxLength: 8 }), (kinds, edits) => {
        const cells = kinds.map((kind, index) => [
          ...(kind === 'fact' || kind === 'both' ? [`f${index}`, 'x'] : ['', '']),
          ...(kind === 'implication' || kind === 'both' ? [`i${index}`, 'y'] : ['', '']),
        ]);
        const grid = new GridModel(4, cells, undefined, { headColumns: 2 });
        const owners = () => {
          const { content, factRows, implicationRows } = factsOf(grid.cells(), { train: [], test: [] });
          return new Map(
            content.test.map(([text], index) => {
              const fact = factRows.filter((at) => at <= implicationRows[index]!).length - 1;
              return [text, content.train[fact]?.[0] ?? null];
            }),
          );
        };
        edits.forEach(({ kind, place: wanted, count }, index) => {
          const top = Math.min(wanted, grid.length - 1);
          const bottom = Math.min(top + count, grid.length - 1);
          const before = owners();
          const touched = new Set(grid.block(range(top, kind === 'paste' ? top + 1 : bottom, 0, 3)).flat());
          if (kind === 'delete') grid.deleteShown(range(top, bottom, 0, 3));
          else if (kind === 'up' || kind === 'down') grid.move(range(top, bottom, 0, 3), kind === 'up' ? -1 : 1);
          else if (kind === 'insert') grid.insertRows(top, [[`n${index}`, 'x', `m${index}`, 'y']]);
          else if (kind === 'paste')
            grid.paste(range(top, top, 0, 0), [
              [`p${index}`, 'x'],
              [`q${index}`, 'x', `r${index}`, 'y'],
            ]);
          else grid.duplicate(range(top, bottom, 0, 3));
          const after = owners();
          for (const [implication, fact] of before) {
            if (fact === null || touched.has(implication) || touched.has(fact)) continue;
            expect([kind, implication, after.get(implication)]).toEqual([kind, implication, fact]);
          }
          // What was deleted with its fact is gone, and nothing else that was not selected.
          if (kind === 'delete')
            for (const [implication, fact] of before)
              expect(after.has(implication)).toBe(!touched.has(implication) && !(fact !== null && touched.has(fact)));
          // Two facts of one name cannot be told apart below.
          if (kind === 'duplicate') grid.undo();
        });
      }),
      { numRuns: 400 },
    );
  });

  it('one step of several grids is undone and redone in all of them, whichever is asked', () => {
    const history = new GridHistory();
    const [one, other] = [0, 1].map(() => new GridModel(1, [['a']], undefined, { history }));
    history.together('import', () => {
      one!.replaceAllRows([['b']], 'rows');
      other!.replaceAllRows([['c']], 'options');
    });
    expect([one!.undoLabel, other!.undoLabel]).toEqual(['import', 'import']);
    expect([other!.undo(), one!.cells(), other!.cells()]).toEqual([0, [['a']], [['a']]]);
    expect([one!.redo(), one!.cells(), other!.cells()]).toEqual([0, [['b']], [['c']]]);
    other!.setCells([{ row: 0, column: 0, text: 'd' }]);
    expect([one!.undo(), one!.cells(), other!.cells()]).toEqual([-1, [['b']], [['c']]]);
  });
});

describe('the order of rows', () => {
  it('sorts stably by number-aware text, filters, and gives the order of the data back', () => {
    const grid = letters();
    grid.setSort({ column: 0, descending: false });
    expect(shown(grid, 1)).toBe('10129');
    grid.setSort({ column: 1, descending: true });
    expect(shown(grid, 1)).toBe('10921');
    grid.setFilter(0, ' A');
    expect(shown(grid, 1)).toBe('101');
    expect([grid.isPlain, grid.shownRow(0), grid.shownRow(3)]).toEqual([false, -1, 1]);
    grid.clearFilters();
    grid.setSort(null);
    expect([shown(grid), grid.isPlain]).toEqual(['baca', true]);
  });

  it('holds still while cells change, takes new rows in place, and edits what is shown', () => {
    const grid = letters();
    grid.setSort({ column: 0, descending: false });
    grid.setCells([{ row: grid.dataRow(0), column: 0, text: 'z' }]);
    expect(shown(grid)).toBe('zabc');
    grid.insertRows(grid.dataRow(1) + 1, [['new']]);
    expect(shown(grid)).toBe('zanewbc');
    expect(grid.move(range(0, 0), 1)).toBe(0);
    grid.deleteShown(range(0, 1));
    grid.setSort(null);
    expect(shown(grid)).toBe('bcnew');
  });
});

describe('selection', () => {
  const extent = { rows: 10, columns: 4, page: 5 };
  it('goes where keys say and stays inside', () => {
    const at = { row: 3, column: 2 };
    const to = (key: string, control = false) => moved(at, key, control, extent);
    expect([to('ArrowUp'), to('ArrowDown', true), to('Home'), to('End', true)]).toEqual([
      { row: 2, column: 2 },
      { row: 9, column: 2 },
      { row: 3, column: 0 },
      { row: 9, column: 3 },
    ]);
    expect([to('PageDown'), to('PageUp'), to('a')]).toEqual([{ row: 8, column: 2 }, { row: 0, column: 2 }, null]);
    expect(moved({ row: 0, column: 0 }, 'ArrowUp', false, { ...extent, rows: 0 })).toEqual({ row: 0, column: 0 });
  });
  it('Tab reads row by row and leaves at the ends', () => {
    expect(tabbed({ row: 0, column: 3 }, false, extent)).toEqual({ row: 1, column: 0 });
    expect(tabbed({ row: 1, column: 0 }, true, extent)).toEqual({ row: 0, column: 3 });
    expect([tabbed({ row: 0, column: 0 }, true, extent), tabbed({ row: 9, column: 3 }, false, extent)]).toEqual([null, null]);
  });
  it('is a rectangle, or whole rows', () => {
    expect(rangeOf(extendTo(selectCell(4, 3), 2, 1), 4)).toEqual(range(2, 4, 1, 3));
    expect(rangeOf(selectRow(selectCell(4, 3), 6, true), 4)).toEqual(range(4, 6, 0, 3));
    expect(rangeOf(selectAll(extent), 4)).toEqual(range(0, 9, 0, 3));
    expect(contains(range(2, 4, 1, 3), 3, 0)).toBe(false);
    expect(within(selectCell(20, 1), extent).focus).toEqual({ row: 9, column: 1 });
  });
});

describe('the clipboard', () => {
  it('reads what spreadsheets write', () => {
    expect(fromClipboard('a\tb\r\nc\td\r\n')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(fromClipboard('"two\nlines"\t"a ""word"""')).toEqual([['two\nlines', 'a "word"']]);
    expect(fromClipboard('"quoted" at first\tb')).toEqual([['"quoted" at first', 'b']]);
    expect(fromClipboard('"never closed\tb')).toEqual([['"never closed', 'b']]);
    expect(fromClipboard('a\n\nb')).toEqual([['a'], [''], ['b']]);
  });
  it('gives back every block', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', '\t', '\n', '\r', ' ', 'é', '🐦'), maxLength: 6 });
    const block = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(block, (given) => {
        // A last row of one empty cell is a line end at the end, which is none.
        fc.pre(given.length === 1 || given[0]!.length > 1 || given.at(-1)![0] !== '');
        expect(fromClipboard(toClipboard(given))).toEqual(given);
      }),
    );
  });
});

describe('finding', () => {
  const grid = new GridModel(2, [
    ['a.b', 'AxB'],
    ['$1 a.b a.b', 'A.B'],
  ]);
  const query = { text: 'a.b', matchCase: false, wholeCell: false };
  it('takes the text as it is, with and without case, in whole or in part', () => {
    expect(findCells(grid, query)).toEqual([
      { row: 0, column: 0 },
      { row: 1, column: 0 },
      { row: 1, column: 1 },
    ]);
    expect(findCells(grid, { ...query, matchCase: true })).toHaveLength(2);
    expect(findCells(grid, { ...query, wholeCell: true })).toHaveLength(2);
    expect(findCells(grid, { ...query, text: '' })).toEqual([]);
  });
  it('replaces every occurrence, counted, and puts the replacement in as it is', () => {
    const { changes, count } = replacements(grid, findCells(grid, query), query, '$&$1');
    expect([count, changes[1]]).toEqual([4, { row: 1, column: 0, text: '$1 $&$1 $&$1' }]);
  });
  it('any text is found where it stands', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, around) => {
        const cells = new GridModel(1, [[around + text + around]]);
        expect(findCells(cells, { text, matchCase: true, wholeCell: false })).toHaveLength(1);
      }),
    );
  });
  it('goes round', () => {
    const found = findCells(grid, query);
    expect([nextCell(found, { row: 0, column: 0 }, false), nextCell(found, { row: 1, column: 1 }, false)]).toEqual([1, 0]);
    expect([nextCell(found, { row: 0, column: 0 }, true), nextCell([], { row: 0, column: 0 }, false)]).toEqual([2, -1]);
  });
});
