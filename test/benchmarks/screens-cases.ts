/**
 * The heavy cases of the benchmark of screens, in the order in which they are done on one page: lists of runs, palette, comparison, circuits.
 * Each ends when what a person waits for is there; screens-probe.ts measures meanwhile.
 */
import type { Page } from 'playwright';
import { inPage } from '../e2e/app.ts';

export interface Place {
  page: Page;
  /** How many runs the project has. */
  runs: number;
  /** The run with scores of 32 layers. */
  scored: string;
  /** Runs to be compared. */
  compared: readonly string[];
}

export interface Case {
  name: string;
  /** What has to be there before, unmeasured. */
  before?: (place: Place) => Promise<unknown>;
  act: (place: Place) => Promise<void>;
}

const row = (page: Page, place: number) => page.locator(`tr[data-place="${place}"] a`);

const countOf = (runs: number) => `${runs.toLocaleString('en-US')} runs`;

/** Goes to an address inside the page, as a link does. */
const go = (page: Page, address: string) => inPage(page, `void (location.hash = ${JSON.stringify(address)})`);

async function openCircuit({ page, scored }: Place): Promise<void> {
  await go(page, `/runs/${scored}/circuit`);
  await page.getByRole('application', { name: /^Downstream scores/ }).waitFor();
}

async function openNodes(place: Place): Promise<void> {
  await openCircuit(place);
  await place.page.getByRole('tab', { name: 'Circuit' }).click();
  await place.page.getByTestId('count').waitFor();
}

const home = ({ page }: Place) => go(page, '/').then(() => page.getByRole('table', { name: 'Recent runs' }).waitFor());

export const cases: readonly Case[] = [
  {
    name: 'open Runs',
    before: home,
    async act({ page }) {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Runs', exact: true }).click();
      await row(page, 0).waitFor();
    },
  },
  {
    name: 'scroll through all runs in 1.5 s',
    async act({ page, runs }) {
      await inPage(
        page,
        `new Promise((resolve) => {
          const list = document.querySelector('tr[data-place]').closest('div');
          const end = list.scrollHeight - list.clientHeight;
          const began = performance.now();
          const step = () => {
            const part = Math.min(1, (performance.now() - began) / 1500);
            list.scrollTop = end * part;
            if (part < 1) requestAnimationFrame(step);
            else resolve();
          };
          step();
        })`,
      );
      await row(page, runs - 1).waitFor();
    },
  },
  {
    name: 'sort by the implications’ rank',
    async act({ page }) {
      await page
        .getByRole('columnheader', { name: /^Implications/ })
        .getByRole('button')
        .click();
      await page.locator('th[aria-sort="ascending"]').waitFor();
      await row(page, 0).waitFor();
    },
  },
  {
    name: 'filter by a word',
    async act({ page }) {
      await page.getByLabel('Filter runs').pressSequentially('gemma', { delay: 30 });
      await page.getByText(/^\d+ runs found$/).waitFor();
    },
  },
  {
    name: 'choose all, delete, undo',
    async before({ page, runs }) {
      await page.getByLabel('Filter runs').fill('');
      await page.getByText(countOf(runs), { exact: true }).waitFor();
    },
    async act({ page, runs }) {
      await page.locator('tr[data-place="0"]').getByRole('checkbox').check();
      await page.getByRole('button', { name: 'Choose all' }).click();
      await page.getByRole('button', { name: /^Delete [\d,]+ runs$/ }).click();
      await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByText(countOf(runs), { exact: true }).waitFor();
      await row(page, 0).waitFor();
    },
  },
  {
    name: 'open the palette and type',
    async act({ page }) {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Command or search' }).pressSequentially('freezing llama', { delay: 30 });
      await page
        .getByRole('option', { name: /Layer freezing .*Llama/ })
        .first()
        .waitFor();
    },
  },
  {
    name: 'open Compare with 20 runs',
    before: ({ page }) => page.keyboard.press('Escape'),
    async act({ page, compared }) {
      await go(page, `/compare?runs=${compared.join(',')}`);
      const table = page.getByRole('table', { name: 'Settings, differing ones first' });
      await table.getByRole('columnheader').nth(compared.length).waitFor();
    },
  },
  {
    name: 'open the picker of Compare',
    before: ({ page }) => go(page, '/compare'),
    async act({ page }) {
      await page.getByRole('list', { name: 'Runs' }).getByRole('checkbox').nth(30).waitFor();
    },
  },
  {
    name: 'open the run with scores',
    async act({ page, scored }) {
      await go(page, `/runs/${scored}`);
      await page.getByRole('heading', { name: 'Provenance' }).waitFor();
    },
  },
  { name: 'open the circuit maps, 32 layers', before: home, act: openCircuit },
  {
    name: 'switch to another item',
    async act({ page }) {
      await page.getByRole('combobox', { name: 'Item' }).click();
      await page.getByRole('option').nth(3).click();
      await page.getByText(/^Item \d+: /).waitFor();
    },
  },
  { name: 'open the circuit’s nodes', before: home, act: openNodes },
  {
    name: 'drag the threshold slider, 30 moves',
    async act({ page }) {
      const slider = page.getByRole('slider', { name: 'Threshold' });
      const box = (await slider.boundingBox())!;
      const [y, left, right] = [box.y + box.height / 2, box.x + 0.9 * box.width, box.x + 0.1 * box.width];
      await page.mouse.move(left, y);
      await page.mouse.down();
      for (let move = 1; move <= 30; move++) await page.mouse.move(left + ((right - left) * move) / 30, y);
      await page.mouse.up();
      await page.getByTestId('count').waitFor();
    },
  },
];
