/** Pictures of runs in every state, of single items, of runs side by side, and of the circuit explorer. */
import type { Page } from 'playwright';
import type { Shot } from './shots.ts';

const scored = '#/runs/run-extractive-scores';

async function pressAll(page: Page, keys: readonly string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}

export const runShots: readonly Shot[] = [
  { name: 'runs', scenario: 'full', hash: '#/runs', narrow: true, contrast: true },
  { name: 'runs-empty', scenario: 'empty', hash: '#/runs' },
  {
    name: 'runs-chosen',
    scenario: 'full',
    hash: '#/runs',
    async act(page) {
      const boxes = page.getByRole('table', { name: 'Runs' }).getByRole('checkbox');
      for (const place of [0, 1]) await boxes.nth(place).check();
    },
  },
  {
    name: 'runs-deleted',
    scenario: 'full',
    hash: '#/runs',
    act: (page) =>
      page
        .getByRole('button', { name: /^Delete/ })
        .first()
        .click(),
  },
  { name: 'run', scenario: 'full', hash: '#/runs/run-finished', whole: true, narrow: true, contrast: true },
  {
    name: 'run-long-name',
    scenario: 'full',
    hash: '#/runs/run-long',
    async act(page) {
      await page.getByRole('tab', { name: 'Implications' }).click();
      await page.getByRole('button', { name: /Dina/ }).first().click();
    },
  },
  {
    name: 'run-bars',
    scenario: 'full',
    hash: '#/runs/run-layer-freezing',
    act: (page) => page.locator('rect.mark').nth(3).hover(),
  },
  {
    name: 'run-lines',
    scenario: 'full',
    hash: '#/runs/run-data-ordering',
    async act(page) {
      await page.locator('.mark[tabindex]').first().focus();
      await pressAll(page, ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight']);
    },
  },
  {
    name: 'run-maps',
    scenario: 'full',
    hash: scored,
    contrast: true,
    async act(page) {
      await page.locator('.mark[tabindex]').first().focus();
      await pressAll(page, ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'End', 'ArrowRight']);
    },
  },
  { name: 'run-scatter', scenario: 'full', hash: '#/runs/run-localization' },
  { name: 'run-live', scenario: 'full', hash: '#/runs/run-midway' },
  { name: 'run-staged-live', scenario: 'full', hash: '#/runs/run-ordering-live', whole: true },
  { name: 'run-failed', scenario: 'full', hash: '#/runs/run-failed' },
  { name: 'run-queued', scenario: 'full', hash: '#/runs/run-queued' },
  { name: 'run-stopped', scenario: 'full', hash: '#/runs/run-stopped' },
  {
    name: 'run-spec',
    scenario: 'full',
    hash: '#/runs/run-finished',
    act: (page) => page.getByRole('button', { name: 'Open the spec' }).click(),
  },
  { name: 'run-missing', scenario: 'full', hash: '#/runs/nothing' },
  { name: 'item', scenario: 'full', hash: `${scored}/items/implications/3`, whole: true, narrow: true, contrast: true },
  { name: 'item-stages', scenario: 'full', hash: '#/runs/run-layer-freezing/items/facts/2' },
  { name: 'item-missing', scenario: 'full', hash: '#/runs/run-finished/items/facts/900' },
  {
    name: 'compare',
    scenario: 'full',
    hash: '#/compare?runs=run-older-0,run-older-2,run-older-3',
    whole: true,
    narrow: true,
    contrast: true,
  },
  { name: 'compare-choose', scenario: 'full', hash: '#/compare' },
  { name: 'compare-empty', scenario: 'empty', hash: '#/compare' },
  { name: 'compare-refused', scenario: 'full', hash: '#/compare?runs=run-finished,run-ordering-live' },
  { name: 'compare-long-names', scenario: 'full', hash: '#/compare?runs=run-long,run-layer-freezing,run-gone', whole: true },
  { name: 'circuits', scenario: 'full', hash: '#/circuits', narrow: true },
  { name: 'circuits-empty', scenario: 'empty', hash: '#/circuits' },
  { name: 'circuit', scenario: 'full', hash: `${scored}/circuit`, narrow: true, contrast: true },
  {
    name: 'circuit-component',
    scenario: 'full',
    hash: `${scored}/circuit`,
    whole: true,
    async act(page) {
      await page.getByRole('application', { name: /^Downstream scores/ }).focus();
      await pressAll(page, ['End', 'ArrowDown', 'ArrowDown', 'Enter']);
      await page.getByTestId('component').waitFor();
    },
  },
  {
    name: 'circuit-heads',
    scenario: 'full',
    hash: `${scored}/circuit`,
    act: (page) => page.getByRole('radio', { name: 'Heads' }).check(),
  },
  {
    name: 'circuit-network',
    scenario: 'full',
    hash: `${scored}/circuit`,
    contrast: true,
    async act(page) {
      await page.getByRole('tab', { name: 'Circuit', exact: true }).click();
      await page.getByRole('application', { name: /^Circuit of/ }).focus();
      await pressAll(page, ['ArrowRight', 'Space']);
    },
  },
  {
    name: 'circuit-strength',
    scenario: 'full',
    hash: `${scored}/circuit`,
    act: (page) => page.getByRole('tab', { name: 'Strength' }).click(),
  },
  { name: 'circuit-emergence', scenario: 'full', hash: '#/runs/run-emergence/circuit' },
  { name: 'circuit-missing', scenario: 'full', hash: '#/runs/run-finished/circuit' },
];
