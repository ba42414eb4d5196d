/** The data editor's state over the fake host: drafts, saving, findings by cell, tokens, templates, and what keys do in a grid. */
import { describe, expect, it, vi } from 'vitest';
import type { Service } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { type GridKeyActions, pressGridKey } from '../../src-renderer/components/datasets/grid-keys.ts';
import type { Keeper } from '../../src-renderer/datasets/kept-locally.ts';
import { narrowest } from '../../src-renderer/state/column-widths.svelte.ts';
import { DatasetEditor } from '../../src-renderer/state/dataset-editor.svelte.ts';
import { DatasetReading } from '../../src-renderer/state/dataset-reading.svelte.ts';
import { Generator } from '../../src-renderer/state/generator.svelte.ts';
import { type EditNews, GridState } from '../../src-renderer/state/grid.svelte.ts';
import { createFakeService } from './fake-host.ts';

function memory(): Keeper {
  const held = new Map<string, string>();
  return {
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

async function opened(service: Service, keeper: Keeper, dataset = 1): Promise<DatasetEditor> {
  const editor = new DatasetEditor(dataset, keeper);
  await editor.load(service);
  return editor;
}

describe('DatasetEditor', () => {
  it('keeps a draft until it is saved, and gives it back', async () => {
    const service = createFakeService('full');
    const keeper = memory();
    const editor = await opened(service, keeper);
    expect([editor.isChanged, editor.detail.value?.versions, editor.rows.model.rows.length]).toEqual([false, 2, 54]);
    editor.rows.setCells([{ row: 0, column: 1, text: 'Bergen' }], 'edit');
    editor.settle();
    expect([editor.isChanged, editor.missing('train')]).toEqual([true, ['Bergen']]);
    const again = await opened(service, keeper);
    expect([again.isChanged, again.restored !== null, again.rows.model.text(0, 1)]).toEqual([true, true, 'Bergen']);
    again.addMissing('train');
    expect(again.missing('train')).toEqual([]);
    expect(await again.save(service, 'Bergen')).toBe(true);
    expect([again.isChanged, again.restored, again.detail.value?.versions]).toEqual([false, null, 3]);
    const { content, note } = await service.datasetVersion(1, 3);
    expect(note).toBe('Bergen');
    expect('train' in content && [content.train[0]![1], content.options.train.at(-1), content.links?.slice(0, 3)]).toEqual([
      'Bergen',
      'Bergen',
      [0, 0, 1],
    ]);
    expect((await opened(service, keeper)).restored).toBeNull();
  });

  it('is as saved again once every change is taken back, and discards as one edit', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory());
    editor.rows.deleteRows();
    editor.settle();
    editor.rows.undo();
    editor.settle();
    expect(editor.isChanged).toBe(false);
    editor.rows.clear();
    editor.discard();
    expect([editor.isChanged, editor.rows.model.undoLabel]).toEqual([false, 'discard changes']);
  });

  it('says what is missing as a whole, and takes the answers for options where none are given', async () => {
    const service = createFakeService('full');
    const { dataset } = await service.createDataset({ project: 1, name: 'pasted', kind: 'facts' });
    const editor = new DatasetEditor(dataset, memory());
    await editor.load(service);
    expect(editor.gap).toMatch(/no fact yet/);
    editor.rows.paste('Ada lives in\tOslo');
    expect(await editor.save(service, '')).toBe(false);
    expect(editor.gap).toMatch(/no implication yet/);
    editor.rows.selected.cell(0, 0);
    editor.rows.paste('Ada lives in\tOslo\tAda speaks\tNorwegian\r\nBen lives in\tRome\tBen speaks\tItalian');
    editor.settle();
    expect([editor.gap, editor.hasOptions]).toEqual(['', false]);
    expect(await editor.save(service, '')).toBe(true);
    expect((await service.datasetVersion(dataset, 1)).content.options).toEqual({
      train: ['Oslo', 'Rome'],
      test: ['Norwegian', 'Italian'],
    });
    expect(editor.isChanged).toBe(false);
  });

  it('saves nothing that is incomplete, and says which cell is missing', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory());
    editor.rows.setCells([{ row: 2, column: 1, text: ' ' }], 'edit');
    expect(await editor.save(service, '')).toBe(false);
    expect(editor.found.problems).toEqual([{ row: 2, column: 1, message: 'Row 3 has no fact continuation.' }]);
    expect((await service.dataset(1)).versions).toBe(2);
  });

  it('takes rows in place of all or behind, with options', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory(), 3);
    expect(editor.rows.model.rows).toHaveLength(1);
    editor.take([['a', 'b', 'c', 'd']], { train: ['b'], test: ['d'] }, 'append');
    editor.take([['e', 'f', 'g', 'd']], { train: ['f'], test: ['d'] }, 'append');
    expect(editor.found.content).toEqual({
      train: [
        ['a', 'b'],
        ['e', 'f'],
      ],
      test: [
        ['c', 'd'],
        ['g', 'd'],
      ],
      options: { train: ['b', 'f'], test: ['d'] },
    });
  });
});

describe('two windows', () => {
  const change = (editor: DatasetEditor, text: string) => {
    editor.rows.setCells([{ row: 0, column: 1, text }], 'edit');
    editor.addMissing('train');
  };

  it('one that changed nothing follows, one that did keeps its own and is asked', async () => {
    const service = createFakeService('full');
    const [one, other, idle] = await Promise.all([1, 2, 3].map(() => opened(service, memory())));
    change(one!, 'Bergen');
    change(other!, 'Turin');
    expect(await one!.save(service, '')).toBe(true);
    await Promise.all([other!.refresh(), idle!.refresh()]);
    expect([idle!.conflict, idle!.isChanged, idle!.base, idle!.rows.model.text(0, 1)]).toEqual([null, false, 3, 'Bergen']);
    expect([other!.conflict, other!.base, other!.rows.model.text(0, 1)]).toEqual([3, 2, 'Turin']);
    expect(await other!.save(service, '')).toBe(false);
    expect(await other!.saveOnTop(service, '')).toBe(true);
    expect([other!.conflict, other!.base, (await service.dataset(1)).versions]).toEqual([null, 4, 4]);
    // Taken over, what was here comes back by one step in all grids.
    change(idle!, 'Lund');
    await idle!.refresh();
    expect(idle!.conflict).toBe(4);
    idle!.discard('take version 4');
    expect([idle!.conflict, idle!.rows.model.text(0, 1), idle!.options.train.model.cells().at(-1)]).toEqual([
      null,
      'Turin',
      ['Turin'],
    ]);
    idle!.options.train.undo();
    expect([idle!.rows.model.text(0, 1), idle!.options.train.model.cells().at(-1)]).toEqual(['Lund', ['Lund']]);
  });

  it('a version that nobody told of is refused by the host, and asked about then', async () => {
    const service = createFakeService('full');
    const [one, other] = await Promise.all([1, 2].map(() => opened(service, memory())));
    change(one!, 'Bergen');
    change(other!, 'Turin');
    await one!.save(service, '');
    expect(await other!.save(service, '')).toBe(false);
    expect([other!.saving.error, other!.conflict, other!.isChanged]).toEqual([null, 3, true]);
  });

  it('a draft of an earlier version says so, and one of a deleted data set can still be had', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory());
    change(editor, 'Bergen');
    const { content } = await service.datasetVersion(1, 1);
    await service.saveDatasetVersion(1, content, '', 2);
    const again = await opened(service, memory());
    expect([again.restored !== null, again.base, again.conflict, again.rows.model.text(0, 1)]).toEqual([true, 2, 3, 'Bergen']);
    await service.deleteDataset(1);
    await again.refresh();
    expect([again.isGone, again.detail.value?.name]).toEqual([true, 'Cities and languages']);
    const late = await opened(service, memory());
    expect([late.isLoaded, late.lost?.name, late.lost?.draft.rows[0]?.[1]]).toEqual([false, 'Cities and languages', 'Bergen']);
    await service.restoreDataset(1);
    await again.refresh();
    expect(again.isGone).toBe(false);
  });

  it('the browser keeps the draft while the host cannot, for this data folder alone', async () => {
    const service = createFakeService('full');
    const refuse = async () => {
      throw new HopscopeError('Disconnected', 'gone');
    };
    const keeper = memory();
    const editor = await opened({ ...service, saveDatasetDraft: refuse }, keeper);
    change(editor, 'Bergen');
    expect((await service.datasetDraft(1)).draft).toBeNull();
    const elsewhere: Service['datasetDraft'] = async (dataset) => ({ ...(await service.datasetDraft(dataset)), folder: 'other' });
    expect((await opened({ ...service, datasetDraft: elsewhere }, keeper)).restored).toBeNull();
    const again = await opened(service, keeper);
    expect([again.restored !== null, again.rows.model.text(0, 1)]).toEqual([true, 'Bergen']);
    // The host has it once it is there again, and the browser no longer.
    again.settle();
    await vi.waitFor(async () => expect((await opened(service, memory())).restored).not.toBeNull());
  });
});

describe('importing', () => {
  it('in place of all is one step with the options, and deleting a fact says what went with it', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory());
    const before = [editor.rows.model.cells(), editor.options.train.model.cells(), editor.options.test.model.cells()];
    editor.take([['a', 'b', 'c', 'd']], { train: ['b'], test: ['d'] }, 'replace');
    editor.rows.undo();
    expect([editor.rows.model.cells(), editor.options.train.model.cells(), editor.options.test.model.cells()]).toEqual(before);
    const told: EditNews[] = [];
    editor.rows.tell = (news) => void told.push(news);
    editor.rows.select(0, 0);
    editor.rows.deleteRows();
    expect(told[0]!.text).toBe('Deleted 1 row and 1 further implication of what was in it.');
    expect([told[0]!.undo(), editor.rows.model.cells()]).toEqual([true, before[0]]);
    expect(told[0]!.undo()).toBe(false);
  });
});

describe('DatasetReading', () => {
  it('puts findings beside the rows they are about, until the rows change', async () => {
    const service = createFakeService('full');
    const preflight: Service['preflight'] = async () => [
      { severity: 'error', code: 'OptionsShareFirstToken', message: 'alike', set: 'facts', items: [1] },
      { severity: 'warning', code: 'TextTooLong', message: 'long', set: 'implications', items: [2] },
      { severity: 'note', code: 'TokenCounts', message: 'counted', set: 'facts', items: [0] },
    ];
    const editor = await opened(service, memory());
    const reading = new DatasetReading(editor, () => ({ ...service, preflight }));
    await reading.check();
    // The first person has two implications: the second fact is in row 2, and so is the third implication.
    expect([...reading.cells]).toEqual([
      ['2.1', { text: 'alike', isError: true }],
      ['2.2', { text: 'long', isError: false }],
    ]);
    editor.rows.setCells([{ row: 0, column: 0, text: 'x' }], 'edit');
    expect([reading.isStale, reading.cells.size]).toEqual([true, 0]);
  });

  it('asks every chosen model, and says which of them found what, or could not be asked', async () => {
    const service = createFakeService('full');
    const preflight: Service['preflight'] = async ({ model }) => {
      if (model === '/models/gone') throw new HopscopeError('ModelNotFound', 'It is gone.');
      const severity = model === 'small-world' ? 'warning' : 'error';
      return [{ severity, code: 'TextTooLong', message: 'long', set: 'facts', items: [0] }];
    };
    const editor = await opened(service, memory());
    const reading = new DatasetReading(editor, () => ({ ...service, preflight }));
    reading.models = ['small-world', '/models/gone', '/models/olmo'];
    reading.models = [...reading.models];
    await reading.check();
    expect([...reading.cells]).toEqual([['0.0', { text: 'olmo: long', isError: true }]]);
    expect(reading.findings.value?.map(({ model, error }) => [model, error?.code])).toEqual([
      ['small-world', undefined],
      ['/models/gone', 'ModelNotFound'],
      ['/models/olmo', undefined],
    ]);
    reading.models = [];
    expect(reading.models).toHaveLength(3);
  });

  it('asks for tokens in batches, a continuation with the blank in front of it', async () => {
    const service = createFakeService('full');
    const tokenize = vi.fn<Service['tokenize']>(async (_path, texts) => ({
      kind: 'BPE',
      vocabulary: 10,
      texts: texts.map((text) => ({
        text,
        ids: [1, 2],
        tokens: ['<s>', text],
        offsets: null,
        special: [true, false],
        decoded: text,
      })),
    }));
    const editor = await opened(service, memory());
    const reading = new DatasetReading(editor, () => ({ ...service, tokenize }));
    expect([reading.tokensOf('a b', 0), reading.tokensOf('Oslo', 1), reading.tokensOf('', 1)]).toEqual([null, null, null]);
    await vi.waitFor(() => expect(reading.tokensOf('Oslo', 1)).toEqual([' Oslo']));
    expect(tokenize.mock.calls).toEqual([['small-world', ['a b', ' Oslo']]]);
  });
});

describe('Generator', () => {
  it('keeps templates between visits and renames columns with their cells', async () => {
    const keeper = memory();
    const generator = new Generator('f.1', keeper);
    generator.setColumns(['name', 'town', 'language']);
    expect(generator.table.model.text(0, 1)).toBe('Oslo');
    generator.facts = [{ prompt: '{name} lives in', answer: 'town' }];
    const made = await generator.generate(createFakeService('full'));
    expect(made?.content?.train).toEqual([
      ['Ada Moss lives in', 'Oslo'],
      ['Cleo Finch lives in', 'Rome'],
    ]);
    const again = new Generator('f.1', keeper);
    expect([again.columns, again.facts[0]?.answer]).toEqual([['name', 'town', 'language'], 'town']);
    again.setColumns(['name', 'language']);
    expect(again.table.model.cells()[0]).toEqual(['Ada Moss', 'Norwegian']);
  });
});

describe('keys in a grid', () => {
  const rows = [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ];
  function grid(): { state: GridState; press: (key: string, modifiers?: Partial<KeyboardEvent>) => boolean; log: string[] } {
    const columns = [
      { title: 'One', width: 100 },
      { title: 'Two', width: 100 },
    ];
    const state = new GridState('test', columns, rows, memory());
    const log: string[] = [];
    let released = false;
    const actions: GridKeyActions = {
      find: (withReplace) => void log.push(withReplace ? 'replace' : 'find'),
      release: () => {
        released = true;
      },
      isReleased: () => released,
    };
    const press = (key: string, modifiers: Partial<KeyboardEvent> = {}) =>
      pressGridKey(
        state,
        {
          key,
          shiftKey: false,
          altKey: false,
          ctrlKey: false,
          metaKey: false,
          isComposing: false,
          ...modifiers,
        } as KeyboardEvent,
        actions,
      );
    return { state, press, log };
  }

  it('type over, edit, go and select', () => {
    const { state, press } = grid();
    press('x');
    expect(state.draft).toBe('x');
    state.commit();
    expect(state.model.text(0, 0)).toBe('x');
    press('F2');
    expect(state.draft).toBe('x');
    state.cancel();
    press('ArrowDown', { shiftKey: true });
    press('ArrowRight', { shiftKey: true });
    expect(state.copied()).toBe('x\tb\r\nc\td');
    press('a', { ctrlKey: true });
    expect(state.range).toEqual({ top: 0, bottom: 2, left: 0, right: 1 });
    press('Delete');
    expect(state.model.cells()).toEqual([['', '']]);
    press('z', { ctrlKey: true });
    press('z', { ctrlKey: true });
    expect(state.model.cells()).toEqual(rows);
    press('Z', { ctrlKey: true, shiftKey: true });
    expect(state.model.text(0, 0)).toBe('x');
  });

  it('Tab goes through the cells and leaves after Escape', () => {
    const { state, press, log } = grid();
    expect([press('Tab'), press('Tab'), state.selection.focus]).toEqual([true, true, { row: 1, column: 0 }]);
    press('Escape');
    expect(press('Tab')).toBe(false);
    press('h', { ctrlKey: true });
    press('f', { metaKey: true });
    expect(log).toEqual(['replace', 'find']);
    expect([press('F5'), press('x', { altKey: true }), press('j', { ctrlKey: true })]).toEqual([false, false, false]);
  });

  it('rows move, fill, are cut, and widths stay within bounds', () => {
    const { state, press } = grid();
    press('ArrowDown', { altKey: true });
    expect(state.model.cells()[1]).toEqual(['a', 'b']);
    state.select(0, 0);
    state.select(2, 0, true);
    press('d', { ctrlKey: true });
    expect(state.model.cells().map(([first]) => first)).toEqual(['c', 'c', 'c']);
    state.select(0, 1);
    expect([state.cut(), state.model.text(0, 1)]).toEqual(['d', '']);
    state.paste('1\t2\n3');
    expect(state.notice).toBe('Pasted 2 cells. 1 column had no place.');
    state.toggleSort(0);
    press('ArrowDown', { altKey: true });
    expect(state.notice).toContain('clear sorting');
    state.widths.set(0, 1);
    expect(state.widths.all[0]).toBe(narrowest);
  });
});
