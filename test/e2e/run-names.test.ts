/**
 * Runs told apart in a real Chromium: titles that name settings, renamed on the run's screen and in the list and back, found by their settings;
 * and notes that are stored while they are typed, kept while the host is away, and told apart from another window's.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, WebSocketRoute } from 'playwright';
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
const notes = (page: Page) => page.getByRole('textbox', { name: 'Notes on this run' });

/** The page's lines to the host, once `routeLines` was called and the page was loaded anew. */
const lines: WebSocketRoute[] = [];
let isDown = false;

async function routeLines(): Promise<void> {
  await workbench.page.routeWebSocket(/./, async (line) => {
    if (isDown) return await line.close();
    line.connectToServer();
    lines.push(line);
  });
}
async function cut(): Promise<void> {
  isDown = true;
  for (const line of lines.splice(0)) await line.close();
  await workbench.page.getByText('The connection to the workbench is lost.').waitFor();
}
async function mend(): Promise<void> {
  isDown = false;
  await workbench.page.getByRole('button', { name: 'Try now' }).click();
}

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

test('a title may be longer than names of other things', async () => {
  const { page } = workbench;
  const long = 'Half the rate, with '.repeat(15).trim();
  await page.getByRole('link', { name: /lr 5e-4/ }).focus();
  await page.keyboard.press('F2');
  const title = page.getByRole('dialog', { name: 'Rename run' }).getByLabel('Title');
  await title.fill('');
  // As it is pasted: a field that is too short would cut it
  await page.keyboard.insertText(long);
  await title.press('Enter');
  await page.getByRole('link', { name: long, exact: true }).waitFor();
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
  await notes(page).pressSequentially('Compare with the first.');
  await page.getByText('Saved', { exact: true }).waitFor();
  await expect.poll(() => inPage(page, 'document.activeElement.id')).toBe('run-notes');
  await workbench.reload();
  await expect.poll(() => notes(page).inputValue(), patient).toBe('Compare with the first.');
});

test('notes that were written while the host was away are kept, and stored when it is back', async () => {
  const { page } = workbench;
  await routeLines();
  await workbench.reload();
  await expect.poll(() => notes(page).inputValue(), patient).toBe('Compare with the first.');
  await cut();
  await notes(page).fill('Written on the train.');
  await page.getByText('Not saved yet; kept in this browser. Trying again …').waitFor();
  await mend();
  await page.getByText('Saved', { exact: true }).waitFor(patient);
  await workbench.reload();
  await expect.poll(() => notes(page).inputValue(), patient).toBe('Written on the train.');
});

test('notes that another window stored meanwhile wait for a choice', async () => {
  const { page } = workbench;
  const another = await page.context().browser()!.newContext();
  const other = await another.newPage();
  try {
    const [origin, route] = page.url().split('#');
    await other.goto(`${origin}#t=${await inPage(page, "sessionStorage.getItem('hopscope-token')")}`);
    await other.getByRole('heading', { level: 1 }).waitFor();
    await other.goto(`${origin}#${route}`);
    await expect.poll(() => notes(other).inputValue(), patient).toBe('Written on the train.');
    await cut();
    await notes(page).fill('Mine.');
    await notes(other).fill('Theirs.');
    await other.getByText('Saved', { exact: true }).waitFor(patient);
    await mend();
    await page.getByText('Changed in another window.').waitFor(patient);
    await expect.poll(() => notes(page).inputValue()).toBe('Mine.');
    await page.getByRole('button', { name: 'Keep both, one after the other' }).click();
    await page.getByText('Saved', { exact: true }).waitFor(patient);
    await expect.poll(() => inPage(page, 'document.activeElement.id')).toBe('run-notes');
    await expect.poll(() => notes(other).inputValue(), patient).toBe('Mine.\n\n---\n\nTheirs.');
  } finally {
    await another.close();
  }
});
