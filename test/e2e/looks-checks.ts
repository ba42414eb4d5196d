/**
 * What every screen has to keep to, asked of an open page: axe's rules, its frame, nothing that spills over, everything within
 * reach of the keyboard. Each check returns what is wrong, in words; the pictures are compared elsewhere.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright';

/** Scripts that a page loads before its own: axe, and a record of the shifts of its layout. */
export const pageScript = `${readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')}
window.layoutShifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries()) {
    if (!hadRecentInput) window.layoutShifts.push({ value, moved: sources.map(({ node }) => node?.outerHTML?.slice(0, 120) ?? '') });
  }
}).observe({ type: 'layout-shift', buffered: true });`;

interface Finding {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}
interface PageWindow {
  axe: { run(context: Document, options: object): Promise<{ violations: Finding[] }> };
  layoutShifts: { value: number; moved: string[] }[];
}

/** Violations of axe's rules: all of them, or those about colours alone. */
export async function axeFindings(page: Page, rules: 'all' | 'colours'): Promise<string[]> {
  return page.evaluate(async (only) => {
    const { axe } = window as unknown as PageWindow;
    const run = only ? { runOnly: ['color-contrast', 'link-in-text-block'] } : {};
    const { violations } = await axe.run(document, { ...run, resultTypes: ['violations'], preload: false, iframes: false });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `axe ${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`.replaceAll('\n', ' ')),
    );
  }, rules === 'colours');
}

/** One h1, headings in order, links that lead somewhere, and a title that names the screen. */
export async function frameFindings(page: Page, title: string, addresses: readonly RegExp[]): Promise<string[]> {
  const { headings, links, name } = await page.evaluate(() => ({
    headings: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]
      .filter((heading) => heading.closest('[role=dialog]') === null && heading.checkVisibility())
      .map((heading) => [Number(heading.tagName[1]), heading.textContent?.trim() ?? ''] as const),
    links: [...document.querySelectorAll('a[href^="#/"]')].map((link) => link.getAttribute('href') ?? ''),
    name: document.title,
  }));
  const findings: string[] = [];
  const titles = headings.filter(([level]) => level === 1);
  if (titles.length !== 1)
    findings.push(`${titles.length} headings of the first level: ${titles.map(([, text]) => text).join(', ')}`);
  for (const [place, [level, text]] of headings.entries()) {
    const before = headings[place - 1]?.[0] ?? 0;
    if (level > before + 1) findings.push(`the heading “${text}” of level ${level} follows one of level ${before}`);
    if (text === '') findings.push(`a heading of level ${level} is empty`);
  }
  for (const link of new Set(links)) {
    const path = link.slice(1).replace(/\?.*/, '');
    if (!addresses.some((address) => address.test(path))) findings.push(`a link leads to ${link}, which is no screen`);
  }
  if (name !== title) findings.push(`the page is called “${name}” instead of “${title}”`);
  return findings;
}

/** What makes the page scroll sideways or spills out of its parent, with where that is. */
export async function overflowFindings(page: Page): Promise<string[]> {
  const size = page.viewportSize();
  const found = await page.evaluate(() => {
    const say = (element: Element) => {
      if (element === document.documentElement) return 'the page';
      const name = element.getAttribute('class')?.replaceAll(/\s*svelte-\w+/g, '') ?? '';
      return `<${element.tagName.toLowerCase()}${name ? `.${name}` : ''}> “${element.textContent?.trim().slice(0, 40) ?? ''}”`;
    };
    const wide = [document.documentElement, document.body, document.querySelector('main')].flatMap((element) =>
      element !== null && element.scrollWidth > element.clientWidth + 1
        ? [`${say(element)} scrolls sideways: ${element.scrollWidth} px in ${element.clientWidth}`]
        : [],
    );
    // Margins that put the edge of a borderless button in line are no more than this.
    const margin = 8;
    const spilling = [...document.querySelectorAll('#app *, [role=dialog], [role=dialog] *, [role=menu] *')].filter((element) => {
      // What is there for screen readers alone is one pixel wide
      if (element instanceof SVGElement || element.clientWidth <= 1) return false;
      if (element.scrollWidth <= element.clientWidth + margin) return false;
      const style = getComputedStyle(element);
      if (style.overflowX !== 'visible' || style.display === 'inline') return false;
      // Only what is seen outside: the far end of its content, which is not hidden there.
      const box = element.getBoundingClientRect();
      return (
        [...element.querySelectorAll('*')].some((inner) => {
          const own = inner.getBoundingClientRect();
          return (
            own.width > 1 &&
            own.right > box.right + margin &&
            getComputedStyle(inner).position !== 'absolute' &&
            inner.checkVisibility()
          );
        }) || element.childElementCount === 0
      );
    });
    const deepest = spilling.filter((element) => !spilling.some((other) => other !== element && element.contains(other)));
    return [
      ...wide,
      ...deepest.map((element) => `${say(element)} spills over: ${element.scrollWidth} px in ${element.clientWidth}`),
    ];
  });
  return found.map((finding) => `at ${size?.width} × ${size?.height}, ${finding}`);
}

/** The sum of the layout's shifts so far, and what moved. */
export function layoutShift(page: Page): Promise<{ sum: number; moved: string[] }> {
  return page.evaluate(() => {
    const { layoutShifts } = window as unknown as PageWindow;
    return {
      sum: layoutShifts.reduce((sum, { value }) => sum + value, 0),
      moved: [...new Set(layoutShifts.flatMap(({ moved }) => moved))],
    };
  });
}
