/**
 * From runs to a comparison and from a prediction to its verdict, in a real browser on the small world: choosing runs, small multiples,
 * the shareable address, saved numbers, pausing, one item's page. Runs to compare come from the command line.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, inPage, openInBrowser, type Workbench } from './app.ts';

interface Outcome {
  run: string;
  results: { epochs: { fact_rank: number; implication_rank: number }[] };
}

const rates = ['1e-3', '1e-5'];

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

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

  async function violations(): Promise<unknown> {
    await inPage(workbench.page, axe);
    const found = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html.slice(0, 120)))";
    return await inPage(workbench.page, found);
  }

  test('runs are chosen by checkboxes and laid out by the setting they differ in', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Compare', exact: true }).click();
    const runs = page.getByRole('list', { name: 'Runs' });
    await runs.getByRole('checkbox').nth(1).waitFor();
    for (const place of [1, 0]) await runs.getByRole('checkbox').nth(place).check();
    await page.getByRole('button', { name: 'Compare 2 runs' }).click();
    const settings = page.getByRole('table', { name: 'Settings, differing ones first' });
    await expect.poll(() => settings.locator('tr.differs th').allTextContents(), { timeout: 15_000 }).toEqual(['lr']);
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
    const headings = heading.split(',');
    expect(headings.slice(-2)).toEqual(['figure', 'source']);
    for (const { run } of outcomes) expect(rows[0]).toContain(run);
    const picture = join(scratch, 'sweep.png');
    const sweep = page.getByTestId('figure-compare-sweep');
    await workbench.save(() => sweep.getByTitle('Save as PNG').click(), picture);
    const png = readFileSync(picture);
    // 1020 pixels print on 85 mm
    expect([png.readUInt32BE(16), png.toString('latin1', 37, 41), png.readUInt32BE(41)]).toEqual([1020, 'pHYs', 12_000]);
    expect(png.toString('latin1')).toContain('tEXtTitle\0Mean rank by lr');
    for (const { run } of outcomes) expect(png.toString('utf8')).toContain(run);
  });

  test('differences are taken to a chosen run, rows sort, and tables are saved as they are shown', async () => {
    const { page } = workbench;
    await page.getByLabel('Differences to').selectOption(outcomes[1]!.run);
    const table = page.getByRole('table', { name: 'How the runs ended' });
    await table.getByRole('columnheader', { name: 'implications, minus B' }).waitFor();
    expect(page.url()).toContain(`reference=${outcomes[1]!.run}`);
    const [first, second] = outcomes.map(({ results }) => results.epochs.at(-1)!.implication_rank);
    const shown = (first! - second!).toFixed(2).replace('-', '−');
    await expect.poll(() => table.getByRole('row').nth(1).textContent()).toContain(shown);
    await table.getByRole('button', { name: 'implications, end' }).click();
    await table.getByRole('button', { name: 'implications, end' }).click();
    const letters = await table.locator('tbody a').allTextContents();
    expect(letters).toEqual(first! < second! ? ['A', 'B'] : ['B', 'A']);
    const file = join(scratch, 'outcomes.tex');
    await workbench.save(() => page.getByTestId('figure-compare-outcomes').getByTitle('Save as LaTeX').click(), file);
    const rows = readFileSync(file, 'utf8').match(/^ {4}[AB] & .*$/gm)!;
    expect(rows.map((row) => row.trim()[0])).toEqual(letters);
  });

  test('the published values stand beside, with what could explain a miss', async () => {
    const { page } = workbench;
    await page
      .getByTestId('published')
      .getByText(/of 4 values go in the same direction/)
      .waitFor();
    const departures = page.getByRole('table', { name: 'What could explain a miss' });
    for (const name of ['model', 'lr', 'epochs']) await departures.getByRole('cell', { name, exact: true }).waitFor();
    await expect.poll(() => departures.getByRole('row', { name: /^lr/ }).textContent()).toContain('3e-6');
    expect(await violations()).toEqual([]);
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
    await page.getByLabel('Epochs').fill('40');
    await go('Prediction');
    await page.getByLabel('Threshold, a mean rank').fill('14');
    await page.getByLabel('Why, and what would change your mind').fill('Ranks never exceed it.');
    await go('Review');
    await page.getByTestId('review-prediction').waitFor();
    await page.getByRole('button', { name: 'Start run' }).click();
    await page.getByRole('button', { name: 'Pause' }).click({ timeout: 30_000 });
    await page.getByText('Paused.').waitFor();
    const steps = () => page.getByTestId('run-progress').textContent();
    // What was computed before the pause may arrive after it; then nothing moves any more
    const stands = async () => {
      const before = await steps();
      await page.waitForTimeout(2500);
      return (await steps()) === before;
    };
    await expect.poll(stands, { timeout: 20_000 }).toBe(true);
    await page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => page.getByTestId('run-state').getAttribute('data-state'), { timeout: 90_000 }).toBe('finished');
    await expect.poll(() => page.getByTestId('prediction').getAttribute('data-outcome')).toBe('met');
    await page.getByText('Ranks never exceed it.').waitFor();
    await page.getByText('2 of 2 seeds agree with the prediction.').waitFor();
    await expect.poll(() => page.getByTestId('seal').getAttribute('data-intact')).toBe('true');
    expect(await violations()).toEqual([]);
  });

  test('what one window changes, another one shows', async () => {
    const { page } = workbench;
    const [place] = page.url().split('#');
    const another = await page.context().browser()!.newContext();
    const other = await another.newPage();
    try {
      await other.goto(`${place}#t=${await inPage(page, "sessionStorage.getItem('hopscope-token')")}`);
      await other.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Projects', exact: true }).click();
      await other.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
      await page.getByRole('button', { name: 'Project: First project' }).click();
      await page.getByRole('menuitem', { name: 'New project …' }).click();
      await page.getByRole('dialog', { name: 'New project' }).getByLabel('Project name').fill('From another window');
      await page.getByRole('button', { name: 'Create project' }).click();
      await other.getByText('From another window').first().waitFor();
      // The other window stays where it is
      await other.getByRole('button', { name: 'Project: First project' }).waitFor();
    } finally {
      await another.close();
    }
    await page.getByRole('button', { name: 'Project: From another window' }).click();
    await page.getByRole('menuitem', { name: 'First project' }).click();
    await page.goto(`${place}#/runs`);
    await page.getByRole('table', { name: 'Runs' }).getByRole('link').first().click();
    await page.getByTestId('prediction').waitFor();
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
