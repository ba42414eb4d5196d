import { mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { dataFolderPath, prepareDataFolder, requireSpace } from '../../src-main/service/data-folder.ts';
import { titleOf } from '../../src-main/service/title.ts';
import { temporaryFolder } from '../database/support.ts';

test('the option comes before the variable, the variable before the platform', () => {
  expect(dataFolderPath('here', { HOPSCOPE_DATA: '/there' }, 'linux')).toBe(resolve('here'));
  expect(dataFolderPath(undefined, { HOPSCOPE_DATA: '/there' }, 'linux')).toBe('/there');
  expect(dataFolderPath(undefined, { XDG_DATA_HOME: '/data' }, 'linux')).toBe('/data/hopscope');
  expect(dataFolderPath(undefined, { XDG_DATA_HOME: 'relative' }, 'linux')).toBe(join(homedir(), '.local/share/hopscope'));
  expect(dataFolderPath(undefined, { HOPSCOPE_DATA: '' }, 'darwin')).toBe(
    join(homedir(), 'Library/Application Support/Hopscope'),
  );
  expect(dataFolderPath(undefined, { LOCALAPPDATA: '/local' }, 'win32')).toBe(join('/local', 'Hopscope'));
});

test('the folder is made for its user alone and given by its real path', () => {
  const base = realpathSync(temporaryFolder());
  const folder = prepareDataFolder(join(base, 'a', 'b'));
  expect([folder, statSync(folder).mode & 0o777]).toEqual([join(base, 'a', 'b'), 0o700]);
  symlinkSync(folder, join(base, 'link'));
  expect(prepareDataFolder(join(base, 'link'))).toBe(folder);
  mkdirSync(join(base, 'existing'));
  expect(prepareDataFolder(join(base, 'existing'))).toBe(join(base, 'existing'));
});

test('what is no folder, and a full disk, are named', () => {
  const base = temporaryFolder();
  writeFileSync(join(base, 'file'), '');
  for (const path of ['file', 'file/below']) {
    expect(() => prepareDataFolder(join(base, path))).toThrow(
      expect.objectContaining({ code: 'DataFolderUnusable', kind: 'input' }),
    );
  }
  requireSpace(base, 1);
  expect(() => requireSpace(base, 2 ** 60)).toThrow(expect.objectContaining({ code: 'DiskFull' }));
});

test('a run is titled by experiment, data and model', () => {
  const title = (experiment: string, dataset: string | { train: [] }, model: string) =>
    titleOf({ experiment, dataset, model }).title;
  expect(title('ocr', 'first-hop', 'small-world')).toBe('OCR · first-hop · small-world');
  expect(title('layer-freezing', '/data/my facts.json', '/models/Llama-3-8B/')).toBe('Layer freezing · my facts · Llama-3-8B');
  expect(title('data-ordering', { train: [] }, 'small-world')).toBe('Data ordering · inline data · small-world');
});
