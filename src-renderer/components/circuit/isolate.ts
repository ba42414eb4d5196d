/**
 * Makes one part of the page all there is for keys and screen readers, for a part that fills the window.
 * What it looks like is that part's own style.
 */

/** Makes everything beside `part` inert but the notices, and returns how to take that back. */
export function isolate(part: Element): () => void {
  const hidden: Element[] = [];
  for (let inside: Element = part; inside !== document.body && inside.parentElement !== null; inside = inside.parentElement) {
    for (const sibling of inside.parentElement.children) {
      if (sibling === inside || sibling.hasAttribute('inert') || sibling.getAttribute('aria-label') === 'Notices') continue;
      sibling.setAttribute('inert', '');
      hidden.push(sibling);
    }
  }
  return () => {
    for (const element of hidden) element.removeAttribute('inert');
  };
}
