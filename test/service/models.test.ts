/** A project's models, and the folders of a machine: a scan, the list of folders, the layout of Hugging Face's cache. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { browse, folderAt, modelFolderAt, modelName, scan } from '../../src-main/service/model-folders.ts';
import type { HopscopeError } from '../../src-main/shared/errors.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, whenState } from './support.ts';

function model(folder: string, bytes = 10): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), '{}');
  if (bytes > 0) writeFileSync(join(folder, 'model.safetensors'), Buffer.alloc(bytes));
  return folder;
}

/** A repository of a cache: two snapshots, `main` the second, its weights a link into `blobs`. */
function cache(root: string): { repository: string; main: string; other: string } {
  const repository = join(root, 'models--org--name');
  const other = model(join(repository, 'snapshots', '1111111'), 0);
  const main = model(join(repository, 'snapshots', '2222222'), 0);
  mkdirSync(join(repository, 'blobs'));
  mkdirSync(join(repository, 'refs'));
  writeFileSync(join(repository, 'blobs', 'abc'), Buffer.alloc(30));
  symlinkSync('../../blobs/abc', join(main, 'model.safetensors'));
  writeFileSync(join(repository, 'refs', 'main'), '2222222\n');
  return { repository, main, other };
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as HopscopeError).code;
  }
  return 'none';
};

describe('a project', () => {
  test('has the model that ships, then those added; removing can be undone', async () => {
    const data = temporaryFolder();
    const folder = model(join(temporaryFolder(), 'mine'));
    const { service } = await openHost(data);
    const project = (await service.projects())[0]!.project;
    expect(await service.models(project)).toEqual([{ id: 0, path: 'small-world', name: 'Small world', added: null }]);
    const { model: added, isNew } = await service.addModel(project, ` ${folder}/ `);
    expect([added.path, added.name, isNew]).toEqual([folder, 'mine', true]);
    expect((await service.addModel(project, folder)).isNew).toBe(false);
    expect((await service.models(project)).map(({ path }) => path)).toEqual(['small-world', folder]);
    await service.removeModel(added.id);
    expect(await service.models(project)).toHaveLength(1);
    await service.restoreModel(added.id);
    expect((await service.models(project))[1]).toEqual(added);
    expect(await service.modelFiles(folder)).toEqual([
      { name: 'config.json', bytes: 2 },
      { name: 'model.safetensors', bytes: 10 },
    ]);
  });

  test('keeps its models to itself, and refuses what is none', async () => {
    const { service } = await openHost(temporaryFolder());
    const folder = model(join(temporaryFolder(), 'mine'));
    const other = (await service.createProject('Other')).project;
    const [first] = (await service.projects()).filter(({ project }) => project !== other);
    await service.addModel(other, folder);
    expect(await service.models(first!.project)).toHaveLength(1);
    await expect(service.models(999)).rejects.toMatchObject({ code: 'ProjectNotFound' });
    await expect(service.addModel(other, temporaryFolder())).rejects.toMatchObject({ code: 'NoModelHere' });
    await expect(service.addModel(other, join(folder, 'config.json'))).rejects.toMatchObject({ code: 'FolderNotFound' });
    await expect(service.addModel(other, 'models/mine')).rejects.toMatchObject({ code: 'FolderNotFound' });
    await expect(service.removeModel(77)).rejects.toMatchObject({ code: 'ModelUnknown' });
    await expect(service.addModel(other, 5 as never)).rejects.toMatchObject({ code: 'BadArgument' });
  });

  test('a moved folder is located: its runs and what they kept stay its own', async () => {
    const root = temporaryFolder();
    const old = model(join(root, 'mine'));
    const { service } = await openHost(temporaryFolder());
    const project = (await service.projects())[0]!.project;
    const { model: added } = await service.addModel(project, old);
    const { run } = await service.startRun(specOf('steps', { model: old, steps: 1 }));
    expect(await whenState(service, run)).toBe('finished');

    const moved = join(root, 'elsewhere');
    renameSync(old, moved);
    const told: string[] = [];
    service.onProjectChanged(({ part }) => told.push(part));
    expect(await service.locateModel(added.id, `${moved}/`)).toEqual({ ...added, path: moved, name: 'elsewhere' });
    expect(told).toEqual(['model']);
    for (const path of [old, moved]) expect((await service.runs({ model: path, limit: 5, offset: 0 })).total, path).toBe(1);
    expect((await service.run(run)).spec.model).toBe(old);

    const again = join(root, 'third');
    renameSync(moved, again);
    await service.locateModel(added.id, again);
    expect((await service.runs({ model: again, limit: 5, offset: 0 })).total).toBe(1);
  });

  test('a folder with other files than the runs used is located only if that is wanted', async () => {
    const old = model(join(temporaryFolder(), 'mine'));
    const other = model(join(temporaryFolder(), 'mine'));
    const { service } = await openHost(temporaryFolder());
    const project = (await service.projects())[0]!.project;
    const { model: added } = await service.addModel(project, old);
    writeFileSync(join(other, 'config.json'), '{"layers":3}');
    expect((await service.locateModel(added.id, other)).path).toBe(other); // no run used it yet
    await service.locateModel(added.id, old);
    await whenState(service, (await service.startRun(specOf('steps', { model: old, steps: 1 }))).run);

    await expect(service.locateModel(added.id, other)).rejects.toMatchObject({ code: 'ModelDiffers' });
    expect((await service.models(project))[1]?.path).toBe(old);
    expect((await service.locateModel(added.id, other, true)).path).toBe(other);
    await expect(service.locateModel(added.id, temporaryFolder())).rejects.toMatchObject({ code: 'NoModelHere' });
    await expect(service.locateModel(0, other)).rejects.toMatchObject({ code: 'ModelUnknown' });
    const { model: second } = await service.addModel(project, old);
    await expect(service.locateModel(second.id, other, true)).rejects.toMatchObject({ code: 'ModelAlreadyThere' });
  });

  test('whoever stops a question need not wait for compute', async () => {
    const { service } = await openHost(temporaryFolder());
    expect((await service.tokenize('small-world', ['hello'])).texts[0]?.tokens).toEqual(['hello']);
    const abort = new AbortController();
    const answer = service.nextTokens('small-world', 'hello', { top: 5, options: [] }, abort.signal);
    setTimeout(() => abort.abort(), 1);
    await expect(answer).rejects.toMatchObject({ code: 'Interrupted' });
  });
});

describe('folders', () => {
  test('are listed without files, models marked, hidden ones last', () => {
    const root = temporaryFolder();
    model(join(root, 'gpt2'));
    mkdirSync(join(root, '.hidden'));
    mkdirSync(join(root, 'data'));
    writeFileSync(join(root, 'notes.txt'), 'secret');
    cache(root);
    symlinkSync(join(root, 'gpt2'), join(root, 'linked'));
    const listing = browse(root);
    expect(listing.folders.map(({ name, isModel }) => [name, isModel])).toEqual([
      ['data', false],
      ['gpt2', true],
      ['linked', true],
      ['models--org--name', true],
      ['.hidden', false],
    ]);
    expect([listing.isModel, listing.more, listing.parent]).toEqual([false, 0, join(root, '..')]);
    expect(JSON.stringify(listing)).not.toContain('notes.txt');
    expect(browse(undefined).path).toBe(folderAt('~'));
    expect(browse('/').parent).toBeNull();
    expect(codeOf(() => browse(join(root, 'nothing')))).toBe('FolderNotFound');
  });

  test('a repository of a cache stands for the snapshot that main names', () => {
    const { repository, main, other } = cache(temporaryFolder());
    expect(modelFolderAt(repository)).toBe(main);
    expect(modelFolderAt(other)).toBe(other);
    expect(modelName(main)).toBe('org/name');
    expect(modelName('/data/gpt2')).toBe('gpt2');
    // What is no hash is not followed
    writeFileSync(join(repository, 'refs', 'main'), '../../..');
    expect(codeOf(() => modelFolderAt(repository))).toBe('NoModelHere');
  });
});

describe('a scan', () => {
  const report = () => {};

  test('finds models at every level, through links once, and says how large they are', async () => {
    const root = temporaryFolder();
    const deep = model(join(root, 'a', 'b', 'deep'), 70);
    const outer = model(join(root, 'run'));
    const checkpoint = model(join(outer, 'checkpoint-100'), 0);
    const { main, other } = cache(join(root, '.cache', 'huggingface', 'hub'));
    model(join(root, '.git', 'hidden'));
    model(join(root, 'node_modules', 'package'));
    symlinkSync(root, join(root, 'a', 'round'));
    const places: string[] = [];
    const found = await scan(root, { report: (_folders, _found, path) => void places.push(path) });
    expect(new Map(found.models.map(({ path, bytes }) => [path, bytes]))).toEqual(
      new Map([
        [deep, 70],
        [outer, 10],
        [checkpoint, 0],
        [main, 30],
        [other, 0],
      ]),
    );
    expect(found).toMatchObject({ complete: true, refused: 0, folders: places.length });
    expect(found.models.find(({ path }) => path === main)?.name).toBe('org/name');
  });

  test('keeps to its depth and number of folders', async () => {
    const root = temporaryFolder();
    model(join(root, 'one', 'two', 'three'));
    for (let index = 0; index < 20; index++) mkdirSync(join(root, `folder-${index}`));
    expect((await scan(root, { report, limits: { depth: 2, folders: 100 } })).models).toEqual([]);
    expect((await scan(root, { report, limits: { depth: 3, folders: 100 } })).models).toHaveLength(1);
    expect(await scan(root, { report, limits: { depth: 3, folders: 5 } })).toMatchObject({ complete: false, folders: 5 });
  });

  test('can be stopped, also through the service', async () => {
    const root = temporaryFolder();
    for (let index = 0; index < 50; index++) mkdirSync(join(root, `folder-${index}`));
    const abort = new AbortController();
    const stopping = scan(root, { report: (folders) => folders === 10 && abort.abort(), signal: abort.signal });
    await expect(stopping).rejects.toMatchObject({ code: 'Interrupted', kind: 'interrupted' });
    const { service } = await openHost(temporaryFolder());
    const heard: string[] = [];
    service.onModelScan(({ scan: name }) => void heard.push(name));
    expect((await service.scanModels(root, 'mine')).folders).toBe(51);
    expect(heard).toContain('mine');
  });
});
