/**
 * Pictures of every screen, light and dark, at two sizes, with an accessibility check of each; for looking at, not a test.
 * `node test/renderer/screenshots.ts BUILD OUT [NAMES]` (BUILD: a build of the screens, OUT: where the pictures go, NAMES: a pattern).
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Page } from 'playwright';
import { startFakeServer } from './fake-server.ts';

const [build = '', out = '', only = ''] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

interface Shot {
  name: string;
  scenario: 'empty' | 'full';
  hash: string;
  act?: (page: Page) => Promise<void>;
}
const next = (page: Page) => page.getByRole('button', { name: 'Next', exact: true }).click();
async function steps(page: Page, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await next(page);
    await page.waitForTimeout(350);
  }
}
const shots: Shot[] = [
  { name: 'home-empty', scenario: 'empty', hash: '#/' },
  { name: 'home', scenario: 'full', hash: '#/' },
  { name: 'runs', scenario: 'full', hash: '#/runs' },
  { name: 'runs-empty', scenario: 'empty', hash: '#/runs' },
  { name: 'projects', scenario: 'full', hash: '#/projects', act: (page) => page.getByText('1 archived project').click() },
  { name: 'projects-empty', scenario: 'empty', hash: '#/projects' },
  { name: 'project-menu', scenario: 'full', hash: '#/', act: (page) => page.getByRole('button', { name: /^Project:/ }).click() },
  { name: 'notes', scenario: 'full', hash: '#/', act: (page) => page.getByRole('button', { name: 'Write notes' }).click() },
  { name: 'palette', scenario: 'full', hash: '#/', act: (page) => page.keyboard.press('Control+k') },
  { name: 'shortcuts', scenario: 'full', hash: '#/', act: (page) => page.keyboard.press('?') },
  {
    name: 'runs-delete',
    scenario: 'full',
    hash: '#/runs',
    act: async (page) =>
      page
        .getByRole('button', { name: /^Delete/ })
        .first()
        .click(),
  },
  { name: 'wizard-1', scenario: 'empty', hash: '#/new/ocr?model=small-world' },
  { name: 'wizard-2', scenario: 'empty', hash: '#/new/ocr', act: (page) => steps(page, 1) },
  {
    name: 'wizard-2-error',
    scenario: 'empty',
    hash: '#/new/ocr',
    act: async (page) => {
      await steps(page, 1);
      await page.getByRole('radio', { name: /A folder/ }).check();
      await page.getByRole('textbox').fill('/data/models/nothing-here');
      await page.getByRole('button', { name: 'Open' }).click();
    },
  },
  { name: 'wizard-3', scenario: 'empty', hash: '#/new/ocr', act: (page) => steps(page, 2) },
  {
    name: 'wizard-4',
    scenario: 'empty',
    hash: '#/new/ocr',
    act: async (page) => {
      await steps(page, 3);
      await page.getByText('Advanced:').click();
      await page.getByLabel('Epochs').fill('lots');
      await page.getByLabel('Weights that train').selectOption('layers');
      await next(page);
    },
  },
  { name: 'wizard-5', scenario: 'empty', hash: '#/new/ocr', act: (page) => steps(page, 4) },
  { name: 'wizard-6', scenario: 'empty', hash: '#/new/ocr', act: (page) => steps(page, 5) },
  { name: 'chooser', scenario: 'empty', hash: '#/new' },
  { name: 'freezing-1', scenario: 'empty', hash: '#/new/layer-freezing' },
  {
    name: 'freezing-4',
    scenario: 'empty',
    hash: '#/new/layer-freezing',
    act: async (page) => {
      await steps(page, 3);
      await page.getByLabel('First late layer').fill('0');
      await next(page);
    },
  },
  { name: 'emergence-4', scenario: 'empty', hash: '#/new/emergence', act: (page) => steps(page, 3) },
  { name: 'daxwug-3', scenario: 'empty', hash: '#/new/data-ordering', act: (page) => steps(page, 2) },
  { name: 'daxwug-6', scenario: 'empty', hash: '#/new/data-ordering', act: (page) => steps(page, 5) },
  {
    name: 'run-bars',
    scenario: 'full',
    hash: '#/runs/run-layer-freezing',
    act: async (page) => {
      await page.getByRole('button', { name: /Dina/ }).first().click();
      await page.locator('rect.mark').nth(3).hover();
    },
  },
  {
    name: 'run-lines',
    scenario: 'full',
    hash: '#/runs/run-data-ordering',
    act: async (page) => {
      await page.locator('.mark[tabindex]').first().focus();
      for (let press = 0; press < 4; press++) await page.keyboard.press('ArrowRight');
    },
  },
  {
    name: 'run-maps',
    scenario: 'full',
    hash: '#/runs/run-extractive-scores',
    act: async (page) => {
      await page.locator('.mark[tabindex]').first().focus();
      for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'End', 'ArrowRight'])
        await page.keyboard.press(key);
    },
  },
  { name: 'run-scatter', scenario: 'full', hash: '#/runs/run-localization' },
  { name: 'run-staged-live', scenario: 'full', hash: '#/runs/run-ordering-live' },
  { name: 'run-finished', scenario: 'full', hash: '#/runs/run-finished' },
  {
    name: 'run-row',
    scenario: 'full',
    hash: '#/runs/run-long',
    act: async (page) => {
      await page.getByRole('tab', { name: 'Implications' }).click();
      await page.getByRole('button', { name: /Dina/ }).first().click();
    },
  },
  { name: 'run-midway', scenario: 'full', hash: '#/runs/run-midway' },
  { name: 'run-failed', scenario: 'full', hash: '#/runs/run-failed' },
  { name: 'run-queued', scenario: 'full', hash: '#/runs/run-queued' },
  { name: 'run-missing', scenario: 'full', hash: '#/runs/nothing' },
  { name: 'models', scenario: 'full', hash: '#/models' },
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
    act: async (page) => {
      await page.getByRole('button', { name: 'Add models' }).click();
      await page.getByRole('button', { name: 'Scan this folder' }).click();
    },
  },
  { name: 'model-overview', scenario: 'full', hash: '#/models/1' },
  { name: 'model-broken', scenario: 'full', hash: '#/models/2' },
  {
    name: 'model-tokens',
    scenario: 'full',
    hash: '#/models/small-world?tab=tokenizer',
    act: (page) => page.getByRole('checkbox', { name: /7B/ }).check(),
  },
  {
    name: 'model-next',
    scenario: 'full',
    hash: '#/models/small-world?tab=next',
    act: (page) => page.getByRole('button', { name: 'What comes next?' }).click(),
  },
  { name: 'settings', scenario: 'full', hash: '#/settings' },
];

const servers = { empty: await startFakeServer(build, 'empty'), full: await startFakeServer(build, 'full') };
let faults = 0;
for (const [width, height] of [
  [1280, 800],
  [1024, 700],
] as const) {
  for (const theme of ['light', 'dark'] as const) {
    for (const shot of shots.filter((entry) => new RegExp(only).test(entry.name))) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') {
          faults++;
          console.log(`${shot.name} ${theme}: ${message.text()}`);
        }
      });
      page.on('pageerror', (error) => {
        faults++;
        console.log(`${shot.name} ${theme}: ${error.message}`);
      });
      await page.goto(servers[shot.scenario].address);
      await page.evaluate((hash) => {
        location.hash = hash;
      }, shot.hash);
      await page.waitForTimeout(600);
      try {
        await shot.act?.(page);
      } catch (error) {
        faults++;
        console.log(`${shot.name} ${theme}: ${String(error).slice(0, 300)}`);
      }
      await page.waitForTimeout(400);
      const stem = `${out}/${shot.name}-${theme}-${width}`;
      await page.screenshot({ path: `${stem}.png` });
      // The whole length of the screen: its scroll container made as tall as its content.
      const tall = await page.evaluate(() => document.querySelector('main')?.scrollHeight ?? 0);
      const wide = await page.evaluate(() => {
        const main = document.querySelector('main');
        return main !== null && main.scrollWidth > main.clientWidth;
      });
      if (wide) console.log(`${shot.name} ${theme} ${width}: wider than the window`);
      if (tall > height) {
        await page.setViewportSize({ width, height: tall });
        await page.waitForTimeout(200);
        await page.screenshot({ path: `${stem}-whole.png` });
      }
      if (width === 1280) {
        await page.evaluate(axe);
        const violations = await page.evaluate(async () => {
          const { axe } = window as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> };
          };
          return (await axe.run()).violations.map(
            (entry) =>
              `${entry.id}: ${entry.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`).join(' | ')}`,
          );
        });
        for (const violation of violations) {
          faults++;
          console.log(`${shot.name} ${theme} axe ${violation}`);
        }
      }
      await page.close();
    }
  }
}
await browser.close();
for (const { server, sockets } of Object.values(servers)) {
  sockets.close();
  server.close();
}
console.log(`${faults} faults`);
