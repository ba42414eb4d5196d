/**
 * Models in the real workbench: found and added from this machine, described, broken ones explained, removed with undo; a text as
 * two tokenizers read it; what the small world expects after a prompt. The window's own dialog is tested where there is a window.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPage, openInWindow, shells, type Workbench } from './app.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures', 'models');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.each(shells)('models in the $name', ({ open, name }) => {
  let workbench: Workbench;
  let folder: string;
  const go = (address: string) => inPage(workbench.page, `location.hash = ${JSON.stringify(address)}`);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hopscope-models-'));
    cpSync(join(fixtures, 'gpt2'), join(folder, 'gpt2'), { recursive: true });
    cpSync(join(fixtures, 'llama'), join(folder, 'deep', 'down', 'llama'), { recursive: true });
    mkdirSync(join(folder, 'empty'));
    renameSync(join(folder, 'gpt2', 'tokenizer.json'), join(folder, 'gpt2', 'tokenizer.away'));
    workbench = await open();
  });
  afterAll(async () => {
    await workbench?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a scan finds folders, and they are added', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Models', exact: true }).click();
    await page.getByRole('row', { name: /Small world.*llama/ }).waitFor();
    await page.getByRole('button', { name: 'Add models' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add models' });
    await dialog.getByRole('textbox', { name: 'Folder' }).fill(folder);
    await dialog.getByRole('button', { name: 'Go there' }).click();
    await dialog.getByRole('button', { name: 'Add gpt2' }).waitFor();
    await dialog.getByRole('button', { name: 'empty', exact: true }).click();
    await dialog.getByText('There are no folders in this folder.').waitFor();
    await dialog.getByRole('button', { name: 'Add this folder' }).click();
    await dialog.getByText('NoModelHere').waitFor();
    await dialog.getByRole('button', { name: 'The folder above' }).click();
    await dialog.getByRole('button', { name: 'Scan this folder' }).click();
    // The broken one is marked and left out, unless it is wanted all the same
    await dialog.getByText('There is no tokenizer.json.').waitFor();
    await dialog.getByRole('button', { name: 'Add 1 model' }).waitFor();
    await dialog.getByRole('checkbox', { name: /gpt2/ }).check();
    await dialog.getByRole('button', { name: 'Add 2 models' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('row', { name: /llama.*deep/ }).waitFor();
  });

  test('a broken folder is explained, and read again once it is put right', async () => {
    const { page } = workbench;
    await page.getByText('There is no tokenizer.json.').waitFor();
    await page.getByText('TokenizerMissing').waitFor();
    renameSync(join(folder, 'gpt2', 'tokenizer.away'), join(folder, 'gpt2', 'tokenizer.json'));
    await page.getByRole('button', { name: 'Retry gpt2' }).click();
    await page.getByRole('row', { name: /gpt2.*Finetunes/ }).waitFor();
  });

  test('one that is removed can be brought back', async () => {
    const { page } = workbench;
    await page.getByRole('button', { name: 'Remove llama' }).click();
    await page.getByRole('link', { name: 'llama', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Undo' }).last().click();
    await page.getByRole('link', { name: 'llama', exact: true }).waitFor();
  });

  test('a folder whose disk is away keeps its place, and is found again by itself', async () => {
    const { page } = workbench;
    renameSync(join(folder, 'gpt2'), join(folder, 'away'));
    await go('#/');
    await go('#/models');
    await page.getByText('The folder is not there now.').waitFor();
    await page.getByRole('checkbox', { name: 'Only the one that cannot be used' }).check();
    await page.getByText('1 of 3 models').waitFor();
    renameSync(join(folder, 'away'), join(folder, 'gpt2'));
    await inPage(page, "window.dispatchEvent(new Event('focus'))");
    await page.getByText('No model is like that.').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('row', { name: /gpt2.*Finetunes/ }).waitFor();
  });

  test('a folder that was moved is located', async () => {
    const { page } = workbench;
    renameSync(join(folder, 'deep', 'down', 'llama'), join(folder, 'deep', 'llama'));
    await go('#/');
    await go('#/models');
    await page.getByRole('button', { name: 'Locate llama' }).click();
    const dialog = page.getByRole('dialog', { name: 'Locate llama' });
    const path = dialog.getByRole('textbox', { name: 'Folder' });
    await expect.poll(() => path.inputValue()).toBe(join(folder, 'deep', 'down', 'llama'));
    await path.fill(join(folder, 'empty'));
    await path.press('Enter');
    await dialog.getByText('NoModelHere').waitFor();
    await path.fill(join(folder, 'deep', 'llama'));
    await dialog.getByRole('button', { name: 'Use this folder' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('row', { name: /llama.*deep.*Finetunes/ }).waitFor();
  });

  test('columns sort, and a drop without a path is answered kindly', async () => {
    const { page } = workbench;
    const first = page.getByRole('rowheader').first().getByRole('link');
    await expect.poll(() => first.textContent()).toBe('Small world');
    await page.getByRole('button', { name: 'Model', exact: true }).click();
    await expect.poll(() => first.textContent()).toBe('gpt2');
    await expect.poll(() => page.getByRole('columnheader', { name: 'Model' }).getAttribute('aria-sort')).toBe('ascending');
    await page.getByRole('button', { name: 'Parameters' }).click();
    await expect.poll(() => first.textContent()).toBe('Small world');
    const drop = (kind: string) =>
      inPage(
        page,
        `{ const transfer = new DataTransfer(); transfer.items.add(new File(['x'], 'llama'));
          window.dispatchEvent(new DragEvent('${kind}', { dataTransfer: transfer, bubbles: true, cancelable: true })); }`,
      );
    await drop('dragover');
    await page.getByText('Drop folders to add them to First project').waitFor();
    await drop('drop');
    await page.getByText('A browser does not tell where a dropped folder lies').waitFor();
    await page.getByRole('main').getByRole('button', { name: 'Dismiss' }).click();
  });

  test('its own screen has shape, plan and files', async () => {
    const { page } = workbench;
    await page.getByRole('link', { name: 'gpt2', exact: true }).click();
    await page.getByRole('row', { name: /Finetune all weights.*yes/ }).waitFor();
    await page.getByRole('row', { name: /model\.safetensors/ }).waitFor();
    await page.getByText('None in this project yet.').waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Show the folder' }).count()).toBe(name === 'window' ? 1 : 0);
    await expect.poll(() => page.getByRole('definition').first().textContent()).toBe('gpt2');
  });

  test('two tokenizers read one text side by side', async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'Tokenizer' }).click();
    await page.getByLabel('Beside it').selectOption({ label: 'Small world' });
    await page.getByRole('textbox', { name: 'Text' }).fill('Clara lives in Ardenvale');
    const small = page.getByRole('region', { name: 'How Small world reads it' });
    await small.getByText('5 tokens').waitFor();
    await small.getByText('Decodes to the same text.').waitFor();
    const chips = page.getByRole('list', { name: 'Tokens of gpt2' }).getByRole('listitem');
    const without = await chips.count();
    expect(without).toBeGreaterThan(5);
    expect((await chips.locator('.text').allTextContents()).join('')).toBe('Clara·lives·in·Ardenvale');
    await page.getByRole('checkbox', { name: 'A space in front' }).check();
    await chips.locator('.text').first().filter({ hasText: /^·/ }).waitFor();
  });

  test('the small world says what is spoken in a city', async () => {
    const { page } = workbench;
    await go('#/models/small-world?tab=next');
    await page.getByRole('button', { name: 'What comes next?' }).click();
    const options = page.getByRole('table', { name: 'Continuations of interest' });
    await options.waitFor();
    await expect.poll(() => options.getByRole('row').count()).toBe(5);
    const top = page.getByRole('table', { name: 'The likeliest tokens' });
    await expect.poll(() => top.getByRole('row').count()).toBe(21);
    await expect.poll(() => top.getByRole('row').nth(1).textContent()).toMatch(/[\d.]+ %/);
  });

  test('the wizard offers the models of the project', async () => {
    const { page } = workbench;
    await go('#/new/ocr');
    await page.getByRole('button', { name: 'Next', exact: true }).click();
    await page.getByRole('radio', { name: /^llama/ }).check();
    await page.getByText('Vocabulary').waitFor();
  });

  test('nothing complained, and the screens are accessible', async () => {
    const { page, problems, outside } = workbench;
    for (const address of ['#/models', '#/models/small-world', '#/models/small-world?tab=tokenizer']) {
      await go(address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForTimeout(300);
      const violations = await inPage(
        page,
        `${axe};axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
      );
      expect(violations, address).toEqual([]);
    }
    expect(problems).toEqual([]);
    expect(outside).toEqual([]);
  });

  // A page in the browser has no dialog of the system's
  test.runIf(name === 'window')('the window offers its own dialog, and asks for a folder only', async () => {
    const window = await openInWindow();
    try {
      await window.application.evaluate(({ dialog }, chosen) => {
        dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen] });
      }, folder);
      const chosen = await inPage(window.page, 'hopscopeShell.chooseFolder()');
      expect(chosen).toBe(folder);
      expect(await inPage(window.page, 'Object.keys(hopscopeShell).join()')).toBe('chooseFolder,pathOfFile,showFolder');
      expect(await inPage(window.page, "hopscopeShell.pathOfFile(new File([], 'x'))")).toBeNull();
      await window.application.evaluate(({ shell }) => {
        shell.showItemInFolder = (path) => {
          Object.assign(globalThis, { shown: path });
        };
      });
      for (const path of ['llama', folder]) await inPage(window.page, `hopscopeShell.showFolder(${JSON.stringify(path)})`);
      await expect.poll(() => window.application.evaluate(() => (globalThis as { shown?: string }).shown)).toBe(folder);
    } finally {
      await window.close();
    }
  });
});
