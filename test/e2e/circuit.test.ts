/**
 * The circuit explorer on a real run of the small world, from stored scores alone: maps, one component, the node-link circuit with pins, groups
 * and notes, saving and undo, the difference of two runs, files, and the way back to an experiment.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, inPage, openInBrowser, type Workbench } from './app.ts';

let scratch: string;
let workbench: Workbench;
let run = '';
let results: { average: { [name: string]: { shape: number[]; values: number[] } }; accumulation: { tokens: string[] } };

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
  const data = join(scratch, 'data');
  const spec = join(scratch, 'spec.yaml');
  for (const [seeds, epochs] of [
    ['[0, 1]', 3],
    ['[2]', 1],
  ] as const) {
    writeFileSync(
      spec,
      `experiment: extractive-scores\nmodel: small-world\ndataset: first-hop\nepochs: ${epochs}\nseeds: ${seeds}\n`,
    );
    const finished = (await commandLine(['run', spec], data)) as { run: string; results: typeof results };
    if (seeds === '[0, 1]') {
      run = finished.run;
      results = finished.results;
    }
  }
  workbench = await openInBrowser({ dataFolder: data });
});
afterAll(async () => {
  await workbench?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** The value at a layer and token of a stored average, heads added. */
function stored(name: string, layer: number, token: number): number {
  const { shape, values } = results.average[name]!;
  const [heads, tokens] = [shape.length === 3 ? shape[1]! : 1, shape.at(-1)!];
  return Array.from({ length: heads }, (_, head) => values[(layer * heads + head) * tokens + token]!).reduce(
    (sum, value) => sum + value,
  );
}

describe('the circuit explorer', () => {
  test('is reached from the list of runs with scores', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Circuits' }).click();
    await expect.poll(() => page.locator('tbody tr').count()).toBe(2);
    await page.locator('tbody tr').last().getByRole('link').click();
    await page.getByRole('heading', { name: 'Circuit explorer' }).waitFor();
    expect(page.url()).toContain(`/runs/${run}/circuit`);
  });

  test('shows three maps whose cells say the stored numbers, under the keys', async () => {
    const { page } = workbench;
    const map = page.getByRole('application', { name: /^Downstream scores/ });
    await map.focus();
    await map.press('PageDown');
    await map.press('End');
    const { tokens } = results.accumulation;
    const last = results.average['downstream.mlp']!.shape[0]! - 1;
    const cell = page.getByTestId('cell');
    await cell.getByText(`MLP of layer ${last} at “${tokens.at(-1)}”`).waitFor();
    const said = await cell.locator('dd').allTextContents();
    const expected = ['informative.mlp', 'upstream.mlp', 'downstream.mlp'].map((name) => stored(name, last, tokens.length - 1));
    expect(said).toHaveLength(3);
    for (const [place, text] of said.entries()) {
      const value = Number(/^−?[\d.e-]+/.exec(text)![0].replace('−', '-'));
      expect(Math.abs(value - expected[place]!)).toBeLessThan(0.006 * Math.abs(expected[place]!) + 1e-9);
    }
  });

  test('opens a component with its scores by seed and its top items, and goes to an item', async () => {
    const { page } = workbench;
    await page.getByRole('application', { name: /^Downstream scores/ }).press('Enter');
    const panel = page.getByTestId('component');
    await panel.getByText('Seed 1').first().waitFor();
    await expect.poll(() => panel.getByRole('listitem', { name: 'Downstream, strict' }).locator('dd').count()).toBe(3);
    await panel.locator('ol button').first().click();
    await page.getByText(/Item \d+: “The people/).waitFor();
    await page.getByRole('combobox', { name: 'Item' }).click();
    await page.keyboard.type('average');
    await page.getByRole('option', { name: /^Average/ }).click();
    await page.getByText(/^Averaged over the items/).waitFor();
  });

  test('heads and another run’s difference keep the maps in one scale', async () => {
    const { page } = workbench;
    await page.getByRole('radio', { name: 'Heads' }).check();
    await page
      .getByRole('application', { name: /layers by heads/ })
      .first()
      .waitFor();
    await page.getByRole('radio', { name: 'MLPs' }).check();
    await page.getByLabel('Minus another run').selectOption({ index: 1 });
    await page
      .getByText(/A minus B\. A: run .*mean over seeds 0, 1\. B: run .*seed 2\. Positive: higher in A\. Settings.*epochs 3; 1/)
      .waitFor();
    await page.getByText(/red is higher in A/).waitFor();
    expect(page.url()).toContain('?minus=');
    await workbench.reload();
    await page.getByText(/red is higher in A/).waitFor();
    await page.getByRole('combobox', { name: 'Seed', exact: true }).selectOption('1');
    await page.getByText(/B has no seed 1, so the mean over its seeds is subtracted/).waitFor();
    await page.getByRole('combobox', { name: 'Seed', exact: true }).selectOption('');
    await page.getByLabel('Minus another run').selectOption('');
  });

  test('a circuit is thresholded, pinned, grouped and annotated by keys, undone, saved and opened again', async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'Circuit' }).click();
    const count = page.getByTestId('count');
    const shown = async () => Number.parseInt((await count.textContent()) ?? '', 10);
    await expect.poll(shown).toBeGreaterThan(10);
    const first = await shown();
    await page.getByRole('slider', { name: 'Threshold' }).fill('0.95');
    await expect.poll(shown).toBeLessThan(first);
    const canvas = page.getByRole('application', { name: /^Circuit of/ });
    await canvas.focus();
    await canvas.press('Escape'); // the component that was open in the maps is selected
    await canvas.press('ArrowRight');
    await canvas.press('Space');
    await canvas.press('ArrowDown');
    await canvas.press('Space');
    await canvas.press('g');
    await page.getByRole('dialog').getByLabel('Name of the group').fill('recall');
    await page.getByRole('dialog').getByRole('button', { name: 'Group' }).click();
    const circles = page.locator('svg [data-key]');
    await page.locator('svg [data-group]').waitFor();
    const apart = await circles.count();
    await canvas.focus();
    await canvas.press('c');
    await page.locator('svg [data-key^="group"]').waitFor();
    await expect.poll(() => circles.count()).toBe(apart - 1);
    await page.locator('svg [data-group]').waitFor({ state: 'detached' });
    // A double click opens it, and the group's button collapses it once more
    await page.locator('svg [data-key^="group"]').dblclick();
    await page.locator('svg [data-group]').waitFor();
    await page.getByRole('button', { name: 'Collapse recall' }).click();
    await page.locator('svg [data-key^="group"]').waitFor();
    await page.getByPlaceholder('Note on this group').fill('where the city is recalled');
    await page.getByPlaceholder('Note on this group').blur();
    await page.getByRole('button', { name: 'Save …' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('First hop');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved “First hop”.').waitFor();
    const undo = page.getByRole('button', { name: 'Undo', exact: true }).first();
    await undo.click(); // the note
    await undo.click(); // collapsed by its button
    await page.getByText('Marks not saved yet').waitFor();
    await page.locator('svg [data-group]').waitFor();
    for (const _ of ['opened by mouse', 'collapsed by key', 'grouped']) await undo.click();
    await expect.poll(() => page.locator('svg [data-group], svg [data-key^="group"]').count()).toBe(0);
    await workbench.reload();
    // Tab, circuit and the marks that were not saved are there again
    await page.getByText('Marks on “First hop” that were not saved are back.').waitFor();
    await expect.poll(() => page.locator('svg [data-group], svg [data-key^="group"]').count()).toBe(0);
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Discard' }).click();
    await page.locator('svg [data-key^="group"]').waitFor();
    await expect.poll(() => circles.count()).toBe(apart - 1);
    await expect.poll(() => page.getByPlaceholder('Note on this group').inputValue()).toBe('where the city is recalled');
  });

  test('a search leads to the saved circuit itself', async () => {
    const { page } = workbench;
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Circuits', exact: true }).click();
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Command or search' }).fill('First hop');
    await page
      .getByRole('group', { name: 'Circuits' })
      .getByRole('option', { name: /First hop/ })
      .click();
    await page.locator('svg [data-key^="group"]').waitFor();
    expect(page.url()).toMatch(/\/circuit\?circuit=\d+$/);
    const chosen = page.getByRole('combobox', { name: 'Circuit', exact: true }).locator('option:checked');
    await expect.poll(() => chosen.textContent()).toBe('First hop');
  });

  test('is saved as files with the legend and the note inside', async () => {
    const { page } = workbench;
    await page.getByRole('slider', { name: 'Threshold' }).fill('0.6');
    const exports = page.getByRole('group', { name: 'Save the circuit as' });
    const svg = join(scratch, 'circuit.svg');
    await workbench.save(() => exports.getByRole('button', { name: /^SVG/ }).click(), svg);
    const text = readFileSync(svg, 'utf8');
    for (const words of ['could influence', 'recall', 'where the city is recalled', 'small-world']) expect(text).toContain(words);
    const csv = join(scratch, 'circuit.csv');
    await workbench.save(() => exports.getByRole('button', { name: /^CSV/ }).click(), csv);
    const rows = readFileSync(csv, 'utf8').trim().split('\r\n');
    const [together] = rows.filter((row) => row.includes(',yes,recall,'));
    expect(together).toMatch(/^recall,,,,,.*; .*small-world/);
    const single = rows.slice(1).find((row) => row !== together)!;
    const [component = '', layer, , token, , , , informative] = single.split(',');
    const name = component.startsWith('MLP') ? 'informative.mlp' : 'informative.attn';
    expect(Number(informative)).toBeCloseTo(stored(name, Number(layer), Number(token)), 5);
    const json = join(scratch, 'circuit.json');
    await workbench.save(() => exports.getByRole('button', { name: /^JSON/ }).click(), json);
    const graph = JSON.parse(readFileSync(json, 'utf8')) as {
      metadata: { prompt_tokens: string[]; info: { description: string } };
      qParams: { pinnedIds: string[]; supernodes: string[][] };
      nodes: { node_id: string }[];
    };
    expect(graph.metadata.prompt_tokens).toEqual(results.accumulation.tokens);
    expect(graph.metadata.info.description).toContain('small-world');
    const [supernode = []] = graph.qParams.supernodes;
    const members = supernode.slice(1);
    expect([supernode[0], members.length]).toEqual(['recall', 2]);
    const ids = graph.nodes.map(({ node_id }) => node_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...members, ...graph.qParams.pinnedIds].every((id) => ids.includes(id))).toBe(true);
    const png = join(scratch, 'circuit.png');
    await workbench.save(() => exports.getByRole('button', { name: /^PNG/ }).click(), png);
    expect(readFileSync(png).subarray(1, 4).toString()).toBe('PNG');
  });

  test('a deleted circuit comes back', async () => {
    const { page } = workbench;
    await page.getByRole('group', { name: 'Saved circuits' }).getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Deleted “First hop”.').waitFor();
    await expect.poll(() => page.getByRole('combobox', { name: 'Circuit', exact: true }).locator('option').count()).toBe(1);
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Undo' }).click();
    await expect
      .poll(() => page.getByRole('combobox', { name: 'Circuit', exact: true }).locator('option').allTextContents())
      .toContain('First hop');
  });

  test('the strength view has the run’s stored check', async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'Strength' }).click();
    const figure = page.getByTestId('figure-strength');
    await figure.getByText('predicted by every parameter').first().waitFor();
    await figure
      .getByText(/small-world/)
      .first()
      .waitFor();
  });

  test('the explorer fills the window and gives it back; a search brings a weak component into sight', async () => {
    const { page } = workbench;
    await page.getByRole('tab', { name: 'Circuit' }).click();
    const canvas = page.getByRole('application', { name: /^Circuit of/ });
    await canvas.focus();
    await canvas.press('Escape');
    await canvas.press('f');
    const navigation = page.locator('nav[aria-label="Main"]');
    await page.getByRole('button', { name: 'Back to the page' }).waitFor();
    await expect.poll(() => navigation.getAttribute('inert')).toBe('');
    await canvas.press('Escape');
    await page.getByRole('button', { name: 'Fill the window' }).waitFor();
    await expect.poll(() => navigation.getAttribute('inert')).toBeNull();
    await canvas.press('/');
    await page.keyboard.type('mlp 0 t0');
    await page.getByRole('option', { name: /^MLP of layer 0 at/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByTestId('component').getByRole('heading', { name: 'MLP of layer 0' }).waitFor();
    await page.locator('svg [data-key="mlp.0.t0"]').waitFor();
    await expect.poll(() => page.getByRole('combobox', { name: 'Find a component' }).inputValue()).toBe('');
  });

  test('the drawing is dragged without a click, zoomed by Ctrl and the wheel, and fitted again', async () => {
    const { page } = workbench;
    const canvas = page.getByRole('application', { name: /^Circuit of/ });
    const frame = (await canvas.boundingBox())!;
    const place = () => canvas.locator('svg > g').first().getAttribute('transform');
    const first = await place();
    const [x, y, zoom] = [...first!.matchAll(/-?[\d.]+/g)].map(Number);
    const from = { x: frame.x + frame.width / 2, y: frame.y + frame.height / 2 };
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x + 60, from.y - 30, { steps: 3 });
    await page.mouse.up();
    await expect.poll(place).toBe(`translate(${x! + 60} ${y! - 30}) scale(${zoom})`);
    await page.getByTestId('component').getByRole('heading', { name: 'MLP of layer 0' }).waitFor(); // still selected
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -60);
    await page.keyboard.up('Control');
    await expect.poll(async () => Number(/scale\(([\d.]+)\)/.exec((await place())!)![1])).toBeGreaterThan(1.2 * zoom!);
    await canvas.focus();
    await canvas.press('0');
    await expect.poll(place).toBe(first);
  });

  test('components lead to experiments on exactly themselves', async () => {
    const { page } = workbench;
    const addressOf = async (panel: string, name: string) => {
      const link = page.getByTestId(panel).getByRole('link', { name, exact: true });
      return decodeURIComponent((await link.getAttribute('href')) ?? '');
    };
    await expect
      .poll(() => addressOf('component', 'Freeze'))
      .toContain('"all but MLP of layer 0":{"except":{"layers":[0],"modules":["mlp"]}}');
    const canvas = page.getByRole('application', { name: /^Circuit of/ });
    await canvas.focus();
    await canvas.press('ArrowDown');
    await canvas.press('Space');
    await page.getByTestId('selection').getByRole('heading', { name: '2 components' }).waitFor();
    const both = await addressOf('selection', 'Ablate');
    expect(both).toContain('"method":"mean","by":"chosen"');
    expect(both.match(/"part":/g)).toHaveLength(2);
    expect(both).toContain('{"part":"mlp","layer":0,"head":null,"token":0}');
    expect(both).toMatch(/"accumulation":\{"prompt":"[^"]+","answer":"[^"]+"\}/);
    await page.getByTestId('selection').getByRole('link', { name: 'Patch' }).click();
    await page.getByRole('heading', { name: 'Ablation and patching' }).waitFor();
    expect(decodeURIComponent(page.url())).toContain('"method":"patch-old"');
  });

  test('a small window brings an opened component into view; a note without a place runs no shortcuts', async () => {
    const { page } = workbench;
    const size = page.viewportSize();
    await page.setViewportSize({ width: 1024, height: 700 });
    await inPage(page, `void (location.hash = '#/runs/${run}/circuit?tab=circuit&component=mlp.0.t0,mlp.0.t1')`);
    const panel = page.getByTestId('selection');
    await panel.getByRole('heading', { name: '2 components' }).waitFor();
    const canvas = page.getByRole('application', { name: /^Circuit of/ });
    await canvas.focus();
    await canvas.press('n');
    await page.getByRole('dialog').getByLabel('Name of the group').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await canvas.focus();
    await canvas.press('Escape');
    await page.getByText(/^Click a component to open it/).waitFor();
    await expect.poll(() => page.url()).not.toContain('component=');
    await workbench.reload();
    await canvas.focus();
    await page.keyboard.type('nfpg'); // nothing is selected, and the keys are at nothing
    await page.getByText('A note is on a component or a group: select one first.').waitFor();
    await page.getByRole('button', { name: 'Fill the window' }).waitFor();
    await canvas.press('ArrowRight');
    await canvas.press('Enter');
    const component = page.getByTestId('component');
    await expect.poll(() => component.evaluate((element) => element === document.activeElement)).toBe(true);
    await expect.poll(async () => (await component.boundingBox())!.y).toBeLessThan(400);
    await page.keyboard.press('Escape');
    await component.waitFor({ state: 'detached' });
    await expect.poll(() => canvas.evaluate((element) => element === document.activeElement)).toBe(true);
    if (size) await page.setViewportSize(size);
  });

  test('a run without scores says what to do', async () => {
    const { page } = workbench;
    await inPage(page, "location.hash = '#/runs/nowhere/circuit'");
    await page.getByText('RunNotFound').waitFor();
  });

  test('nothing complained, nothing left the machine, and axe finds nothing', async () => {
    const { page } = workbench;
    await inPage(page, `location.hash = '#/runs/${run}/circuit'`);
    await page.getByRole('application', { name: /^Downstream scores/ }).waitFor();
    await inPage(page, readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    for (const tab of ['Maps', 'Circuit', 'Strength']) {
      await page.getByRole('tab', { name: tab }).click();
      const found = await inPage(
        page,
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))',
      );
      expect(found).toEqual([]);
    }
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
