/**
 * Where the keyboard goes on when what had it was removed. Dialogs and menus give it back by themselves.
 */
import { tick } from 'svelte';

/** The element of `list` that is where one was removed, or the last one, for `focusNext`. */
export function atPlace(list: HTMLElement | undefined, selector: string, place: number): () => HTMLElement | undefined {
  return () => {
    const elements = [...(list?.querySelectorAll<HTMLElement>(selector) ?? [])];
    return elements[place] ?? elements.at(-1);
  };
}

/** Once the page has changed: where nothing has the keyboard any more, the first of these that is there takes it. */
export async function focusNext(...candidates: (() => HTMLElement | null | undefined)[]): Promise<void> {
  await tick();
  const { activeElement } = document;
  if (activeElement !== null && activeElement !== document.body) return;
  for (const candidate of candidates) {
    const element = candidate();
    if (!element?.isConnected) continue;
    element.focus();
    return;
  }
}
