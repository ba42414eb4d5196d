/**
 * The dial of strength on a real run of the small world: at 1 and 0 the run's own last and first ranks, live in between, by blocks of layers, with
 * paths that are saved; and the model asked for next tokens with the run's weights.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, inPage, openInBrowser, type Workbench } from './app.ts';

interface Epoch {
  per_seed: { seed: number; fact_rank: number; implication_rank: number }[];
}

let scratch: string;
let data: string;
let workbench: Workbench;
let run = '';
let epochs: Epoch[] = [];

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'hopscope-e2e-'));
  data = join(scratch, 'data');
  const spec = join(scratch, 'spec.yaml');
  writeFileSync(spec, 'experiment: ocr\nmodel: small-world\ndataset: first-hop\nepochs: 5\nseeds: [0, 1]\nthreads: 2\n');
  const finished = (await commandLine(['run', spec], data)) as { run: string; results: { epochs: Epoch[] } };
  run = finished.run;
  epochs = finished.results.epochs;
  workbench = await openInBrowser({ dataFolder: data });
  await inPage(workbench.page, `location.hash = '#/runs/${run}'`);
});
afterAll(async () => {
  await workbench?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** A machine in use takes its time. */
const patient = { timeout: 20_000 };

const heading = () => workbench.page.getByRole('heading', { name: 'Strength', exact: true });
const dial = () => workbench.page.getByTestId('strength-dial');
const ranks = () => dial().getByTestId('dial-ranks').locator('strong').allTextContents();
const storedRanks = (epoch: Epoch, seed: number) => {
  const one = epoch.per_seed.find((entry) => entry.seed === seed)!;
  return [one.fact_rank, one.implication_rank].map((rank) => rank.toFixed(2));
};

describe('the dial on the run’s screen', () => {
  test('shows the run’s last ranks at 1 and its first ones at 0, and follows the slider', async () => {
    // Nothing is loaded for a dial that nobody looks at
    await heading().waitFor();
    await workbench.page.waitForTimeout(500);
    expect(await dial().count()).toBe(0);
    await heading().scrollIntoViewIfNeeded();
    const slider = dial().getByRole('slider', { name: /^All layers/ });
    await expect.poll(ranks, patient).toEqual(storedRanks(epochs.at(-1)!, 0));
    await slider.fill('0');
    await expect.poll(ranks, patient).toEqual(storedRanks(epochs[0]!, 0));
    await expect
      .poll(() => slider.getAttribute('aria-valuetext'))
      .toMatch(/^0\.00; facts: mean rank \d+\.\d\d, implications: mean rank \d/);
    for (const strength of ['0.2', '0.4', '0.6', '0.8']) await slider.fill(strength);
    await slider.fill('1');
    await expect.poll(ranks, { ...patient, interval: 10 }).toEqual(storedRanks(epochs.at(-1)!, 0));
    await dial()
      .getByText(/^Mean rank of the right answer/)
      .waitFor();
  });

  test('steps by keys, another seed has its own weights', async () => {
    const slider = dial().getByRole('slider');
    await slider.focus();
    await slider.press('ArrowLeft');
    await slider.press('ArrowLeft');
    await expect.poll(() => slider.inputValue()).toBe('0.9');
    await dial().getByRole('combobox', { name: 'Training' }).selectOption({ label: 'finetune, seed 1' });
    await expect.poll(ranks, patient).toEqual(storedRanks(epochs.at(-1)!, 1));
    await expect.poll(() => slider.inputValue()).toBe('1');
  });

  test('moves blocks of layers one by one, and draws an item’s rank', async () => {
    await dial().getByRole('button', { name: 'By block of layers' }).click();
    await expect.poll(() => dial().getByRole('slider').count()).toBe(4);
    await dial().getByRole('combobox', { name: 'Blocks' }).selectOption({ label: 'Early and late layers, from 4' });
    const late = dial().getByRole('slider', { name: /^Layers 4 and 5/ });
    await late.fill('-1');
    await late.fill('0');
    await dial()
      .getByText(/in layers 4 and 5 \(layers 0 to 3 at 1\)/)
      .waitFor();
    await dial().getByTestId('dial-items').getByRole('button').nth(2).click();
    const file = join(scratch, 'dial.csv');
    await expect.poll(() => dial().getByText('item 3 of the implications').count(), patient).toBeGreaterThan(0);
    await workbench.save(() => dial().getByRole('button', { name: /^CSV/ }).click(), file);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('item 3 of the implications');
    expect(text).toContain(storedRanks(epochs.at(-1)!, 1)[1]!.replace(/0+$/, ''));
  });

  test('saves a path with the run, deletes it and brings it back', async () => {
    const { page } = workbench;
    await dial().getByRole('button', { name: 'Save this path' }).click();
    const saved = dial().getByRole('region', { name: 'Saved paths' });
    await saved
      .getByRole('button', { name: /points, finetune, seed 1/ })
      .first()
      .waitFor();
    await saved.getByRole('button', { name: /^Delete the path/ }).click();
    await expect.poll(() => saved.count(), patient).toBe(0);
    await page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: 'Undo' }).last().click();
    await saved.waitFor();
    await workbench.reload();
    await heading().scrollIntoViewIfNeeded();
    await expect.poll(ranks, patient).toEqual(storedRanks(epochs.at(-1)!, 0));
    await dial().getByRole('region', { name: 'Saved paths' }).getByRole('button').first().click();
    await dial()
      .getByRole('slider', { name: /^Layers 4 and 5/ })
      .waitFor();
    await dial().getByRole('button', { name: 'Reset' }).click();
    await dial()
      .getByRole('slider', { name: /^All layers/ })
      .waitFor();
    await expect.poll(ranks, patient).toEqual(storedRanks(epochs.at(-1)!, 1));
  });

  test('axe finds nothing in light and dark', async () => {
    const { page } = workbench;
    await inPage(page, readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const found = await inPage(
        page,
        `axe.run('section:has([data-testid="strength-dial"])').then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))`,
      );
      expect(found).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: null });
  });
});

test('the model is asked for next tokens with the run’s weights', async () => {
  const { page } = workbench;
  await inPage(page, "location.hash = '#/models/small-world?tab=next'");
  const [weights, ask] = [
    page.getByRole('combobox', { name: 'Weights' }),
    page.getByRole('button', { name: 'What comes next?' }),
  ];
  const probabilities = async () => {
    await ask.click();
    await page.getByText(/tokens read, in/).waitFor();
    return page.locator('tbody').first().innerText();
  };
  const own = await probabilities();
  await weights.selectOption({ index: 1 });
  await expect.poll(probabilities, patient).not.toBe(own);
});

test('weights that are gone are named, and nothing else complained', async () => {
  const { page } = workbench;
  await inPage(page, `location.hash = '#/runs/${run}'`);
  await heading().scrollIntoViewIfNeeded();
  const slider = dial().getByRole('slider', { name: /^All layers/ });
  await expect.poll(ranks, patient).toEqual(storedRanks(epochs.at(-1)!, 0));
  const folder = join(data, 'weights', run);
  expect(readdirSync(folder).sort()).toEqual(['finetune.seed-0.safetensors', 'finetune.seed-1.safetensors']);
  rmSync(folder, { recursive: true });
  await slider.fill('0.5');
  await dial()
    .getByText(/are not there any more/)
    .waitFor();
  expect(workbench.problems).toEqual([]);
  expect(workbench.outside).toEqual([]);
});
