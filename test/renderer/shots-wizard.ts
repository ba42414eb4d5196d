/** Pictures of choosing an experiment and of the steps of its wizard, mistakes included. */
import type { Page } from 'playwright';
import type { Shot } from './shots.ts';

/** Goes on by that many steps; each is there before the next is asked for. */
async function steps(page: Page, count: number): Promise<void> {
  const current = page.getByRole('navigation', { name: 'Steps' }).locator('[aria-current=step]');
  for (let step = 0; step < count; step++) {
    const before = await current.textContent();
    await page.getByRole('button', { name: 'Next', exact: true }).click();
    await current.filter({ hasNotText: before ?? '' }).waitFor();
  }
}

export const wizardShots: readonly Shot[] = [
  { name: 'new', scenario: 'full', hash: '#/new', narrow: true },
  { name: 'wizard-question', scenario: 'full', hash: '#/new/ocr?model=small-world' },
  { name: 'wizard-model', scenario: 'full', hash: '#/new/ocr', act: (page) => steps(page, 1) },
  {
    name: 'wizard-model-error',
    scenario: 'empty',
    hash: '#/new/ocr',
    async act(page) {
      await steps(page, 1);
      await page.getByRole('radio', { name: /A folder/ }).check();
      await page.getByRole('main').getByRole('textbox').fill('/data/models/nothing-here');
      await page.getByRole('button', { name: 'Open', exact: true }).click();
      await page.getByText('ModelNotFound').waitFor();
    },
  },
  { name: 'wizard-data', scenario: 'full', hash: '#/new/ocr', act: (page) => steps(page, 2) },
  {
    name: 'wizard-settings-error',
    scenario: 'empty',
    hash: '#/new/ocr',
    whole: true,
    narrow: true,
    async act(page) {
      await steps(page, 3);
      await page.getByText('Advanced:').click();
      await page.getByLabel('Epochs').fill('lots');
      await page.getByLabel('Weights that train').selectOption('layers');
      await page.getByRole('button', { name: 'Next', exact: true }).click();
    },
  },
  { name: 'wizard-prediction', scenario: 'empty', hash: '#/new/ocr', act: (page) => steps(page, 4) },
  { name: 'wizard-review', scenario: 'empty', hash: '#/new/ocr', contrast: true, act: (page) => steps(page, 5) },
  { name: 'wizard-again', scenario: 'full', hash: '#/new/ocr?from=run-finished', act: (page) => steps(page, 3) },
  { name: 'wizard-freezing', scenario: 'empty', hash: '#/new/layer-freezing' },
  { name: 'wizard-freezing-settings', scenario: 'empty', hash: '#/new/layer-freezing', act: (page) => steps(page, 3) },
  { name: 'wizard-emergence-settings', scenario: 'empty', hash: '#/new/emergence', act: (page) => steps(page, 3) },
  { name: 'wizard-daxwug-data', scenario: 'empty', hash: '#/new/data-ordering', act: (page) => steps(page, 2) },
  { name: 'wizard-unknown', scenario: 'empty', hash: '#/new/nothing-of-that-name' },
];
