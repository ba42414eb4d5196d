import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shells, type Workbench } from './app.ts';
describe.each(shells)('trial in the $name', ({ open }) => {
  let w: Workbench;
  beforeAll(async () => { w = await open(); });
  afterAll(() => w?.close());
  test('opens', async () => {
    await w.page.waitForFunction("Number(document.querySelector('[data-testid=ticks]').textContent) > 3", undefined, { timeout: 15000 }).catch(() => {});
    console.log(await w.page.innerText('body'));
    expect(w.problems).toEqual([]); expect(w.outside).toEqual([]);
    console.log(await w.page.evaluate("typeof require + typeof process + typeof module + location.href + ' ' + Object.keys(window).filter(k => /electron|node/i.test(k)) + getComputedStyle(document.querySelector('h1')).color"));
    console.log(await w.page.evaluate("fetch('https://example.com').then(() => 'went', String)"));
    console.log(await w.page.evaluate("String(window.open('https://example.com'))"));
    console.log(w.problems, w.outside);
  });
});
