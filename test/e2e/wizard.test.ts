/**
 * Putting an experiment together over several visits: what was typed is kept until the run starts, and each step refuses what cannot run.
 * How a finished run looks is first-experiment.test.ts's.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPage, openInBrowser, type Workbench } from './app.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await openInBrowser();
  workbench.page.setDefaultTimeout(20_000);
});
afterAll(() => workbench?.close());

const current = () => workbench.page.getByRole('navigation', { name: 'Steps' }).locator('[aria-current=step]');
const button = (name: string) => workbench.page.getByRole('button', { name, exact: true });

async function at(step: string): Promise<void> {
  await current().filter({ hasText: step }).waitFor();
}
async function on(...steps: string[]): Promise<void> {
  for (const step of steps) {
    await expect.poll(() => button('Next').isEnabled(), { timeout: 20_000 }).toBe(true);
    await button('Next').click();
    await at(step);
  }
}
async function go(hash: string): Promise<void> {
  await inPage(workbench.page, `location.hash = ${JSON.stringify(hash)}`);
}
const unfold = () => workbench.page.getByText('Advanced:').click();

describe('an experiment that is put together', () => {
  test('is there again after a reload and after another screen', { timeout: 60_000 }, async () => {
    const { page } = workbench;
    await go('#/new/ocr');
    await at('Question');
    await expect.poll(() => button('Start over').count()).toBe(0);
    await on('Model', 'Data', 'Settings');
    await page.getByLabel('Epochs').fill('77');
    await workbench.reload();
    await at('Settings');
    await expect.poll(() => page.getByLabel('Epochs').inputValue()).toBe('77');
    await page.getByTestId('draft-resumed').waitFor();
    await page.getByRole('link', { name: 'Models', exact: true }).click();
    await page.getByRole('heading', { name: 'Models', level: 1 }).waitFor();
    await page.goBack();
    await at('Settings');
    await expect.poll(() => page.getByLabel('Epochs').inputValue()).toBe('77');
  });

  test('is begun anew by an address with values, and by Start over, which can be undone', { timeout: 60_000 }, async () => {
    const { page } = workbench;
    await go(`#/new/ocr?values=${encodeURIComponent('{"epochs": 5}')}`);
    await at('Question');
    await on('Model', 'Data', 'Settings');
    await expect.poll(() => page.getByLabel('Epochs').inputValue()).toBe('5');
    // From the first step on it is this draft that is kept
    await workbench.reload();
    await at('Settings');
    await expect.poll(() => page.getByLabel('Epochs').inputValue()).toBe('5');
    await button('Start over').click();
    await at('Question');
    await button('Undo').click();
    await at('Settings');
    await expect.poll(() => page.getByLabel('Epochs').inputValue()).toBe('5');
  });

  test('does not leave its settings with one that cannot be read, and says which', { timeout: 60_000 }, async () => {
    const { page } = workbench;
    await unfold();
    for (const wrong of ['abc', '-1']) {
      await page.getByLabel('Memory', { exact: true }).fill(wrong);
      await button('Next').click();
      await page.getByText(`“${wrong}” is not a number of bytes, such as 8GiB or 900MB.`).waitFor();
      await at('Settings');
      await expect.poll(() => inPage(page, "document.activeElement?.getAttribute('aria-invalid')")).toBe('true');
    }
    await button('Memory').click();
    await expect.poll(() => page.locator('[data-setting=memory] input:focus').count()).toBe(1);
    await page.getByLabel('Memory', { exact: true }).fill('8GiB');
    const given = page.getByLabel('Given batches');
    await given.fill('[[[0, 1, 2], [3, 99]]]');
    await button('Next').click();
    await page.getByText(/99 in its batch 1 is out of range/).waitFor();
    await at('Settings');
    await button('Clear Given batches').click();
    await inPage(page, readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const found = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ' ' + nodes[0].html.slice(0, 120)))";
    expect(await inPage(page, found)).toEqual([]);
  });

  test('offers adapters their learning rate', async () => {
    const { page } = workbench;
    await page.getByLabel('Trained parameters').selectOption('lora');
    await button('Use 5e-3').first().click();
    await expect.poll(() => page.getByLabel('Learning rate').inputValue()).toBe('5e-3');
    await expect.poll(() => button('Use 5e-3').count()).toBe(0);
    await button('Reset Trained parameters').click();
    await button('Reset Learning rate').click();
  });

  test('keeps a prediction within the options, and is forgotten once its run starts', { timeout: 60_000 }, async () => {
    const { page } = workbench;
    await page.getByLabel('Epochs').fill('1');
    await page.getByLabel('Seeds').fill('0');
    await on('Prediction');
    await page.getByLabel('Threshold').fill('1000000000');
    await button('Next').click();
    await page.getByText(/Ranks among these \d+ options go from 0 to \d+/).waitFor();
    await at('Prediction');
    await page.getByLabel('Threshold').fill('2');
    await page.getByLabel(/^Why/).fill('Because **earlier** runs did:\n\n- one\n- two');
    await on('Review');
    await page.getByTestId('review-prediction').locator('strong', { hasText: 'earlier' }).waitFor();
    await button('Start run').click();
    await page.getByTestId('prediction').locator('li', { hasText: 'two' }).waitFor();
    await go('#/new/ocr');
    await at('Question');
    await expect.poll(() => button('Start over').count()).toBe(0);
  });

  test('has fields for values of several parts, and they come into the spec', { timeout: 60_000 }, async () => {
    const { page } = workbench;
    await go('#/new/emergence');
    await at('Question');
    await on('Model', 'Data', 'Settings');
    await page.getByLabel('Extractive scores').uncheck();
    await button('Add a folder to Checkpoints').click();
    await page.keyboard.type('/models/step 1');
    await button('Add a folder to Checkpoints').click();
    await unfold();
    await page.getByLabel('Number', { exact: true }).fill('4');
    await page.getByLabel('Prompt', { exact: true }).fill('The people in the city X Y is from speak');
    await page.getByLabel('Answer', { exact: true }).fill('Z');
    await button('Open the spec').click();
    const spec = page.getByRole('dialog');
    for (const part of ['scores: false', '/models/step 1', 'count: 4', 'answer: Z']) await spec.getByText(part).first().waitFor();
    await page.keyboard.press('Escape');
    await button('Edit as text Checkpoints').click();
    await expect.poll(() => page.getByLabel('Checkpoints').inputValue()).toBe('["/models/step 1",""]');
  });

  test('nothing complained, nothing left the machine', () => {
    expect(workbench.problems).toEqual([]);
    expect(workbench.outside).toEqual([]);
  });
});
