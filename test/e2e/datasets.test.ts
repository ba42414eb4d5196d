/**
 * Data sets in a real browser: a copy of a built-in set edited by keyboard, saved, compared, imported, exported, made from templates,
 * and used by a run that keeps its version. It looks at what a user sees and saves.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPage, openInBrowser, project, type Workbench } from './app.ts';

let workbench: Workbench;
let scratch: string;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
  workbench = await openInBrowser();
});
afterAll(async () => {
  await workbench?.close();
  rmSync(scratch, { recursive: true, force: true });
});

const grid = (name = 'Facts and implications') => workbench.page.getByRole('grid', { name });
const cell = (row: number, column: number, name?: string) => grid(name).locator(`[data-cell="${row}.${column}"]`);
const textOf = (locator: Locator) => expect.poll(() => locator.locator('.text').textContent(), { timeout: 5000 });
const fixture = (name: string) => join(project, 'test', 'fixtures', 'parquet', `${name}.parquet`);
const press = (keys: string) => workbench.page.keyboard.press(keys);

async function newDataset(way: string): Promise<void> {
  const { page } = workbench;
  await page.getByRole('link', { name: 'Data sets', exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Data sets' }).waitFor();
  await page.getByRole('button', { name: 'New data set' }).first().click();
  await page.getByRole('menuitem', { name: way }).click();
}

async function save(note: string): Promise<void> {
  const { page } = workbench;
  await page.getByLabel('Note on this version').fill(note);
  await page.getByRole('button', { name: 'Save a version' }).click();
  await page
    .getByText(/^Saved as version \d+\.$/)
    .first()
    .waitFor();
}

/** A text as a spreadsheet leaves it in the clipboard, pasted where the keyboard is. */
async function pasteText(text: string): Promise<void> {
  await inPage(
    workbench.page,
    `(() => { const data = new DataTransfer(); data.setData('text/plain', ${JSON.stringify(text)});
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); })()`,
  );
}

describe('a data set', () => {
  test('begins as a copy of a built-in one and is edited by keyboard alone', async () => {
    const { page } = workbench;
    await newDataset('First hop: who lives where');
    await cell(0, 0).click();
    const before = (await cell(0, 1).locator('.text').textContent())!;
    await press('ArrowRight');
    await page.keyboard.type('Zurich');
    await press('Enter');
    await textOf(cell(0, 1)).toBe('Zurich');
    await press('Control+z');
    await textOf(cell(0, 1)).toBe(before);
    await press('Control+y');
    await textOf(cell(0, 1)).toBe('Zurich');
    // The focus went with the undo to the cell's row: copy it, and paste it two rows below.
    await cell(0, 1).click();
    await press('Control+c');
    await press('ArrowDown');
    await press('ArrowDown');
    await press('Control+v');
    await textOf(cell(2, 1)).toBe('Zurich');
    await press('Control+z');
    await press('Control+z');
    await textOf(cell(0, 1)).toBe(before);
    await page.getByText('Saved as version 1.', { exact: true }).waitFor();
  });

  test('takes a block of a spreadsheet and grows by it, fills down, deletes and inserts rows', async () => {
    const rows = Number(await grid().getAttribute('aria-rowcount'));
    await cell(0, 0).click();
    await press('Control+End');
    await press('Home');
    await press('ArrowDown');
    await press('Control+Enter');
    await pasteText('"Nova ""N"" Star lives in"\tOslo\tNova speaks\tNorwegian\r\n"two\nlines"\tRome\tx\ty\r\n');
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe(String(rows + 2));
    await textOf(cell(rows - 1, 0)).toBe('Nova "N" Star lives in');
    await textOf(cell(rows, 0)).toBe('two\nlines');
    await press('Control+d');
    await textOf(cell(rows, 0)).toBe('Nova "N" Star lives in');
    await press('Control+z');
    await cell(rows, 0).click();
    await press('Shift+Space');
    await press('Delete');
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe(String(rows + 1));
  });

  test('keeps the keyboard in the rows where some are deleted, and takes what follows from a fact with it', async () => {
    const { page } = workbench;
    const rows = Number(await grid().getAttribute('aria-rowcount'));
    await cell(0, 2).click();
    await press('Control+Enter');
    await page.keyboard.type('asked once more');
    await press('Tab');
    await page.keyboard.type('answer');
    await press('Enter');
    await expect.poll(() => cell(1, 0).textContent()).toContain('↳');
    await cell(0, 0).click();
    await press('Control+Delete');
    await page.getByText('Deleted 1 row and 1 further implication of what was in it.').first().waitFor();
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe(String(rows - 1));
    await expect.poll(() => inPage(page, 'document.activeElement.dataset.cell')).toBe('0.0');
    await page.getByRole('button', { name: 'Undo', exact: true }).last().click();
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe(String(rows + 1));
    await cell(1, 2).click();
    await press('Control+Delete');
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe(String(rows));
  });

  test('finds and replaces, sorts and filters without changing the order of the data', async () => {
    const { page } = workbench;
    const first = await cell(0, 0).locator('.text').textContent();
    await cell(0, 0).click();
    await press('Control+f');
    await page.getByPlaceholder('Find', { exact: true }).fill('Nova "N" Star lives');
    await page.getByPlaceholder('Replace with').fill('Nova $& Star lives');
    await page.getByRole('button', { name: 'Replace all' }).click();
    await page.getByText('Replaced 1 occurrence in 1 cell.').waitFor();
    await press('Escape');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByLabel('Filter Fact prompt').fill('nova $&');
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe('2');
    await textOf(cell(0, 0)).toBe('Nova $& Star lives in');
    await page.getByLabel('Filter Fact prompt').fill('');
    await grid().getByRole('button', { name: 'Fact prompt' }).click();
    await grid().getByRole('button', { name: 'Fact prompt' }).click();
    expect(
      await grid()
        .getByRole('columnheader', { name: /Fact prompt/ })
        .getAttribute('aria-sort'),
    ).toBe('descending');
    await page.getByRole('button', { name: 'Data order' }).click();
    await textOf(cell(0, 0)).toBe(first);
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    // Wherever the keyboard is, it is the rows that are searched.
    await cell(0, 0, 'Fact options').click();
    await press('Control+h');
    await page.getByPlaceholder('Find', { exact: true }).waitFor();
    await press('Escape');
  });

  test('keeps what was not saved through a reload, and versions with what changed', async () => {
    const { page } = workbench;
    await page.getByText(/kept as a draft/).waitFor();
    await workbench.reload();
    await page.getByText(/had not saved on .* is here again/).waitFor();
    await save('one more person');
    await page.getByRole('tab', { name: /Versions \(2\)/ }).click();
    await page.getByText(/1 row added, 0 removed, 0 changed\./).waitFor();
    await expect
      .poll(() => page.getByRole('table', { name: 'Rows that differ' }).textContent())
      .toContain('Nova $& Star lives in');
    await page.getByRole('button', { name: 'Restore version 1' }).click();
    await page.getByRole('tab', { name: /Versions \(3\)/ }).waitFor();
  });

  test('tells how a model reads it, in place', async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'Rows' }).click();
    await page.getByRole('button', { name: 'Check with this model' }).click();
    await page.getByText(/Nothing stands in the way|marked in the rows/).waitFor();
    await page.getByLabel('Show tokens').check();
    await expect.poll(() => cell(0, 0).locator('.token-chip').count(), { timeout: 15_000 }).toBeGreaterThan(2);
    await page.getByLabel('Show tokens').uncheck();
  });

  test('is used by a run, which keeps the version', { timeout: 90_000 }, async () => {
    const { page } = workbench;
    await page.getByRole('link', { name: 'Use in an experiment' }).click();
    await page.getByText(/With the data set first-hop, version 3/).waitFor();
    await page.locator('a[href*="#/new/ocr?"]').click();
    const next = page.getByRole('button', { name: 'Next', exact: true });
    const current = page.getByRole('navigation', { name: 'Steps' }).locator('[aria-current=step]');
    for (const step of ['Model', 'Data']) {
      await next.click();
      await expect.poll(() => current.textContent(), { timeout: 30_000 }).toContain(step);
    }
    await expect.poll(() => page.getByRole('radio', { name: /first-hop.*version 3/ }).isChecked()).toBe(true);
    await expect.poll(() => page.getByLabel('Version', { exact: true }).inputValue()).toBe('3');
    const start = page.getByRole('button', { name: 'Start run' });
    while ((await start.count()) === 0) {
      const before = await current.textContent();
      await next.click();
      await expect.poll(() => current.textContent(), { timeout: 30_000 }).not.toBe(before);
    }
    await start.click();
    await page.getByTestId('run-state').waitFor();
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toContain('first-hop (version 3)');
    // From the run to its data and back.
    await page.getByRole('link', { name: 'first-hop (version 3)' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'first-hop' }).waitFor();
    await page
      .getByRole('row', { name: /^3, the latest/ })
      .getByRole('link', { name: /OCR · first-hop/ })
      .click();
    await page.getByTestId('run-state').waitFor();
  });
});

describe('files and templates', () => {
  test('a CSV with a broken line is refused by its line; a good one comes back as it was', async () => {
    const { page } = workbench;
    await newDataset('From a file');
    const file = page.getByLabel(/A CSV, TSV/);
    const csv = (text: string) => file.setInputFiles({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    const heading =
      'fact_prompt,fact_continuation,implication_prompt,implication_continuation,fact_option,implication_option\r\n';
    await csv(`${heading}a,b,c,d,b,d\r\n"a,b`);
    await page.getByText(/Line 3: The quote that opens here is never closed/).waitFor();
    const good = `${heading}Ada lives in,Oslo,Ada speaks,Norwegian,Oslo,Norwegian\r\n,,"Ada says ""hei"", or",hallo,Rome,hallo\r\n"Ben\nlives in",Rome,Ben speaks,Italian,,Italian\r\n`;
    await csv(`\ufeff${good}`);
    await page.getByText(/byte order mark is left out/).waitFor();
    await page.getByRole('button', { name: 'Create data set' }).click();
    await page.getByRole('heading', { level: 1, name: 'people' }).waitFor();
    await textOf(cell(1, 2)).toBe('Ada says "hei", or');
    const saved = join(scratch, 'people.csv');
    await page.getByRole('button', { name: 'Export' }).click();
    await workbench.save(() => page.getByRole('menuitem', { name: /^CSV/ }).click(), saved);
    expect(readFileSync(saved, 'utf8')).toBe(good);
  });

  test('a broken data set in JSON is refused by list and row, and the list of data sets goes on', async () => {
    const { page } = workbench;
    await newDataset('From a file');
    const broken =
      '{"train":[["a","b"],["c","d","e"],[1,2]],"test":[["x","y"]],"links":[7],"options":{"train":["b"],"test":[5]}}';
    await page
      .getByLabel(/A CSV, TSV/)
      .setInputFiles({ name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from(broken) });
    await page.getByText(/Row 2, train: There are 3 values/).waitFor();
    await page.getByText(/Row 1, options\.test: It is the number 5/).waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Create data set' }).count()).toBe(0);
    await page.getByRole('rowheader', { name: 'people' }).getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'people' }).waitFor();
  });

  test('Parquet comes back as it was, is read as other programs write it, and is refused by name where it is broken', async () => {
    const { page } = workbench;
    const saved = join(scratch, 'people.parquet');
    await page.getByRole('button', { name: 'Export' }).click();
    await workbench.save(() => page.getByRole('menuitem', { name: /^Parquet/ }).click(), saved);
    await page.getByRole('tab', { name: 'Import' }).click();
    const file = page.getByLabel(/A CSV, TSV/);
    await file.setInputFiles(saved);
    await page.getByText('The first of 3 rows; 2 fact options and 3 implication options').waitFor();
    await page.getByRole('button', { name: 'Replace all rows' }).click();
    await page.getByText('Saved as version 1.', { exact: true }).waitFor();
    await textOf(cell(1, 2)).toBe('Ada says "hei", or');
    await page.getByRole('tab', { name: 'Import' }).click();
    // A list of options in each row, compressed with Zstandard.
    await file.setInputFiles(fixture('people-zstd'));
    await page.getByText('The first of 3 rows; 2 fact options and 0 implication options').waitFor();
    await page.getByLabel('Fact prompt').selectOption('options');
    await page.getByText(/Row 1, options: The cell holds a list, not a text\./).waitFor();
    for (const [name, code] of [
      ['encrypted', 'EncryptedParquet'],
      ['broken', 'TruncatedParquet'],
    ] as const) {
      const buffer = name === 'broken' ? readFileSync(saved).subarray(0, 200) : readFileSync(fixture(name));
      await file.setInputFiles({ name: 'data.parquet', mimeType: 'application/octet-stream', buffer });
      await page.getByText(code, { exact: true }).waitFor();
    }
    await page.getByRole('tab', { name: 'Rows' }).click();
  });

  test('is saved with what is being written into a cell', async () => {
    const { page } = workbench;
    await cell(0, 0).click();
    await page.keyboard.type('Nobody lives in');
    await press('Control+s');
    await page.getByText('Saved as version 2.', { exact: true }).first().waitFor();
    await textOf(cell(0, 0)).toBe('Nobody lives in');
    await press('Control+z');
    await press('Control+s');
    await page.getByText('Saved as version 3.', { exact: true }).first().waitFor();
    await textOf(cell(0, 0)).toBe('Ada lives in');
  });

  test('records of CounterFact become facts and linked implications, with what became of each field', async () => {
    const { page } = workbench;
    const records = [
      ['Danielle Darrieux', 'English', 'French'],
      ['Léon Blum', 'Swedish', 'French'],
    ].map(([subject, now, before], case_id) => ({
      case_id,
      requested_rewrite: {
        prompt: 'The mother tongue of {} is',
        target_new: { str: now },
        target_true: { str: before },
        subject,
      },
      paraphrase_prompts: [`${subject}, a native`, `${subject} spoke the language`],
      neighborhood_prompts: ['The mother tongue of Michel Rocard is'],
    }));
    await page.getByRole('tab', { name: 'Import' }).click();
    const buffer = Buffer.from(JSON.stringify(records));
    await page.getByLabel(/A CSV, TSV/).setInputFiles({ name: 'counterfact.json', mimeType: 'application/json', buffer });
    await page.getByText('2 records of a model-editing benchmark').waitFor();
    const fields = page.getByRole('table', { name: 'What became of each field' });
    await expect.poll(() => fields.getByRole('row', { name: /^requested_rewrite The edit facts 2 2/ }).count()).toBe(1);
    await page.getByText('Left out: case_id.').waitFor();
    await page.getByLabel('What requested_rewrite.target_true becomes').selectOption('fact options');
    await page.getByText('The first of 4 rows; 3 fact options and 2 implication options').waitFor();
    await page.getByRole('button', { name: 'Replace all rows' }).click();
    await textOf(cell(0, 0)).toBe('The mother tongue of Danielle Darrieux is');
    await expect.poll(() => cell(1, 0).textContent()).toContain('↳ The mother tongue of Danielle Darrieux is English');
    await cell(0, 0).click();
    await press('Control+z');
    await textOf(cell(0, 0)).toBe('Ada lives in');
  });

  test('templates make rows of a table, and say which slot is unknown', async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'From templates' }).click();
    const write = async (text: string) => {
      await cell(1, 0, 'Entities').click();
      await page.keyboard.type(text);
      await press('Enter');
    };
    // What is typed is there again, however soon one leaves.
    await write('Ben Reed');
    await page.getByRole('tab', { name: 'Rows' }).click();
    await workbench.reload();
    await page.getByRole('tab', { name: 'From templates' }).click();
    await textOf(cell(1, 0, 'Entities')).toBe('Ben Reed');
    await write('Cleo Finch');
    const names = page.getByLabel('Columns', { exact: true });
    await names.fill('name, city, tongue');
    await workbench.reload();
    await page.getByRole('tab', { name: 'From templates' }).click();
    await textOf(cell(1, 0, 'Entities')).toBe('Cleo Finch');
    await expect.poll(() => names.inputValue()).toBe('name, city, tongue');
    await names.fill('name, city, language');
    await names.press('Enter');
    await page.getByLabel('Fact 1: sentence').fill('{nmae} lives in');
    await page.getByRole('button', { name: 'Preview the rows' }).click();
    await page.getByText(/\{nmae\} is no column of the table/).waitFor();
    await page.getByLabel('Fact 1: sentence').fill('{name} lives in');
    await page.getByRole('button', { name: 'Preview the rows' }).click();
    await page.getByText(/The first of 2 rows/).waitFor();
    await page.getByRole('button', { name: 'Replace all rows' }).click();
    await textOf(cell(1, 2)).toBe('The people in the city Cleo Finch is from speak');
    await cell(0, 0).click();
    await press('Control+z');
    await textOf(cell(0, 0)).toBe('Ada lives in');
  });

  test('thousands of rows: only those in view are in the page, and the keyboard reaches all of them', async () => {
    const { page } = workbench;
    await cell(0, 0).click();
    await pasteText(
      Array.from({ length: 5000 }, (_, row) => `Person ${row} lives in\tOslo\tPerson ${row} speaks\tNorwegian`).join('\n'),
    );
    await expect.poll(() => grid().getAttribute('aria-rowcount')).toBe('5001');
    await press('Control+Home');
    await press('Control+End');
    await expect.poll(() => inPage(page, 'document.activeElement.dataset.cell')).toBe('4999.3');
    await expect.poll(() => grid().getByRole('row').count()).toBeLessThan(60);
    await press('PageUp');
    await page.keyboard.type('x');
    await press('Escape');
    await textOf(cell(4999, 3)).toBe('Norwegian');
    // Replaced everywhere and taken back, with the keyboard where it was.
    await press('Control+f');
    await page.getByPlaceholder('Find', { exact: true }).fill('Oslo');
    await page.getByPlaceholder('Replace with').fill('Bergen');
    await page.getByRole('button', { name: 'Replace all' }).click();
    await page.getByText('Replaced 5,000 occurrences in 5,000 cells.').waitFor();
    await press('Escape');
    await press('Control+z');
    await press('Control+Home');
    await textOf(cell(0, 1)).toBe('Oslo');
  });

  test('deleting a data set can be undone', async () => {
    const { page } = workbench;
    await page.getByRole('link', { name: 'Data sets', exact: true }).first().click();
    await page.getByRole('button', { name: 'Actions for people' }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await expect.poll(() => page.getByRole('rowheader', { name: 'people' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('rowheader', { name: 'people' }).waitFor();
  });

  test('the screens have nothing that axe objects to, and nothing complained', async () => {
    const { page } = workbench;
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const check = async () => {
      const found = await inPage(
        page,
        `${axe}; axe.run({ resultTypes: ['violations'] }).then((result) => result.violations.map(({ id, nodes }) => id + ' ' + nodes[0].html))`,
      );
      expect(found).toEqual([]);
    };
    await check();
    await page.getByRole('link', { name: 'people' }).click();
    for (const tab of ['From templates', 'Import', /^Versions/, 'Rows']) {
      await page.getByRole('tab', { name: tab }).click();
      await check();
    }
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
