/**
 * Opens one of the shots in a browser, the same on every machine: clock, language and time zone fixed, no movement, fonts loaded,
 * nothing left to happen. What is looked at there is the caller's business.
 */
import type { Browser, Page } from 'playwright';
import { fakeNow } from './fake-rows.ts';
import type { Shot } from './shots.ts';

export interface Size {
  width: number;
  height: number;
}

/** For the browser: letters drawn the same whatever this machine's settings for fonts are. */
export const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--font-render-hinting=none',
  '--disable-lcd-text',
  '--force-color-profile=srgb',
];

/** A page that is led from shot to shot. Each finds a host of its own and nothing kept from the one before. */
export interface Stage {
  page: Page;
  visit(shot: Shot): Promise<void>;
  /** What the page complained of in this visit: errors and warnings on its console, uncaught errors. */
  complaints(): readonly string[];
  close(): Promise<void>;
}

interface StageOptions {
  size: Size;
  theme?: 'light' | 'dark';
  /** A script that the page loads before its own. */
  script?: string;
  /** Milliseconds without a change after which the page counts as settled. */
  quiet?: number;
}

/** With a host that answers at once. */
const usualQuiet = 120;

/** How long a page may take to settle, in milliseconds. */
const patience = 15_000;

/** `origin`: that of a fake server. */
export async function openStage(browser: Browser, origin: string, options: StageOptions): Promise<Stage> {
  const { size, theme = 'light', script, quiet } = options;
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC' });
  const page = await context.newPage();
  let complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.clock.setFixedTime(fakeNow);
  await page.addInitScript(`localStorage.clear();
    sessionStorage.setItem('hopscope-token', new URLSearchParams(location.search).get('scenario'));`);
  if (script !== undefined) await page.addInitScript(script);
  return {
    page,
    async visit({ name, scenario, hash, act }) {
      complaints = [];
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme: theme, contrast: 'no-preference' });
      await page.mouse.move(0, 0);
      // An address of its own: another fragment alone would not load the page anew.
      await page.goto(`${origin}/?scenario=${scenario}&shot=${name}${hash}`);
      await page.locator('main h1').first().waitFor();
      await settle(page, quiet);
      if (act === undefined) return;
      await act(page);
      await settle(page, quiet);
    },
    complaints: () => complaints,
    close: () => context.close(),
  };
}

/** Resolves once the fonts are loaded and nothing on the page has changed for a while. */
export async function settle(page: Page, quiet = usualQuiet): Promise<void> {
  await page.evaluate(
    async ([pause, longest]) => {
      await document.fonts.ready;
      await new Promise<void>((resolve) => {
        const end = setTimeout(done, longest);
        let calm = setTimeout(done, pause);
        const observer = new MutationObserver(() => {
          clearTimeout(calm);
          calm = setTimeout(done, pause);
        });
        observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
        function done(): void {
          observer.disconnect();
          clearTimeout(end);
          clearTimeout(calm);
          requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
        }
      });
    },
    [quiet, patience] as const,
  );
}

/** Makes the page as high as its content, which scrolls within it, and may grow once it is seen; false where it is no higher than the page already. */
export async function wholeLength(page: Page): Promise<boolean> {
  let isLonger = false;
  for (;;) {
    const size = page.viewportSize();
    const height = await page.evaluate(() => document.querySelector('main')?.scrollHeight ?? 0);
    if (size === null || height <= size.height) return isLonger;
    await page.setViewportSize({ width: size.width, height });
    await settle(page);
    isLonger = true;
  }
}
