/**
 * SVG as plain data: elements with attributes and children, and their text as a file. Figures are drawn into it once, for files and screens alike.
 * It knows no figures, and it makes no elements of a page (components/figures/FigureDrawing.svelte does).
 */

/** What a mark stands for, as read out and shown on hover; cells of maps also say where they are. */
export interface Mark {
  text: string;
  cell?: { panel: number; row: number; column: number };
}

export interface SvgNode {
  tag: string;
  attributes: { readonly [name: string]: string | number };
  children: readonly (SvgNode | string)[];
  mark?: Mark;
}

export function element(
  tag: string,
  attributes: SvgNode['attributes'] = {},
  children: readonly (SvgNode | string)[] = [],
  mark?: Mark,
): SvgNode {
  return mark === undefined ? { tag, attributes, children } : { tag, attributes, children, mark };
}

/** A tidy coordinate: two decimals are finer than any printer. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Text for XML: the five characters that mean something escaped, control characters (which XML forbids) replaced. */
export function escapeXml(text: string): string {
  return Array.from(text, (character) => (isForbidden(character) ? '\ufffd' : character))
    .join('')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;');
}

/** XML 1.0, section 2.2: no control characters but tab and line ends, no lone surrogates, no U+FFFE and U+FFFF. */
function isForbidden(character: string): boolean {
  const code = character.codePointAt(0)!;
  return (
    (code < 0x20 && code !== 9 && code !== 10 && code !== 13) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfffe ||
    code === 0xffff
  );
}

/** The element as text; marks become titles, which viewers of SVG files show on hover. */
export function serialize(node: SvgNode): string {
  const attributes = Object.entries(node.attributes)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? round(value) : escapeXml(value)}"`)
    .join('');
  const title = node.mark === undefined ? '' : `<title>${escapeXml(node.mark.text)}</title>`;
  const children = node.children.map((child) => (typeof child === 'string' ? escapeXml(child) : serialize(child))).join('');
  const inside = title + children;
  return inside === '' ? `<${node.tag}${attributes}/>` : `<${node.tag}${attributes}>${inside}</${node.tag}>`;
}
