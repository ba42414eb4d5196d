/**
 * A project of 300 runs and a model of 32 layers in a real Chromium: a list of which only a part is in the page, that is sorted, gone through by keys,
 * chosen from and deleted from; and the circuit explorer on 32 x 32 heads. The runs are random numbers; no time is asserted.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSummary } from '../../src-main/shared/records.ts';
import { fillHeavyProject, type HeavyProject } from '../scripts/heavy-project.ts';
import { commandLine, inPage, openInBrowser, type Workbench } from './app.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const count = 300;
/** More rows than a screen shows, and far fewer than there are runs. */
const mostRows = 60;

describe('a heavy project', () => {
  let scratch: string;
  let heavy: HeavyProject;
  let runs: RunSummary[];
  let workbench: Workbench;

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
    heavy = await fillHeavyProject(scratch, count);
    ({ runs } = (await commandLine(['runs'], scratch)) as { runs: RunSummary[] });
    workbench = await openInBrowser({ dataFolder: scratch });
  });
  afterAll(async () => {
    await workbench?.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  const rows = () => workbench.page.locator('tr[data-place]');
  const titleAt = (place: number) => workbench.page.locator(`tr[data-place="${place}"] a`);
  /** What has the keyboard: the place of its row and the address it leads to. */
  const focused = async () =>
    (await inPage(
      workbench.page,
      `(({ hash = '' }, row) => [Number(row?.dataset.place ?? -1), hash])(document.activeElement, document.activeElement.closest('tr'))`,
    )) as [place: number, hash: string];

  test('only what is in view is in the page, and keys reach the last run', async () => {
    const { page } = workbench;
    expect(runs).toHaveLength(count);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs', exact: true }).click();
    await titleAt(0).waitFor();
    await expect.poll(() => rows().count()).toBeLessThan(mostRows);
    await expect.poll(() => page.getByRole('table', { name: 'Runs' }).getAttribute('aria-rowcount')).toBe(String(count + 1));
    await titleAt(0).focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toEqual([1, `#/runs/${runs[1]!.run}`]);
    await page.keyboard.press('End');
    await expect.poll(focused).toEqual([count - 1, `#/runs/${runs.at(-1)!.run}`]);
    await expect.poll(() => rows().count()).toBeLessThan(mostRows);
    await page.keyboard.press('PageUp');
    await page.keyboard.press('Home');
    await expect.poll(focused).toEqual([0, `#/runs/${runs[0]!.run}`]);
    await inPage(page, axe);
    expect(
      await inPage(
        page,
        `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html.slice(0, 160)))`,
      ),
    ).toEqual([]);
  });

  test('heads sort by the outcome, which is that of the run’s own screen', async () => {
    const { page } = workbench;
    const rank = ({ outcome }: RunSummary) => outcome?.lists.implications?.last ?? Number.POSITIVE_INFINITY;
    const best = [...runs].sort((one, other) => rank(one) - rank(other) || runs.indexOf(one) - runs.indexOf(other));
    await page
      .getByRole('columnheader', { name: /^Implications/ })
      .getByRole('button')
      .click();
    await expect.poll(() => titleAt(0).getAttribute('href')).toBe(`#/runs/${best[0]!.run}`);
    await expect.poll(() => page.locator('th[aria-sort]').count()).toBe(1);
    const shown = await rows()
      .locator('a')
      .evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    expect(shown).toEqual(best.slice(0, shown.length).map(({ run }) => `#/runs/${run}`));
    await page.getByLabel('Filter runs').fill('ocr finished');
    await page.getByText(/runs found$/).waitFor();
    const ocr = best.find(({ experiment, state }) => experiment === 'ocr' && state === 'finished')!;
    await expect.poll(() => titleAt(0).getAttribute('href')).toBe(`#/runs/${ocr.run}`);
    const said = await page.locator('tr[data-place="0"] td.number').nth(1).innerText();
    await titleAt(0).click();
    await page.getByTestId('final-implication-rank').waitFor();
    expect(said.trim().split(/\s+/).at(-1)).toBe(await page.getByTestId('final-implication-rank').innerText());
    // The way back leads to the same list
    await page.goBack();
    await titleAt(0).waitFor();
    await expect.poll(() => titleAt(0).getAttribute('href')).toBe(`#/runs/${ocr.run}`);
    await expect.poll(() => page.getByLabel('Filter runs').inputValue()).toBe('ocr finished');
  });

  test('a range is chosen with Shift, deleted at once and brought back with one undo', async () => {
    const { page } = workbench;
    await page.getByLabel('Filter runs').fill('');
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('created');
    await expect.poll(() => titleAt(0).getAttribute('href')).toBe(`#/runs/${heavy.scored}`);
    await page.locator('tr[data-place="2"]').getByRole('checkbox').click();
    await titleAt(2).focus();
    await page.keyboard.press('End');
    await expect.poll(async () => (await focused())[0]).toBe(count - 1);
    await page
      .locator(`tr[data-place="${count - 3}"]`)
      .getByRole('checkbox')
      .click({ modifiers: ['Shift'] });
    await page.getByRole('button', { name: `Delete ${count - 4} runs` }).click();
    await page.getByText('4 runs', { exact: true }).waitFor();
    await expect.poll(() => rows().locator('a').count()).toBe(4);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText(`${count} runs`, { exact: true }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: /^Delete \d+ runs$/ }).count()).toBe(0);
    await titleAt(2).focus();
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByRole('link', { name: 'Compare 2 runs' }).waitFor();
  });

  test('the circuit explorer opens on 32 layers of 32 heads', async () => {
    const { page } = workbench;
    await inPage(page, `void (location.hash = '/runs/${heavy.scored}/circuit')`);
    await page.getByRole('application', { name: /^Downstream scores/ }).waitFor();
    await page.getByRole('tab', { name: 'Circuit' }).click();
    await page.getByTestId('count').waitFor();
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
