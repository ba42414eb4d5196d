/**
 * Puts off work for an element until it is in view or within one screen of it, each element in a task of its own, so that a long page
 * answers at once. What the work is, and the room that the element takes until then, are the caller's.
 */
const waiting = new Map<Element, () => void>();
let observer: IntersectionObserver | undefined;
const due: Element[] = [];

/** Runs `work` once `element` is near the view; returns the way to call it off. */
export function whenNear(element: Element, work: () => void): () => void {
  observer ??= new IntersectionObserver(arrived, { rootMargin: '100% 0px' });
  waiting.set(element, work);
  observer.observe(element);
  return () => forget(element);
}

function forget(element: Element): void {
  waiting.delete(element);
  observer?.unobserve(element);
}

function arrived(entries: readonly IntersectionObserverEntry[]): void {
  const near = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => target);
  if (due.length === 0 && near.length > 0) setTimeout(workOff);
  due.push(...near);
}

function workOff(): void {
  const element = due.shift();
  if (due.length > 0) setTimeout(workOff);
  if (!element) return;
  const work = waiting.get(element);
  forget(element);
  work?.();
}
