/**
 * Makes the README's pictures: the real workbench, served from out/, on a fresh data folder, with real runs of the small world.
 * `node test/scripts/pictures.mjs` after a build; it checks nothing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { findChromium } from './runtimes.mjs';

const project = join(import.meta.dirname, '..', '..');
const pictures = join(project, 'resources', 'pictures');
const cli = join(project, 'out', 'main', 'cli.cjs');
const data = mkdtempSync(join(tmpdir(), 'hopscope-pictures-'));

/** What is run, and what its picture is called. */
const specs = {
  run: 'experiment: ocr\nmodel: small-world\ndataset: first-hop\nseeds: [0, 1, 2, 3, 4]\n',
  freezing: 'experiment: layer-freezing\nmodel: small-world\ndataset: first-hop\nseeds: [0, 1, 2, 3, 4]\n',
  scores: 'experiment: extractive-scores\nmodel: small-world\ndataset: first-hop\nseeds: [0, 1, 2]\n',
  ablation: 'experiment: ablation\nmodel: small-world\ndataset: first-hop\nseeds: [0, 1, 2]\n',
  emergence: 'experiment: emergence\nmodel: small-world\ndataset: second-hop\nseeds: [0, 1, 2]\n',
};

/** Screens besides those of single runs, by the name of their picture. */
const placesOf = (runs) => [
  ['item', `/runs/${runs.run}/items/implications/2`],
  ['wizard', '/new/layer-freezing'],
  ['circuit', `/runs/${runs.scores}/circuit`],
  ['compare', `/compare?runs=${runs.run},${runs.freezing}`],
  ['models', '/models'],
  ['datasets', '/datasets'],
];

function run(spec) {
  const file = join(data, 'spec.yaml');
  writeFileSync(file, spec);
  const { stdout, status } = spawnSync(process.execPath, [cli, 'run', file, '--data', data, '--json'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stdout);
  return JSON.parse(stdout).run;
}

async function main() {
  mkdirSync(pictures, { recursive: true });
  const runs = Object.entries(specs).map(([name, spec]) => [name, run(spec)]);
  const server = spawn(process.execPath, [cli, 'serve', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve) => {
    server.stdout.on('data', (text) => {
      const found = /http:\S+/.exec(String(text));
      if (found) resolve(found[0]);
    });
  });
  const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme, deviceScaleFactor: 1 });
    await page.goto(url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(pictures, `home-${colorScheme}.png`) });
    for (const [name, id] of runs) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, `/runs/${id}`);
      await page.locator('[data-testid=run-state][data-state=finished]').waitFor();
      await page.waitForTimeout(1500);
      await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
    }
    for (const [name, address] of placesOf(Object.fromEntries(runs))) {
      await page.evaluate((hash) => {
        location.hash = hash;
      }, address);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForTimeout(2500);
      await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
    }
    await page.close();
  }
  await browser.close();
  server.kill('SIGINT');
  rmSync(data, { recursive: true, force: true });
}

await main();
