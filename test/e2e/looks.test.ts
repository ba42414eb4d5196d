/**
 * Every screen and its main states, over the fake host: how they look, in light and dark, as stored in looks/; that axe finds
 * nothing in them; that nothing spills over, moves while it loads, or is out of the keyboard's reach.
 * `npm run looks -- --update` stores the pictures anew.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeServer, startFakeServer } from '../renderer/fake-server.ts';
import { type Shot, shots } from '../renderer/shots.ts';
import { browserArguments, openStage, type Stage, settle, wholeLength } from '../renderer/visit.ts';
import { project } from './app.ts';
import { axeFindings, frameFindings, layoutShift, overflowFindings, pageScript } from './looks-checks.ts';
import { keyboardFindings } from './looks-keyboard.ts';
import { comparePicture, dropPicture, storedPictures, storePicture } from './looks-pictures.ts';
import { StagePool } from './looks-pool.ts';

const usual = { width: 1280, height: 800 };
const smallest = { width: 1024, height: 700 };
/** The usual window at a zoom of 150 %. */
const zoomed = { width: 853, height: 533 };

/** Milliseconds that the host takes for an answer where shifts of the layout are measured. */
const slow = 150;
/** What the web's rule of thumb calls good. Idle, every screen stays below a quarter of it; a busy machine shows more states on the way. */
const mostShift = 0.1;

const isUpdate = process.env.HOPSCOPE_LOOKS === 'update';

/** The screens as the list of screens has them; it cannot be imported here, where nothing compiles components. */
const screens = [
  ...readFileSync(join(project, 'src-renderer', 'screens.ts'), 'utf8').matchAll(
    /\bid: '([\w-]+)',\s*title: '([^']+)',\s*address: '([^']+)'/g,
  ),
].map(([, id = '', title = '', address = '']) => ({
  id,
  title: id === 'home' ? 'Hopscope' : `${title} · Hopscope`,
  address: new RegExp(`^${address.replaceAll(/:\w+/g, '[^/]+')}$`),
}));
const addresses = screens.map(({ address }) => address);
const screenOf = ({ hash }: Shot) => screens.find(({ address }) => address.test(hash.slice(1).replace(/\?.*/, '')));

const names = shots.flatMap(({ name, narrow, whole, contrast }) => [
  `${name}-light`,
  `${name}-dark`,
  ...(narrow ? [`${name}-narrow`] : []),
  ...(whole ? [`${name}-whole`] : []),
  ...(contrast ? [`${name}-contrast`] : []),
]);
const firsts = screens.map(({ id }) => shots.find((shot) => screenOf(shot)?.id === id)).filter((shot) => shot !== undefined);

let browser: Browser;
let servers: FakeServer[];
let stages: StagePool;
let slowStages: StagePool;
let scratch: string;
let differed = false;

beforeAll(async () => {
  const folder = join(project, 'out', 'renderer');
  const [server, late] = await Promise.all([startFakeServer(folder), startFakeServer(folder, { delay: slow })]);
  servers = [server, late];
  browser = await chromium.launch({ executablePath: process.env.HOPSCOPE_CHROMIUM, args: browserArguments });
  const options = { size: usual, script: pageScript };
  stages = new StagePool(() => openStage(browser, server.origin, options));
  slowStages = new StagePool(() => openStage(browser, late.origin, { ...options, quiet: 3 * slow }));
  scratch = mkdtempSync(join(tmpdir(), 'hopscope-looks-'));
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers ?? []) server.close();
  if (!differed) rmSync(scratch, { recursive: true, force: true });
});

async function picture(page: Page, name: string): Promise<string[]> {
  const screenshot = await page.screenshot({ animations: 'disabled' });
  if (isUpdate) {
    storePicture(name, screenshot);
    return [];
  }
  const difference = comparePicture(name, screenshot, scratch);
  differed ||= difference !== null;
  return difference === null ? [] : [difference];
}

async function findings(shot: Shot, { page, visit, complaints }: Stage): Promise<string[]> {
  await visit(shot);
  const found = await picture(page, `${shot.name}-light`);
  found.push(...(await axeFindings(page, 'all')));
  found.push(...(await frameFindings(page, screenOf(shot)?.title ?? 'Hopscope', addresses)));
  found.push(...(await overflowFindings(page)));

  await page.emulateMedia({ colorScheme: 'dark' });
  await settle(page); // figures are drawn anew
  found.push(...(await picture(page, `${shot.name}-dark`)));
  found.push(...(await axeFindings(page, 'colours')));

  await page.emulateMedia({ colorScheme: 'light' });
  // High contrast changes colours alone, of which each screen shows most: its states need no look of their own.
  if (shot.contrast || firsts.includes(shot)) {
    await page.emulateMedia({ contrast: 'more' });
    await settle(page);
    if (shot.contrast) found.push(...(await picture(page, `${shot.name}-contrast`)));
    found.push(...(await axeFindings(page, 'colours')));
    await page.emulateMedia({ contrast: 'no-preference' });
  }

  await page.setViewportSize(zoomed);
  await settle(page);
  found.push(...(await overflowFindings(page)));
  await page.setViewportSize(smallest);
  await settle(page);
  found.push(...(await overflowFindings(page)));
  if (shot.narrow) found.push(...(await picture(page, `${shot.name}-narrow`)));
  if (shot.whole) {
    await page.setViewportSize(usual);
    await wholeLength(page);
    found.push(...(await picture(page, `${shot.name}-whole`)));
  }
  // Last: it leaves the focus elsewhere.
  if (firsts.includes(shot)) found.push(...(await keyboardFindings(page)));
  return [...found, ...complaints()];
}

test('every screen has a shot, and every stored picture its own', () => {
  const ids = readFileSync(join(project, 'src-renderer', 'screens.ts'), 'utf8').match(/\baddress: '/g);
  expect(screens.length).toBe(ids?.length);
  expect(screens.filter(({ id }) => !shots.some((shot) => screenOf(shot)?.id === id))).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
  const idle = storedPictures().filter((name) => !names.includes(name));
  if (isUpdate) idle.forEach(dropPicture);
  else expect(idle).toEqual([]);
});

describe.concurrent('looks', () => {
  test.each(shots)('$name', async (shot) => expect(await stages.use((stage) => findings(shot, stage))).toEqual([]));
});

// One after another: how much a page shows on the way depends on how busy the machine is
describe('layout shift', () => {
  test.each(firsts)('$name', async ({ act: _act, ...shot }) => {
    const { sum, moved } = await slowStages.use(async ({ page, visit }) => {
      await visit(shot);
      return layoutShift(page);
    });
    expect(sum, `moved: ${moved.join('\n')}`).toBeLessThan(mostShift);
  });
});
