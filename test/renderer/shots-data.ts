/** Pictures of models and data sets. */
import type { Shot } from './shots.ts';

const people = '#/datasets/1';

export const dataShots: readonly Shot[] = [
  { name: 'models', scenario: 'full', hash: '#/models', narrow: true },
  { name: 'models-one', scenario: 'empty', hash: '#/models' },
  {
    name: 'models-add',
    scenario: 'full',
    hash: '#/models',
    act: (page) => page.getByRole('button', { name: 'Add models' }).click(),
  },
  {
    name: 'models-scan',
    scenario: 'full',
    hash: '#/models',
    async act(page) {
      await page.getByRole('button', { name: 'Add models' }).click();
      await page.getByRole('button', { name: 'Scan this folder' }).click();
      await page.getByRole('button', { name: /^Add \d+ models?/ }).waitFor();
    },
  },
  { name: 'model', scenario: 'full', hash: '#/models/1', whole: true, narrow: true },
  { name: 'model-broken', scenario: 'full', hash: '#/models/2' },
  {
    name: 'model-tokens',
    scenario: 'full',
    hash: '#/models/small-world?tab=tokenizer',
    act: (page) => page.getByLabel('Beside it').selectOption('1'),
  },
  {
    name: 'model-next',
    scenario: 'full',
    hash: '#/models/small-world?tab=next',
    act: (page) => page.getByRole('button', { name: 'What comes next?' }).click(),
  },
  { name: 'datasets', scenario: 'full', hash: '#/datasets', narrow: true },
  { name: 'datasets-empty', scenario: 'empty', hash: '#/datasets' },
  {
    name: 'datasets-menu',
    scenario: 'full',
    hash: '#/datasets',
    act: (page) => page.getByRole('button', { name: 'New data set' }).first().click(),
  },
  {
    name: 'datasets-file',
    scenario: 'full',
    hash: '#/datasets',
    async act(page) {
      await page.getByRole('button', { name: 'New data set' }).first().click();
      await page.getByRole('menuitem', { name: /From a file/ }).click();
      const csv = 'list,prompt,answer\ntrain,Nova Star lives in,Oslo\ntest,"Nova Star, from a city that';
      await page
        .getByLabel(/A CSV, TSV/)
        .setInputFiles({ name: 'people with a long name.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
      await page.getByText(/never closed/).waitFor();
    },
  },
  { name: 'dataset', scenario: 'full', hash: people, narrow: true, contrast: true },
  {
    name: 'dataset-edited',
    scenario: 'full',
    hash: people,
    async act(page) {
      const cell = page.getByRole('grid', { name: 'Facts and implications' }).locator('[data-cell="1.0"]');
      await cell.click();
      await page.keyboard.type('Somebody else lives in');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Shift+ArrowDown');
      await page.keyboard.press('Shift+ArrowRight');
    },
  },
  {
    name: 'dataset-find',
    scenario: 'full',
    hash: people,
    async act(page) {
      await page.getByRole('grid', { name: 'Facts and implications' }).locator('[data-cell="0.0"]').click();
      await page.keyboard.press('Control+f');
      await page.getByPlaceholder('Find', { exact: true }).fill('Person 1');
    },
  },
  { name: 'dataset-large', scenario: 'full', hash: '#/datasets/2' },
  { name: 'dataset-empty', scenario: 'full', hash: '#/datasets/3' },
  { name: 'dataset-templates', scenario: 'full', hash: `${people}?tab=templates`, whole: true },
  { name: 'dataset-import', scenario: 'full', hash: `${people}?tab=import` },
  {
    name: 'dataset-versions',
    scenario: 'full',
    hash: `${people}?tab=versions`,
    act: (page) => page.getByRole('table').first().waitFor(),
  },
  { name: 'dataset-missing', scenario: 'full', hash: '#/datasets/99' },
];
