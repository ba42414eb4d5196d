/**
 * Runs told apart in a real Chromium: titles that name settings, renamed on the run's screen and in the list and back, found by their settings;
 * and notes that are stored while they are typed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine, inPage, openInBrowser, type Workbench } from './app.ts';

const patient = { timeout: 15_000 };
let workbench: Workbench;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
  for (const rate of ['1.0e-3', '5.0e-4']) {
    const file = join(scratch, `${rate}.yaml`);
    writeFileSync(file, `experiment: ocr\nmodel: small-world\ndataset: first-hop\nepochs: 1\nseeds: [0]\nlr: ${rate}\n`);
    await commandLine(['run', file], join(scratch, 'data'));
  }
  workbench = await openInBrowser({ dataFolder: join(scratch, 'data') });
});
afterAll(async () => {
  await workbench?.close();
  rmSync(scratch, { recursive: true, force: true });
});

const notice = () => workbench.page.getByRole('region', { name: 'Notices' });

test('titles name settings, and the list is searched for them', async () => {
  const { page } = workbench;
  await page.getByRole('link', { name: 'Runs', exact: true }).first().click();
  await page.getByRole('link', { name: 'OCR · first-hop · seed 0, 1 epoch · small-world' }).waitFor();
  await page.getByRole('link', { name: 'OCR · first-hop · seed 0, 1 epoch, lr 5e-4 · small-world' }).waitFor();
  const filter = page.getByRole('searchbox', { name: 'Filter runs' });
  await filter.fill('5e-4');
  await page.getByText('1 run found').waitFor();
  await filter.fill('');
  await page.getByText('2 runs', { exact: true }).waitFor();
});

test('F2 renames in the list, with a way back', async () => {
  const { page } = workbench;
  await page.getByRole('link', { name: /lr 5e-4/ }).focus();
  await page.keyboard.press('F2');
  const title = page.getByRole('dialog', { name: 'Rename run' }).getByLabel('Title');
  await title.fill('Half the rate');
  await title.press('Enter');
  await page.getByRole('link', { name: 'Half the rate' }).waitFor();
  await notice().getByRole('button', { name: 'Undo' }).last().click();
  await page.getByRole('link', { name: /lr 5e-4/ }).waitFor();
});

test('a title is edited where it stands: Escape leaves it, Enter stores it', async () => {
  const { page } = workbench;
  await page.getByRole('link', { name: /lr 5e-4/ }).click();
  await page.getByRole('heading', { level: 1, name: /lr 5e-4/ }).waitFor();
  const field = page.getByRole('textbox', { name: 'Title of the run' });
  await page.getByRole('button', { name: 'Rename run' }).click();
  await field.fill('Nothing');
  await field.press('Escape');
  await page.getByRole('heading', { level: 1, name: /lr 5e-4/ }).waitFor();
  await page.getByRole('button', { name: 'Rename run' }).click();
  await field.fill('Half the rate');
  await field.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Half the rate' }).waitFor();
  await workbench.reload();
  await page.getByRole('heading', { level: 1, name: 'Half the rate' }).waitFor();
});

test('notes are stored while they are typed', async () => {
  const { page } = workbench;
  const notes = page.getByRole('textbox', { name: 'Notes on this run' });
  await notes.pressSequentially('Compare with the first.');
  await page.getByText('Saved', { exact: true }).waitFor();
  await expect.poll(() => inPage(page, 'document.activeElement.id')).toBe('run-notes');
  await workbench.reload();
  await expect.poll(() => notes.inputValue(), patient).toBe('Compare with the first.');
});
