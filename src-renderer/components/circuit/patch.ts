/**
 * Brings the elements of an SVG to what is drawn by changing what differs only: a drawing of hundreds of marks follows a slider within a frame.
 * What is drawn is made in circuit/drawing.ts.
 */
import type { SvgNode } from '../../figures/nodes.ts';

const namespace = 'http://www.w3.org/2000/svg';

/** Elements keep their place: the n-th child becomes the n-th node. Everything inside `parent` must have been made here. */
export function patchChildren(parent: Element, nodes: readonly (SvgNode | string)[]): void {
  for (const [place, node] of nodes.entries()) patchChild(parent, parent.childNodes[place] ?? null, node);
  while (parent.childNodes.length > nodes.length) parent.lastChild!.remove();
}

function patchChild(parent: Element, here: ChildNode | null, node: SvgNode | string): void {
  if (typeof node === 'string') {
    if (here instanceof Text) {
      if (here.data !== node) here.data = node;
    } else place(parent, here, document.createTextNode(node));
    return;
  }
  const element = here instanceof Element && here.localName === node.tag ? here : document.createElementNS(namespace, node.tag);
  for (const name of element.getAttributeNames()) if (!(name in node.attributes)) element.removeAttribute(name);
  for (const [name, value] of Object.entries(node.attributes)) {
    const text = String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
  patchChildren(element, node.children);
  if (element !== here) place(parent, here, element);
}

function place(parent: Element, here: ChildNode | null, made: Node): void {
  if (here === null) parent.append(made);
  else here.replaceWith(made);
}
