/**
 * A walk through a page by Tab: that it comes to everything one can operate, and that one sees where it is. What a key does once
 * it is there is each screen's own test.
 */
import type { Page } from 'playwright';

interface WalkWindow {
  walk: { visited: Set<Element>; unseen: Set<Element>; resting: Map<Element, string> };
}

/** More stops than any screen has. */
const mostStops = 400;

/** What Tab does not come to, and where one does not see that it came. The focus ends where it began. */
export async function keyboardFindings(page: Page): Promise<string[]> {
  await begin(page);
  let [stops, ended] = [0, false];
  while (!ended && stops < mostStops) {
    for (let press = 0; press < 10; press++) await page.keyboard.press('Tab');
    stops += 10;
    const [walkedTwice, inGrid] = await page.evaluate(() => {
      const active = document.activeElement as HTMLElement | null;
      return [active?.dataset.walkedTwice !== undefined, active?.closest('[role=grid]') != null];
    });
    ended = walkedTwice === true;
    // In a grid Tab goes from cell to cell, and leaves it after Escape.
    if (inGrid) await page.keyboard.press('Escape');
  }
  return [...(ended ? [] : [`Tab did not come round in ${mostStops} steps`]), ...(await end(page))];
}

/** Remembers how everything looks without the focus, and watches where it goes. */
function begin(page: Page): Promise<void> {
  return page.evaluate(() => {
    const transparent = /rgba\(\d+, \d+, \d+, 0\)|transparent/;
    /** What of an element's look can show the focus; box shadows do nothing in a drawing. */
    const look = (element: Element): string => {
      const style = getComputedStyle(element);
      const outline = style.outlineStyle === 'none' || transparent.test(style.outlineColor) ? '' : style.outline;
      const drawn = element instanceof SVGElement && !(element instanceof SVGSVGElement);
      const parts = drawn
        ? [style.stroke, style.strokeWidth, style.fill]
        : [style.boxShadow, style.borderColor, style.borderWidth, style.backgroundColor, style.textDecorationLine];
      return [outline, ...parts].join(' ');
    };
    const around = (element: Element): string => {
      const near = [element, element.parentElement, element.closest('label, li, tr, [role=row]'), ...element.children];
      return near.map((one) => (one === null ? '' : look(one))).join(' | ');
    };
    const walk: WalkWindow['walk'] = { visited: new Set(), unseen: new Set(), resting: new Map() };
    (window as unknown as WalkWindow).walk = walk;
    (document.activeElement as HTMLElement | null)?.blur();
    for (const element of document.querySelectorAll('body *')) {
      if ((element as HTMLElement).tabIndex >= 0) walk.resting.set(element, around(element));
    }
    document.addEventListener('focusin', ({ target }) => {
      if (!(target instanceof Element)) return;
      if (walk.visited.has(target)) (target as HTMLElement).dataset.walkedTwice = '';
      walk.visited.add(target);
      const before = walk.resting.get(target);
      if (before !== undefined && before === around(target)) walk.unseen.add(target);
    });
  });
}

function end(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { visited, unseen } = (window as unknown as WalkWindow).walk;
    const say = (element: Element) =>
      `<${element.tagName.toLowerCase()}> “${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 50)}” ${element.outerHTML.replaceAll(/ (class|data-walked-twice)="[^"]*"/g, '').slice(0, 110)}`;
    const operated =
      'a[href], button, input, select, textarea, summary, [role=button], [role=link], [role=checkbox], [role=switch], [role=slider], [role=combobox], [contenteditable=true]';
    /** Of these one stop is enough: arrow keys do the rest. */
    const composite =
      '[role=tablist], [role=grid], [role=radiogroup], [role=listbox], [role=menu], [role=toolbar], [role=tree], [role=application], table[aria-rowcount]';
    const modal = document.querySelector('[role=dialog][data-state=open], dialog[open]');
    const missed = [...(modal ?? document.body).querySelectorAll(operated)].filter((element) => {
      if (visited.has(element) || !element.checkVisibility({ visibilityProperty: true })) return false;
      if (
        element.matches(':disabled, [aria-disabled=true], [type=hidden]') ||
        element.closest('[inert], [aria-hidden=true]') !== null
      )
        return false;
      if (element instanceof HTMLInputElement && element.type === 'radio')
        return ![...visited].some((other) => other instanceof HTMLInputElement && other.name === element.name);
      const whole = element.closest(composite);
      return whole === null || ![...visited].some((other) => whole.contains(other));
    });
    return [
      ...missed.map((element) => `Tab does not come to ${say(element)}`),
      ...[...unseen].map((element) => `the focus is not seen on ${say(element)}`),
    ];
  });
}
