/**
 * Pictures of every shot of the list, light and dark, at two sizes, and of the whole length of each screen; for looking at, not a
 * test (that is test/e2e/looks.test.ts, which also checks what one cannot see).
 * `node test/renderer/screenshots.ts BUILD OUT [NAMES]` (BUILD: a build of the screens, OUT: where the pictures go, NAMES: a pattern).
 */
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright';
import { startFakeServer } from './fake-server.ts';
import { shots } from './shots.ts';
import { browserArguments, openStage, wholeLength } from './visit.ts';

const sizes = [
  { width: 1280, height: 800 },
  { width: 1024, height: 700 },
];

const [build = '', out = '', names = ''] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const server = await startFakeServer(build);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: browserArguments });
let faults = 0;
for (const size of sizes) {
  for (const theme of ['light', 'dark'] as const) {
    const { page, visit, complaints } = await openStage(browser, server.origin, { size, theme });
    for (const shot of shots.filter(({ name }) => new RegExp(names).test(name))) {
      const failed = await visit(shot).then(
        () => [],
        (error: unknown) => [String(error)],
      );
      const stem = `${out}/${shot.name}-${theme}-${size.width}`;
      await page.screenshot({ path: `${stem}.png`, animations: 'disabled' });
      if (await wholeLength(page)) await page.screenshot({ path: `${stem}-whole.png`, animations: 'disabled' });
      for (const complaint of [...failed, ...complaints()]) {
        faults++;
        console.log(`${shot.name} ${theme} ${size.width}: ${complaint}`);
      }
    }
    await page.context().close();
  }
}
await browser.close();
server.close();
console.log(`${faults} faults`);
