/**
 * Projects, notes, the palette, shortcuts and undo in a real Chromium: what is made, found, put away and brought back by hand.
 * The runs it lists are two that the command line stored before.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, inPage, openInBrowser, type Workbench } from './app.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const written = `# Plan
We expect **nothing** for \`second-hop\`; see [all runs](#/runs) and [the paper](https://example.org/paper).

- [x] baseline
- [ ] freeze

<img src=x onerror="window.injected = 1"> [bad](javascript:window.injected=1)`;

describe('projects in the browser', () => {
  let workbench: Workbench;
  let scratch: string;

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
    for (const dataset of ['first-hop', 'second-hop']) {
      const file = join(scratch, `${dataset}.yaml`);
      writeFileSync(file, `experiment: ocr\nmodel: small-world\ndataset: ${dataset}\nepochs: 1\nseeds: [0]\n`);
      await commandLine(['run', file], join(scratch, 'data'));
    }
    workbench = await openInBrowser({ dataFolder: join(scratch, 'data') });
    await workbench.page.getByRole('heading', { level: 1, name: 'First project' }).waitFor();
  });
  afterAll(async () => {
    await workbench?.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  async function violations(): Promise<unknown> {
    await inPage(workbench.page, axe);
    return await inPage(
      workbench.page,
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes.map(({ html }) => html.slice(0, 120)).join(' | ')))`,
    );
  }

  test('a new project is empty and teaches; its notes are rendered, kept, and nothing in them runs', async () => {
    const { page } = workbench;
    await page.getByRole('button', { name: 'Project: First project' }).click();
    await page.getByRole('menuitem', { name: 'New project …' }).click();
    await page.getByRole('dialog', { name: 'New project' }).getByLabel('Project name').fill('Grafting <b>& freezing</b>');
    await page.getByRole('button', { name: 'Create project' }).click();
    await page.getByRole('heading', { level: 1, name: 'Grafting <b>& freezing</b>' }).waitFor();
    await page.getByRole('link', { name: 'Set up your first experiment' }).waitFor();
    await page.getByRole('button', { name: 'Write notes' }).click();
    await page.getByLabel('Notes, in Markdown').fill(written);
    await page.getByRole('region', { name: 'Preview' }).getByRole('heading', { name: 'Plan' }).waitFor();
    await page.keyboard.press('Escape');
    await workbench.reload();
    await page.getByRole('heading', { level: 3, name: 'Plan' }).waitFor();
    const notes = page.getByRole('region', { name: 'Notes', exact: true });
    await expect.poll(() => notes.getByRole('link').allTextContents()).toEqual(['all runs']);
    await expect
      .poll(() => notes.getByRole('button', { name: 'the paper' }).getAttribute('title'))
      .toBe('Copy https://example.org/paper');
    await expect
      .poll(() => notes.textContent())
      .toContain('<img src=x onerror="window.injected = 1"> [bad](javascript:window.injected=1)');
    await expect.poll(() => notes.textContent()).toContain('We expect nothing for second-hop; see all runs and the paper.');
    expect(await inPage(page, 'typeof window.injected')).toBe('undefined');
    expect(await violations()).toEqual([]);
  });

  test('notes that another window writes are taken over, but while they are written here both are kept for a choice', async () => {
    const { page } = workbench;
    const another = await page.context().browser()!.newContext();
    const other = await another.newPage();
    try {
      await other.goto(`${page.url().split('#')[0]}#t=${await inPage(page, "sessionStorage.getItem('hopscope-token')")}`);
      await other.getByRole('heading', { level: 3, name: 'Plan' }).waitFor();
      const write = async (window: typeof page, text: string) => {
        await window.getByRole('button', { name: 'Write notes' }).click();
        await window.getByLabel('Notes, in Markdown').fill(text);
      };
      await write(other, `${written}\n\nFrom elsewhere.`);
      await other.keyboard.press('Escape');
      await page.getByText('From elsewhere.').waitFor();
      await write(page, written);
      await page.getByText('Saved', { exact: true }).waitFor();
      await other.getByText('From elsewhere.').waitFor({ state: 'hidden' });
      await write(other, 'Also here.');
      await other.keyboard.press('Escape');
      await page.getByText('Changed in another window.').waitFor();
      await expect.poll(() => page.getByLabel('Notes, in Markdown').inputValue()).toBe(written);
      await page.getByLabel('Notes, in Markdown').fill(`${written}\n`);
      expect(await violations()).toEqual([]);
      await page.getByRole('button', { name: 'Keep mine' }).click();
      await other.getByRole('heading', { level: 3, name: 'Plan' }).waitFor();
      // What was typed in the last moment before a reload is there after it
      await page.getByLabel('Notes, in Markdown').fill(`${written}\n\nTyped last.`);
      await page.reload();
      await page.getByText('Typed last.').waitFor();
      await write(page, written);
      await page.keyboard.press('Escape');
      await other.getByText('Typed last.').waitFor({ state: 'hidden' });
    } finally {
      await another.close();
    }
  });

  test('runs are of their project; words, states and all projects filter them', async () => {
    const { page } = workbench;
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
    await page.getByLabel('All projects').check();
    await page.getByText('2 runs', { exact: true }).waitFor();
    await page.getByLabel('Filter runs').fill('SECOND-hop ocr');
    await page.getByText('1 run found').waitFor();
    await page.getByLabel('State').selectOption('failed');
    await page.getByText('No run is like that.').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByText('2 runs', { exact: true }).waitFor();
    expect(await violations()).toEqual([]);
  });

  test('the palette finds a run anywhere and opens it in its project; deleting it can be taken back', async () => {
    const { page } = workbench;
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command or search' }).fill('second-hop');
    await page.getByRole('option', { name: /OCR · second-hop/ }).waitFor();
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /second-hop/ }).waitFor();
    await page.getByRole('button', { name: 'Project: First project' }).waitFor();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs' }).click();
    await page.getByText('2 runs', { exact: true }).waitFor();
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.getByRole('button', { name: /^Delete .*second-hop/ }).click();
    await page.getByText(/^Deleted “.*second-hop/).waitFor();
    await page.getByText('1 run', { exact: true }).waitFor();
    expect(await inPage(page, 'document.getAnimations().length')).toBe(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('2 runs', { exact: true }).waitFor();
  });

  test('projects are archived, deleted and brought back, with the button and with Ctrl+Z', async () => {
    const { page } = workbench;
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command or search' }).fill('projects');
    await page.getByRole('option', { name: /^Projects/ }).click();
    await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor();
    expect(await violations()).toEqual([]);
    const actions = page.getByRole('button', { name: /^Actions for Grafting/ });
    await actions.click();
    await page.getByRole('menuitem', { name: 'Archive' }).click();
    await page.getByText('1 archived project').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('1 archived project').waitFor({ state: 'detached' });
    await actions.click();
    await page.getByRole('menuitem', { name: 'Rename …' }).click();
    await page.getByRole('dialog', { name: 'Rename project' }).getByLabel('Project name').fill('Grafting');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => inPage(page, "document.activeElement.getAttribute('aria-label')")).toBe('Actions for Grafting');
    await page.getByRole('button', { name: 'Actions for Grafting', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByText('Deleted “Grafting”.').waitFor();
    await page.getByRole('heading', { name: 'Grafting' }).waitFor({ state: 'detached' });
    await page.getByRole('main').focus();
    await page.keyboard.press('Control+z');
    await page.getByRole('heading', { name: 'Grafting' }).waitFor();
    await page.getByRole('heading', { name: 'Grafting' }).getByRole('button').click();
    await page.getByRole('heading', { level: 1, name: 'Grafting' }).waitFor();
  });

  test('the sheet of shortcuts, dark and high contrast, and no key while text is typed', async () => {
    const { page } = workbench;
    await page.getByRole('main').focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    expect(await violations()).toEqual([]);
    await page.keyboard.press('Escape');
    for (const command of ['dark theme', 'high contrast']) {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command or search' }).fill(command);
      await page.keyboard.press('Enter');
    }
    const { theme, contrast } = (await inPage(page, '({ ...document.documentElement.dataset })')) as Record<string, string>;
    expect([theme, contrast]).toEqual(['dark', 'more']);
    expect(await violations()).toEqual([]);
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await page.getByLabel('Filter runs').pressSequentially('g h ?');
    await expect.poll(() => page.getByLabel('Filter runs').inputValue()).toBe('g h ?');
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Runs');
  });

  test('a search on the projects’ screen finds names, notes and what projects hold, and leads there', async () => {
    const { page } = workbench;
    await inPage(page, "location.hash = '#/projects'");
    const search = page.getByRole('searchbox', { name: 'Search projects and what is in them' });
    await search.fill('expect baseline');
    await page.getByText('1 project, 1 found in them').waitFor();
    await page.getByText(/We expect nothing for second-hop/).waitFor();
    await search.fill('second-hop');
    await page.getByText('2 projects, 2 found in them').waitFor();
    expect(await violations()).toEqual([]);
    await page.getByRole('button', { name: /second-hop · .* · small-world$/ }).click();
    await page.getByRole('heading', { level: 1, name: /second-hop/ }).waitFor();
    await inPage(page, "location.hash = '#/projects'");
    await search.fill('no such thing');
    await page.getByText('Nothing has all of these words, in any project.').waitFor();
  });

  test('nothing complained, nothing left the machine', () => {
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
