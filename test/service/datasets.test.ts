/** Data sets through the service: checks of content, versions, and the reference in a spec that becomes data for compute. */
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../src-main/database/open.ts';
import { readContent } from '../../src-main/service/dataset-content.ts';
import { datasetMembers, withData } from '../../src-main/service/datasets.ts';
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, whenState } from './support.ts';

const content: LinkedFacts = {
  train: [
    ['Ada Moss lives in', 'Oslo'],
    ['Ben Lark lives in', 'Rome'],
  ],
  test: [
    ['Ada speaks', 'Norwegian'],
    ['Ada eats', 'lefse'],
    ['Ben speaks', 'Italian'],
  ],
  options: { train: ['Oslo', 'Rome'], test: ['Norwegian', 'Italian', 'lefse'] },
  links: [0, 0, 1],
};
const noCompute = { use: () => Promise.reject(new Error('not asked')) };

function members() {
  const database = openDatabase(`${temporaryFolder()}/hopscope.db`);
  return { database, ...datasetMembers(database, noCompute) };
}

describe('content', () => {
  test('counts the rows of the grid', () => {
    expect(readContent('facts', content).rows).toBe(3);
    expect(readContent('facts', { ...content, links: [-1, -1, -1] }).rows).toBe(5);
    const { links: _links, ...unlinked } = content;
    expect(readContent('facts', unlinked).rows).toBe(5);
    expect(readContent('facts', { ...unlinked, test: content.test.slice(0, 2) }).rows).toBe(2);
  });

  test('hashes alike whatever the order of keys, and differently for other data', () => {
    const { options, links, test: implications, train } = content;
    expect(readContent('facts', { links, options, test: implications, train }).hash).toBe(readContent('facts', content).hash);
    expect(readContent('facts', { ...content, links: [0, 1, 1] }).hash).not.toBe(readContent('facts', content).hash);
  });

  test.each([
    ['null', null],
    ['no facts', { ...content, train: [] }],
    ['half a pair', { ...content, train: [['x']] }],
    ['an empty continuation', { ...content, test: [['x', ' ']] }],
    ['an unknown key', { ...content, notes: '' }],
    ['no options', { ...content, options: { train: ['x'] } }],
    ['links elsewhere', { ...content, links: [0, 0, 2] }],
    ['too few links', { ...content, links: [0] }],
  ])('%s is refused', (_, given) => {
    expect(() => readContent('facts', given)).toThrow(expect.objectContaining({ code: 'BadDataset' }));
  });

  test('too much is refused with the limit', () => {
    const pair = ['p', 'c'];
    const many = { ...content, links: undefined, train: Array(50_001).fill(pair), test: Array(50_001).fill(pair) };
    delete many.links;
    expect(() => readContent('facts', many)).toThrow(/at most 50000 rows/);
  });
});

describe('data sets', () => {
  test('are made, saved, copied, renamed, deleted and restored', async () => {
    const service = members();
    const { dataset } = await service.createDataset({ project: 1, name: ' Cities ', kind: 'facts', content, note: 'first' });
    expect(await service.saveDatasetVersion(dataset, content, 'again', 1)).toEqual({ version: 1, added: false });
    const changed = { ...content, options: { ...content.options, train: ['Oslo', 'Rome', 'Milan'] } };
    expect(await service.saveDatasetVersion(dataset, changed, ' more ', 1)).toEqual({ version: 2, added: true });
    expect((await service.datasetVersion(dataset, 2)).note).toBe('more');
    const copy = (await service.duplicateDataset(dataset)).dataset;
    expect(await service.dataset(copy)).toMatchObject({ name: 'Cities (copy)', versions: 1, rows: 3 });
    expect((await service.datasetVersion(copy, 1)).content).toEqual(changed);
    await service.deleteDataset(copy);
    expect((await service.datasets(1)).map(({ name }) => name)).toEqual(['Cities']);
    await service.restoreDataset(copy);
    expect(await service.datasets(1)).toHaveLength(2);
    await expect(service.renameDataset(copy, '  ')).rejects.toMatchObject({ code: 'EmptyName' });
    await expect(service.datasets(99)).rejects.toMatchObject({ code: 'ProjectNotFound' });
    await expect(service.dataset('1' as unknown as number)).rejects.toMatchObject({ code: 'BadArgument' });
    service.database.close();
  });

  test('refuse a version made from one that is not the latest, unless it holds the same', async () => {
    const service = members();
    const { dataset } = await service.createDataset({ project: 1, name: 'Cities', kind: 'facts', content });
    const mine = { ...content, options: { ...content.options, train: ['Oslo', 'Rome', 'Bari'] } };
    const theirs = { ...content, options: { ...content.options, train: ['Oslo', 'Rome', 'Milan'] } };
    await service.saveDatasetVersion(dataset, theirs, '', 1);
    await expect(service.saveDatasetVersion(dataset, mine, '', 1)).rejects.toMatchObject({ code: 'VersionConflict' });
    expect(await service.saveDatasetVersion(dataset, theirs, '', 1)).toEqual({ version: 2, added: false });
    expect(await service.saveDatasetVersion(dataset, mine, '', 2)).toEqual({ version: 3, added: true });
    service.database.close();
  });

  test('keep one draft each, in the data folder and also while deleted', async () => {
    const service = members();
    const other = members();
    const { dataset } = await service.createDataset({ project: 1, name: 'Cities', kind: 'facts', content });
    await other.createDataset({ project: 1, name: 'Others', kind: 'facts', content });
    const draft = {
      base: 1,
      written: '2026-11-22T10:00:00.000Z',
      rows: [['a', '', '', '']],
      options: { train: ['a'], test: [] },
    };
    await service.saveDatasetDraft(dataset, { ...draft, rows: [] });
    await service.saveDatasetDraft(dataset, draft);
    await service.deleteDataset(dataset);
    const answer = await service.datasetDraft(dataset);
    expect(answer).toMatchObject({ name: 'Cities', deleted: expect.any(String), draft });
    expect(await other.datasetDraft(dataset)).toMatchObject({ deleted: null, draft: null });
    expect(answer.folder).toMatch(/^[0-9a-f]{32}$/);
    expect((await other.datasetDraft(dataset)).folder).not.toBe(answer.folder);
    await service.saveDatasetDraft(dataset, null);
    expect((await service.datasetDraft(dataset)).draft).toBeNull();
    const bad = { ...draft, rows: [[1]] } as unknown as typeof draft;
    await expect(service.saveDatasetDraft(dataset, bad)).rejects.toMatchObject({ code: 'BadArgument' });
    await expect(service.saveDatasetDraft(99, draft)).rejects.toMatchObject({ code: 'DatasetNotFound' });
    for (const { database } of [service, other]) database.close();
  });

  test('are put into a spec for compute, without links, and named again in what is stored', async () => {
    const service = members();
    const { dataset } = await service.createDataset({ project: 1, name: 'Cities', kind: 'facts', content });
    const given = { experiment: 'ocr', model: 'small-world', dataset: { project_dataset: dataset } };
    const { spec, version, refer } = withData(service.database, given);
    expect(spec.dataset).toEqual({ train: content.train, test: content.test, options: content.options });
    expect(version).toMatchObject({ number: 1, name: 'Cities' });
    expect(refer({ ...spec, epochs: 3 })).toEqual({ ...given, dataset: { project_dataset: dataset, version: 1 }, epochs: 3 });
    expect(withData(service.database, specOf('finish')).version).toBeNull();
    const bad = (named: object) => () => withData(service.database, { ...given, dataset: { ...named } });
    expect(bad({ project_dataset: 'x' })).toThrow(expect.objectContaining({ code: 'BadSpec' }));
    expect(bad({ project_dataset: dataset, version: 7 })).toThrow(expect.objectContaining({ code: 'VersionNotFound' }));
    service.database.close();
  });
});

test('a run keeps the version it used and is named by it, also after later ones', async () => {
  const { service } = await openHost(temporaryFolder());
  const { dataset } = await service.createDataset({ project: 1, name: 'Cities / towns', kind: 'facts', content });
  const reference = { project_dataset: dataset };
  const { run } = await service.startRun({ ...specOf('finish', { steps: 3 }), dataset: reference });
  const changed = { ...content, options: { ...content.options, train: ['Oslo', 'Rome', 'Milan'] } };
  await service.saveDatasetVersion(dataset, changed, '', 1);
  expect(await whenState(service, run)).toBe('finished');
  const detail = await service.run(run);
  expect(detail).toMatchObject({
    dataset: 'Cities / towns (version 1)',
    title: 'OCR · Cities / towns (version 1) · small-world',
    spec: { dataset: { project_dataset: dataset, version: 1 } },
  });
  expect(await service.datasetVersionOfRun(detail.datasetVersion!)).toMatchObject({ dataset, number: 1, runs: 1 });
  expect(await service.datasetRuns(dataset)).toMatchObject([{ run, title: detail.title, state: 'finished', version: 1 }]);
  await service.deleteDataset(dataset);
  expect(await service.datasetVersionOfRun(detail.datasetVersion!)).toMatchObject({ name: 'Cities / towns', isDeleted: true });
  await expect(service.datasetRuns(dataset)).rejects.toMatchObject({ code: 'DatasetNotFound' });
  await service.restoreDataset(dataset);
  expect((await service.dataset(dataset)).history.map(({ number, runs }) => [number, runs])).toEqual([
    [2, 0],
    [1, 1],
  ]);
});
