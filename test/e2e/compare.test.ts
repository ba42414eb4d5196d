/**
 * From runs to a comparison and from a prediction to its verdict, in a real browser on the small world: choosing runs, small multiples,
 * the shareable address, saved numbers, pausing, one item's page. Runs to compare come from the command line.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, openInBrowser, type Workbench } from './app.ts';

interface Outcome {
  run: string;
  results: { epochs: { fact_rank: number; implication_rank: number }[] };
}

const rates = ['1e-3', '1e-5'];

describe('comparing runs', () => {
  let scratch: string;
  let dataFolder: string;
  let workbench: Workbench;
  let outcomes: Outcome[];

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
    dataFolder = join(scratch, 'data');
    outcomes = [];
    for (const rate of rates) {
      const file = join(scratch, `spec-${rate}.yaml`);
      writeFileSync(
        file,
        `experiment: ocr\nmodel: small-world\ndataset: first-hop\nlr: ${rate}\nepochs: 2\nbatch_size: 8\nseeds: [0, 1]\n`,
      );
      outcomes.push((await commandLine(['run', file], dataFolder)) as Outcome);
    }
    workbench = await openInBrowser({ dataFolder });
  }, 240_000);
  afterAll(async () => {
    await workbench?.close();
    rmSync(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });

  test('runs are chosen by checkboxes and laid out by the setting they differ in', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Compare', exact: true }).click();
    const runs = page.getByRole('list', { name: 'Runs' });
    await runs.getByRole('checkbox').nth(1).waitFor();
    for (const place of [1, 0]) await runs.getByRole('checkbox').nth(place).check();
    await page.getByRole('button', { name: 'Compare 2 runs' }).click();
    const settings = page.getByRole('table', { name: 'Settings, differing ones first' });
    await expect.poll(() => settings.locator('tr.differs th').allTextContents()).toEqual(['lr']);
    await page.getByText('Small multiples').click();
    await page.getByRole('heading', { name: 'Mean rank by lr' }).waitFor();
    await page.getByText('Single lines').click();
    expect(page.url()).toContain('view=panels');
    expect(page.url()).toContain('seeds=lines');
  });

  test('the address alone brings the comparison back, and its saved table has the numbers of the command line', async () => {
    const { page } = workbench;
    await workbench.reload();
    await page.getByRole('heading', { name: 'Mean rank by lr' }).waitFor();
    const table = page.getByTestId('figure-compare-outcomes');
    const file = join(scratch, 'outcomes.csv');
    await workbench.save(() => table.getByTitle('Save as CSV').click(), file);
    const [heading = '', ...rows] = readFileSync(file, 'utf8').trim().split('\r\n');
    const column = heading.split(',').findIndex((name) => name.includes('implications'));
    expect(column).toBeGreaterThan(0);
    expect(rows).toHaveLength(2);
    for (const { results } of outcomes) {
      const last = results.epochs.at(-1)!;
      const all = rows.flatMap((row) => row.split(',').map(Number));
      for (const value of [last.fact_rank, last.implication_rank]) {
        expect(all.some((cell) => Math.abs(cell - value) < 1e-9)).toBe(true);
      }
    }
    const picture = join(scratch, 'sweep.png');
    const sweep = page.getByTestId('figure-compare-sweep');
    await workbench.save(() => sweep.getByTitle('Save as PNG').click(), picture);
    const png = readFileSync(picture);
    // 1020 pixels print on 85 mm
    expect([png.readUInt32BE(16), png.toString('latin1', 37, 41), png.readUInt32BE(41)]).toEqual([1020, 'pHYs', 12_000]);
  });

  test('the runs list leads to the same comparison', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs', exact: true }).click();
    const table = page.getByRole('table', { name: 'Runs' });
    for (const place of [0, 1]) await table.getByRole('checkbox').nth(place).check();
    await page.getByRole('link', { name: 'Compare 2 runs' }).click();
    await page.getByRole('table', { name: 'Settings, differing ones first' }).waitFor();
    for (const { run } of outcomes) expect(page.url()).toContain(run);
  });

  test('a prediction is fixed in the wizard; the run can be halted, goes on, and is judged', { timeout: 120_000 }, async () => {
    const { page } = workbench;
    await page.goto(`${page.url().split('#')[0]}#/new/ocr?from=${outcomes[0]!.run}`);
    const current = page.getByRole('navigation', { name: 'Steps' }).locator('[aria-current=step]');
    const go = async (name: string) => {
      await page.getByRole('button', { name: 'Next' }).click();
      await expect.poll(() => current.textContent(), { timeout: 60_000 }).toContain(name);
    };
    await page.getByText('With the settings of an earlier run').waitFor();
    for (const name of ['Model', 'Data', 'Settings']) await go(name);
    await page.getByLabel('Epochs').fill('8');
    await go('Prediction');
    await page.getByLabel('Threshold, a mean rank').fill('19');
    await page.getByLabel('Why, and what would change your mind').fill('Ranks never exceed it.');
    await go('Review');
    await page.getByTestId('review-prediction').waitFor();
    await page.getByRole('button', { name: 'Start run' }).click();
    await page.getByRole('button', { name: 'Pause' }).click({ timeout: 30_000 });
    await page.getByText('Paused.').waitFor();
    const steps = () => page.getByTestId('run-progress').textContent();
    await page.waitForTimeout(600);
    const halted = await steps();
    await page.waitForTimeout(600);
    expect(await steps()).toBe(halted);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => page.getByTestId('run-state').getAttribute('data-state'), { timeout: 90_000 }).toBe('finished');
    expect(await page.getByTestId('prediction').getAttribute('data-outcome')).toBe('met');
    await page.getByText('Ranks never exceed it.').waitFor();
  });

  test('an item leads to its own page, and from there to the same item of other runs', async () => {
    const { page } = workbench;
    await page.locator('tr.item button').first().click();
    await page.getByRole('link', { name: 'Everything about this item' }).click();
    await page.getByRole('heading', { name: 'Rank of this item by epoch' }).waitFor();
    const others = page.getByRole('table', { name: 'This item in other runs' });
    await expect.poll(() => others.getByRole('row').count()).toBe(3);
    await others.getByRole('link').first().click();
    await expect.poll(() => page.url()).toContain(`/runs/${outcomes[1]!.run}/items/facts/0`);
    await page.getByRole('button', { name: 'Open the spec' }).waitFor({ state: 'detached' });
  });

  test('nothing complained, nothing left the machine', () => {
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
