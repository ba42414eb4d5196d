/** The data editor's state over the fake host: drafts, saving, findings by cell, tokens, templates, and what keys do in a grid. */
import { describe, expect, it, vi } from 'vitest';
import type { Service } from '../../src-main/shared/contract.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { type GridKeyActions, pressGridKey } from '../../src-renderer/components/datasets/grid-keys.ts';
import type { Keeper } from '../../src-renderer/datasets/kept-locally.ts';
import { narrowest } from '../../src-renderer/state/column-widths.svelte.ts';
import { DatasetEditor } from '../../src-renderer/state/dataset-editor.svelte.ts';
import { DatasetReading } from '../../src-renderer/state/dataset-reading.svelte.ts';
import { DatasetSaving } from '../../src-renderer/state/dataset-saving.svelte.ts';
import { Generator } from '../../src-renderer/state/generator.svelte.ts';
import { type EditNews, GridState } from '../../src-renderer/state/grid.svelte.ts';
import { Toasts } from '../../src-renderer/state/toasts.svelte.ts';
import { fakeFacts } from './fake-datasets.ts';
import { createFakeService } from './fake-host.ts';

function memory(): Keeper {
  const held = new Map<string, string>();
  return {
    getItem: (key) => held.get(key) ?? null,
    setItem: (key, value) => void held.set(key, value),
    removeItem: (key) => void held.delete(key),
  };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let settle: { resolve: (value: T) => void; reject: (error: Error) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle! };
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
    expect([editor.isChanged, editor.detail.value?.versions, editor.grids.rows.model.rows.length]).toEqual([false, 2, 54]);
    editor.grids.rows.setCells([{ row: 0, column: 1, text: 'Bergen' }], 'edit');
    editor.settle();
    expect([editor.isChanged, editor.grids.missing('train')]).toEqual([true, ['Bergen']]);
    const again = await opened(service, keeper);
    expect([again.isChanged, again.restored !== null, again.grids.rows.model.text(0, 1)]).toEqual([true, true, 'Bergen']);
    again.grids.addMissing('train');
    expect(again.grids.missing('train')).toEqual([]);
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
    editor.grids.rows.deleteRows();
    editor.settle();
    editor.grids.rows.undo();
    editor.settle();
    expect(editor.isChanged).toBe(false);
    editor.grids.rows.clear();
    editor.discard();
    expect([editor.isChanged, editor.grids.rows.model.undoLabel]).toEqual([false, 'discard changes']);
  });

  it('says what is missing as a whole, and takes the answers for options where none are given', async () => {
    const service = createFakeService('full');
    const { dataset } = await service.createDataset({ project: 1, name: 'pasted', kind: 'facts' });
    const editor = new DatasetEditor(dataset, memory());
    await editor.load(service);
    expect(editor.grids.gap).toMatch(/no fact yet/);
    editor.grids.rows.paste('Ada lives in\tOslo');
    expect(await editor.save(service, '')).toBe(false);
    expect(editor.grids.gap).toMatch(/no implication yet/);
    editor.grids.rows.selected.cell(0, 0);
    editor.grids.rows.paste('Ada lives in\tOslo\tAda speaks\tNorwegian\r\nBen lives in\tRome\tBen speaks\tItalian');
    editor.settle();
    expect([editor.grids.gap, editor.grids.hasOptions]).toEqual(['', false]);
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
    editor.grids.rows.setCells([{ row: 2, column: 1, text: ' ' }], 'edit');
    expect(await editor.save(service, '')).toBe(false);
    expect(editor.grids.found.problems).toEqual([{ row: 2, column: 1, message: 'Row 3 has no fact continuation.' }]);
    expect((await service.dataset(1)).versions).toBe(2);
  });

  it('is loaded only once all of it was read, so that nothing takes the place of a draft that was not seen', async () => {
    const service = createFakeService('full');
    const keeper = memory();
    const before = await opened(service, keeper);
    before.grids.rows.setCells([{ row: 0, column: 1, text: 'Bergen' }], 'edit');
    before.settle();
    const cutOff = async () => {
      throw new HopscopeError('Disconnected', 'The line is down.');
    };
    for (const part of ['dataset', 'datasetVersion', 'datasetDraft'] as const) {
      const editor = new DatasetEditor(1, memory());
      await editor.load({ ...service, [part]: cutOff });
      expect([part, editor.isLoaded, editor.grids.rows.model.rows.length]).toEqual([part, false, 1]);
      editor.settle();
      await editor.load(service);
      expect([editor.isLoaded, editor.restored !== null, editor.grids.rows.model.text(0, 1)]).toEqual([true, true, 'Bergen']);
    }
    // A connection that takes the place of another while that one still reads.
    const slow = deferred<void>();
    const editor = new DatasetEditor(1, memory());
    const late: Service['datasetVersion'] = (...asked) => slow.promise.then(() => service.datasetVersion(...asked));
    const first = editor.load({ ...service, datasetVersion: late });
    await vi.waitFor(() => expect(editor.latest.waiting).toBe(true));
    const second = editor.load({ ...service, datasetVersion: late });
    slow.resolve();
    await Promise.all([first, second]);
    expect([editor.isLoaded, editor.grids.rows.model.rows.length]).toEqual([true, 54]);
  });

  it('asks for a version once, however often its content is wanted, and again where it was refused', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory());
    for (let number = 2; number <= 10; number++) await service.saveDatasetVersion(1, fakeFacts(number), '', number);
    const datasetVersion = vi.fn<Service['datasetVersion']>((...asked) => service.datasetVersion(...asked));
    const counting = { ...service, datasetVersion };
    const first = await editor.contentOf(counting, 1);
    expect(await editor.contentOf(counting, 1)).toBe(first);
    expect('train' in first && first.train).toHaveLength(40);
    expect(await editor.contentOf(counting, 2)).toBe(editor.latest.value?.content);
    expect(datasetVersion.mock.calls).toEqual([[1, 1]]);
    // The one asked for longest ago makes room.
    for (let number = 3; number <= 10; number++) await editor.contentOf(counting, number);
    await editor.contentOf(counting, 10);
    expect(datasetVersion).toHaveBeenCalledTimes(9);
    await editor.contentOf(counting, 1);
    expect(datasetVersion).toHaveBeenCalledTimes(10);
    await expect(editor.contentOf(counting, 99)).rejects.toThrow('99');
    await expect(editor.contentOf(counting, 99)).rejects.toThrow('99');
    expect(datasetVersion).toHaveBeenCalledTimes(12);
  });

  it('takes rows in place of all or behind, with options', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory(), 3);
    expect(editor.grids.rows.model.rows).toHaveLength(1);
    editor.take([['a', 'b', 'c', 'd']], { train: ['b'], test: ['d'] }, 'append');
    editor.take([['e', 'f', 'g', 'd']], { train: ['f'], test: ['d'] }, 'append');
    expect(editor.grids.found.content).toEqual({
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
    editor.grids.rows.setCells([{ row: 0, column: 1, text }], 'edit');
    editor.grids.addMissing('train');
    editor.settle();
  };

  it('one that changed nothing follows, one that did keeps its own and is asked', async () => {
    const service = createFakeService('full');
    const [one, other, idle] = await Promise.all([1, 2, 3].map(() => opened(service, memory())));
    change(one!, 'Bergen');
    change(other!, 'Turin');
    expect(await one!.save(service, '')).toBe(true);
    await Promise.all([other!.refresh(), idle!.refresh()]);
    expect([idle!.conflict, idle!.isChanged, idle!.base, idle!.grids.rows.model.text(0, 1)]).toEqual([null, false, 3, 'Bergen']);
    expect([other!.conflict, other!.base, other!.grids.rows.model.text(0, 1)]).toEqual([3, 2, 'Turin']);
    expect(await other!.save(service, '')).toBe(false);
    expect(await other!.saveOnTop(service, '')).toBe(true);
    expect([other!.conflict, other!.base, (await service.dataset(1)).versions]).toEqual([null, 4, 4]);
    // Taken over, what was here comes back by one step in all grids.
    change(idle!, 'Lund');
    await idle!.refresh();
    expect(idle!.conflict).toBe(4);
    idle!.discard('take version 4');
    expect([idle!.conflict, idle!.grids.rows.model.text(0, 1), idle!.grids.options.train.model.cells().at(-1)]).toEqual([
      null,
      'Turin',
      ['Turin'],
    ]);
    idle!.grids.options.train.undo();
    expect([idle!.grids.rows.model.text(0, 1), idle!.grids.options.train.model.cells().at(-1)]).toEqual(['Lund', ['Lund']]);
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
    expect([again.restored !== null, again.base, again.conflict, again.grids.rows.model.text(0, 1)]).toEqual([
      true,
      2,
      3,
      'Bergen',
    ]);
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
    expect([again.restored !== null, again.grids.rows.model.text(0, 1)]).toEqual([true, 'Bergen']);
    // The host has it once it is there again, and the browser no longer.
    again.settle();
    await vi.waitFor(async () => expect((await opened(service, memory())).restored).not.toBeNull());
  });

  it('a draft that ended as the page went is not there again, and the host is told then', async () => {
    const service = createFakeService('full');
    const keeper = memory();
    const isDeaf = { now: false };
    const saveDatasetDraft: Service['saveDatasetDraft'] = async (...given) =>
      isDeaf.now ? await new Promise<never>(() => {}) : await service.saveDatasetDraft(...given);
    const editor = await opened({ ...service, saveDatasetDraft }, keeper);
    change(editor, 'Bergen');
    await vi.waitFor(async () => expect((await service.datasetDraft(1)).draft).not.toBeNull());
    isDeaf.now = true;
    editor.discard();
    expect((await service.datasetDraft(1)).draft).not.toBeNull();
    const again = await opened(service, keeper);
    expect([again.restored, again.isChanged]).toEqual([null, false]);
    await vi.waitFor(async () => expect((await service.datasetDraft(1)).draft).toBeNull());
    // One that was written since is another.
    change(again, 'Turin');
    expect((await opened(service, keeper)).restored).not.toBeNull();
  });
});

describe('DatasetSaving', () => {
  async function started(service: Service, dataset = 1) {
    const editor = new DatasetEditor(dataset, memory());
    const toasts = new Toasts();
    const saving = new DatasetSaving(editor, { service, toasts });
    return { editor, saving, toasts };
  }

  it('does nothing before the data set is loaded, and nothing twice', async () => {
    const service = createFakeService('full');
    const answer = deferred<void>();
    const saveDatasetVersion = vi.fn<Service['saveDatasetVersion']>((...given) =>
      answer.promise.then(() => service.saveDatasetVersion(...given)),
    );
    const { editor, saving, toasts } = await started({ ...service, saveDatasetVersion });
    await saving.save();
    expect([saving.isPossible, saving.standing, saving.refusal]).toEqual([false, '', '']);
    await editor.load(service);
    await saving.save();
    expect([saving.standing, saveDatasetVersion.mock.calls.length]).toEqual(['Saved as version 2.', 0]);
    editor.grids.rows.setCells([{ row: 0, column: 0, text: 'Ada lives in' }], 'edit');
    saving.note = 'Ada';
    // What was written in the last moment is saved too, without a wait.
    const first = saving.save();
    editor.grids.rows.setCells([{ row: 0, column: 0, text: 'Ada works in' }], 'edit');
    await saving.save();
    expect(saveDatasetVersion).toHaveBeenCalledTimes(1);
    answer.resolve();
    await first;
    expect([saving.note, toasts.shown.map(({ text }) => text)]).toEqual(['', ['Saved as version 3.']]);
    expect([saving.isPossible, saving.standing]).toEqual([true, 'Not saved yet; kept as a draft.']);
  });

  it('says why no version was made until nothing is missing any more', async () => {
    const service = createFakeService('full');
    const { editor, saving } = await started(service, 3);
    await editor.load(service);
    expect(saving.refusal).toBe('');
    await saving.save();
    expect(saving.refusal).toBe('There is no fact yet.');
    editor.grids.rows.paste('Ada lives in\tOslo\tAda speaks\r\nBen lives in\tRome\tBen speaks\tItalian\r\n\tLima');
    await saving.save();
    expect(saving.refusal).toBe('Row 1 has no implication continuation. 1 more cell is missing.');
    editor.grids.rows.setCells([{ row: 0, column: 3, text: 'Norwegian' }], 'edit');
    editor.grids.rows.setCells([{ row: 2, column: 1, text: '' }], 'edit');
    editor.settle();
    expect(saving.refusal).toBe('');
  });
});

describe('importing', () => {
  it('in place of all is one step with the options, and deleting a fact says what went with it', async () => {
    const service = createFakeService('full');
    const editor = await opened(service, memory());
    const before = [
      editor.grids.rows.model.cells(),
      editor.grids.options.train.model.cells(),
      editor.grids.options.test.model.cells(),
    ];
    editor.take([['a', 'b', 'c', 'd']], { train: ['b'], test: ['d'] }, 'replace');
    editor.grids.rows.undo();
    expect([
      editor.grids.rows.model.cells(),
      editor.grids.options.train.model.cells(),
      editor.grids.options.test.model.cells(),
    ]).toEqual(before);
    const told: EditNews[] = [];
    editor.grids.rows.tell = (news) => void told.push(news);
    editor.grids.rows.select(0, 0);
    editor.grids.rows.deleteRows();
    expect(told[0]!.text).toBe('Deleted 1 row and 1 further implication of what was in it.');
    expect([told[0]!.undo(), editor.grids.rows.model.cells()]).toEqual([true, before[0]]);
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
    const reading = new DatasetReading(editor.grids, () => ({ ...service, preflight }));
    await reading.check();
    // The first person has two implications: the second fact is in row 2, and so is the third implication.
    expect([...reading.cells]).toEqual([
      ['2.1', { text: 'alike', isError: true }],
      ['2.2', { text: 'long', isError: false }],
    ]);
    editor.grids.rows.setCells([{ row: 0, column: 0, text: 'x' }], 'edit');
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
    const reading = new DatasetReading(editor.grids, () => ({ ...service, preflight }));
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
    const reading = new DatasetReading(editor.grids, () => ({ ...service, tokenize }));
    expect([reading.tokensOf('a b', 0), reading.tokensOf('Oslo', 1), reading.tokensOf('', 1)]).toEqual([null, null, null]);
    await vi.waitFor(() => expect(reading.tokensOf('Oslo', 1)).toEqual([' Oslo']));
    expect(tokenize.mock.calls).toEqual([['small-world', ['a b', ' Oslo']]]);
  });
});

describe('tokens that are refused', () => {
  const answer: Service['tokenize'] = async (_path, texts) => ({
    kind: 'BPE',
    vocabulary: 10,
    texts: texts.map((text) => ({ text, ids: [1], tokens: [text], offsets: null, special: [false], decoded: text })),
  });

  it('are said, hold nothing else up, and are asked for again where tokens are turned off and on, or the host is another', async () => {
    const service = createFakeService('full');
    let refuses = true;
    const tokenize = vi.fn<Service['tokenize']>(async (path, texts) => {
      if (refuses && texts.some((text) => text.trim() === 'a')) throw new HopscopeError('Unreadable', 'It cannot be read.');
      return await answer(path, texts);
    });
    const editor = await opened(service, memory());
    const reading = new DatasetReading(editor.grids, () => ({ ...service, tokenize }));
    reading.showTokens = true;
    reading.tokensOf('a', 0);
    await vi.waitFor(() => expect(reading.problem).toBe('It cannot be read.'));
    expect(reading.tokensOf('b', 0)).toBeNull();
    await vi.waitFor(() => expect(reading.tokensOf('b', 0)).toEqual(['b']));
    expect([reading.tokensOf('a', 0), reading.problem]).toEqual([null, 'It cannot be read.']);
    expect(tokenize.mock.calls.map(([, texts]) => texts)).toEqual([['a'], ['b']]);
    refuses = false;
    reading.showTokens = false;
    reading.showTokens = true;
    expect([reading.problem, reading.tokensOf('b', 0), reading.tokensOf('a', 0)]).toEqual(['', ['b'], null]);
    await vi.waitFor(() => expect(reading.tokensOf('a', 0)).toEqual(['a']));
    refuses = true;
    reading.tokensOf('a', 1);
    await vi.waitFor(() => expect(reading.problem).toBe('It cannot be read.'));
    refuses = false;
    reading.askAgain();
    await vi.waitFor(() => expect(reading.tokensOf('a', 1)).toEqual([' a']));
  });

  it('by a model that is not chosen any more are none of the other one', async () => {
    const service = createFakeService('full');
    const old = deferred<void>();
    const tokenize: Service['tokenize'] = async (path, texts) => {
      if (path === 'small-world') await old.promise;
      return await answer(path, texts);
    };
    const editor = await opened(service, memory());
    const reading = new DatasetReading(editor.grids, () => ({ ...service, tokenize }));
    reading.tokensOf('a', 0);
    await new Promise((resolve) => setTimeout(resolve, 40));
    reading.models = ['/models/olmo'];
    // The other one is asked without waiting for the first.
    expect(reading.tokensOf('a', 0)).toBeNull();
    await vi.waitFor(() => expect(reading.tokensOf('a', 0)).toEqual(['a']));
    old.reject(new HopscopeError('ModelNotFound', 'It is gone.'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([reading.problem, reading.tokensOf('a', 0)]).toEqual(['', ['a']]);
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

  it('keeps entities soon after they are typed, and at once where the screen goes', () => {
    vi.useFakeTimers();
    try {
      const keeper = memory();
      const kept = () => new Generator('f.1', keeper).table.model.text(0, 0);
      const generator = new Generator('f.1', keeper);
      generator.table.setCells([{ row: 0, column: 0, text: 'Ben' }], 'edit');
      generator.changed();
      vi.advanceTimersByTime(400);
      generator.table.setCells([{ row: 0, column: 0, text: 'Cleo' }], 'edit');
      generator.changed();
      vi.advanceTimersByTime(400);
      expect(kept()).toBe('Ada Moss');
      vi.advanceTimersByTime(100);
      expect(kept()).toBe('Cleo');
      generator.table.edit('Dora');
      generator.settle();
      expect(kept()).toBe('Dora');
      // Another window kept its own since: what is kept here already does not take its place.
      const other = new Generator('f.1', keeper);
      other.table.setCells([{ row: 0, column: 0, text: 'Emil' }], 'edit');
      other.settle();
      generator.settle();
      expect(kept()).toBe('Emil');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('keys in a grid', () => {
  const rows = [
    ['a', 'b'],
    ['c', 'd'],
    ['e', 'f'],
  ];
  function grid(): { state: GridState; press: (key: string, modifiers?: Partial<KeyboardEvent>) => boolean } {
    const columns = [
      { title: 'One', width: 100 },
      { title: 'Two', width: 100 },
    ];
    const state = new GridState('test', columns, rows, memory());
    let released = false;
    const actions: GridKeyActions = {
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
    return { state, press };
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
    const { state, press } = grid();
    expect([press('Tab'), press('Tab'), state.selection.focus]).toEqual([true, true, { row: 1, column: 0 }]);
    press('Escape');
    expect(press('Tab')).toBe(false);
    // Finding is for whoever is around the grid.
    expect([press('h', { ctrlKey: true }), press('f', { metaKey: true })]).toEqual([false, false]);
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
