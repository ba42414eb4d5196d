/**
 * The shortest way from the question to a figure, in a real Chromium on a fresh data folder: one press on the first screen.
 * The way through the wizard is first-experiment.test.ts's.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPage, openInBrowser, type Workbench } from './app.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('a first look', () => {
  let workbench: Workbench;

  beforeAll(async () => {
    workbench = await openInBrowser();
  });
  afterAll(async () => {
    await workbench?.close();
  });

  test('one press runs the first experiment and shows its figure', async () => {
    const { page } = workbench;
    await page.getByText(/^About .* on this machine/).waitFor();
    await inPage(page, axe);
    const violations = `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`;
    expect(await inPage(page, violations)).toEqual([]);
    await page.getByRole('button', { name: 'Run it now' }).click();
    await page.getByRole('heading', { level: 1, name: /first-hop · (.* · )?small-world/ }).waitFor();
    await page.getByText('finished', { exact: true }).waitFor({ timeout: 60_000 });
    await page
      .getByText(/mean rank after epoch 12/)
      .first()
      .waitFor();
  });

  test('afterwards the first screen lists the run in place of the offer', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Home' }).click();
    await page
      .getByRole('table', { name: 'Recent runs' })
      .getByRole('link', { name: /first-hop/ })
      .waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Run it now' }).count()).toBe(0);
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
