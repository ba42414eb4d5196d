/**
 * Two windows on one data set in a real browser: neither overwrites what the other saved, and nothing that was written is lost.
 * One window alone is datasets.test.ts's.
 */
import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inPage, openInBrowser, type Workbench } from './app.ts';

let workbench: Workbench;
let other: Page;

beforeAll(async () => {
  workbench = await openInBrowser();
});
afterAll(() => workbench?.close());

const cell = (page: Page, row: number, column: number) =>
  page.getByRole('grid', { name: 'Facts and implications' }).locator(`[data-cell="${row}.${column}"]`);
const textOf = (page: Page) => expect.poll(() => cell(page, 0, 1).locator('.text').textContent(), { timeout: 8000 });
const saves = (page: Page) => page.getByRole('button', { name: 'Save a version' });

async function write(page: Page, text: string): Promise<void> {
  await cell(page, 0, 1).click();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
  await page.getByText('Not saved yet; kept as a draft.').waitFor();
}

test('a version saved in one is followed by the other, and asked about where that has changes', { timeout: 60_000 }, async () => {
  const { page } = workbench;
  await page.getByRole('link', { name: 'Data sets', exact: true }).first().click();
  await page.getByRole('button', { name: 'New data set' }).first().click();
  await page.getByRole('menuitem', { name: 'First hop: who lives where' }).click();
  await cell(page, 0, 1).waitFor();
  // A page opened by this one shares what lets it ask the host.
  const opened = page.waitForEvent('popup');
  await inPage(page, 'void window.open(location.href)');
  other = await opened;
  await cell(other, 0, 1).waitFor();
  await write(page, 'Bergen');
  await saves(page).click();
  await textOf(other).toBe('Bergen');
  await write(other, 'Turin');
  await write(page, 'Lund');
  await saves(page).click();
  await other.getByText(/Version 3 was saved in another window; what you changed here was made from version 2\./).waitFor();
  await expect.poll(() => saves(other).isDisabled()).toBe(true);
  await other.getByRole('button', { name: 'See the difference' }).click();
  await other.getByText(/0 rows added, 0 removed, 1 changed\./).waitFor();
  await other.getByRole('button', { name: 'Take version 3, keep mine as a copy' }).click();
  await textOf(other).toBe('Lund');
  await other.getByRole('button', { name: 'Open them' }).click();
  await other.getByRole('heading', { level: 1, name: 'first-hop (my rows)' }).waitFor();
  await textOf(other).toBe('Turin');
});

test('one that is deleted in the other window is saved as a new one', { timeout: 60_000 }, async () => {
  const { page } = workbench;
  await write(page, 'Oslo');
  await other.getByRole('link', { name: 'Data sets', exact: true }).first().click();
  await other.getByRole('button', { name: 'Actions for first-hop', exact: true }).click();
  await other.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByText('This data set was deleted in another window.').waitFor();
  await workbench.reload();
  await page.getByText(/This data set was deleted\. What you had not saved on/).waitFor();
  await page.getByRole('button', { name: 'Save as a new data set' }).click();
  await page.getByRole('heading', { level: 1, name: 'first-hop (copy)' }).waitFor();
  await textOf(page).toBe('Oslo');
  expect(workbench.problems).toEqual([]);
});
