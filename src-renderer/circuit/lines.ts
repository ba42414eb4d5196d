/**
 * The lines of a circuit: from a node's lower side to one below it, and with a head where a collapsed group makes one lead elsewhere.
 * Which lines there are is in layout.ts.
 */
import { element, round, type SvgNode } from '../figures/nodes.ts';
import type { FigureStyle } from '../figures/style.ts';
import { isSelected } from './collapse.ts';
import type { CircuitLayout, PlacedNode } from './layout.ts';

/** Of the head of a line that does not lead down. */
const headLength = 6;

/** All lines in two paths, those of selected nodes over the others, and the heads of those that do not lead down: hundreds cost no more than one. */
export function drawLines({ nodes, edges }: CircuitLayout, selected: ReadonlySet<string>, style: FigureStyle): SvgNode[] {
  const chosen = nodes.map((node) => isSelected(node, selected));
  const paths = { plain: '', strong: '', heads: '' };
  for (const { from, to } of edges) {
    const { d, head } = line(nodes[from]!, nodes[to]!);
    paths[chosen[from] || chosen[to] ? 'strong' : 'plain'] += d;
    paths.heads += head;
  }
  const common = { fill: 'none', stroke: style.reference };
  return [
    element('path', { ...common, d: paths.plain, 'stroke-width': 1.1, 'stroke-opacity': 0.7 }),
    element('path', { ...common, d: paths.strong, 'stroke-width': 1.8, 'stroke-opacity': 1 }),
    element('path', { d: paths.heads, fill: style.reference }),
  ];
}

/** The lines of one node, in the layout's units, and how many come in and go out. */
export function linesAt({ nodes, edges }: CircuitLayout, key: string): { d: string; into: number; out: number } {
  const all = { d: '', into: 0, out: 0 };
  for (const { from, to } of edges) {
    const [isFrom, isTo] = [nodes[from]!.key === key, nodes[to]!.key === key];
    if (isFrom || isTo) all.d += line(nodes[from]!, nodes[to]!).d;
    all.into += Number(isTo);
    all.out += Number(isFrom);
  }
  return all;
}

/** From a node's lower side to the upper side of one below; between others from side to side with a head, which only groups make necessary. */
function line(from: PlacedNode, to: PlacedNode): { d: string; head: string } {
  const [startY, endY] = [from.y + from.radius, to.y - to.radius];
  if (endY > startY) {
    const bend = Math.max(6, (endY - startY) / 2);
    return {
      d: `M${round(from.x)} ${round(startY)}C${round(from.x)} ${round(startY + bend)} ${round(to.x)} ${round(endY - bend)} ${round(to.x)} ${round(endY)}`,
      head: '',
    };
  }
  // From the right side into the left one where the way leads right, the other way round where it leads left, in a loop where it leads up
  const way = Math.sign(round(to.x - from.x));
  const startX = from.x + (way === 0 ? 1 : way) * from.radius;
  const endX = to.x - (way === 0 ? -1 : way) * (to.radius + headLength);
  const bend = way === 0 ? startX + 22 : (startX + endX) / 2;
  const point = way === 0 ? -headLength : way * headLength;
  return {
    d: `M${round(startX)} ${round(from.y)}C${round(bend)} ${round(from.y)} ${round(bend)} ${round(to.y)} ${round(endX)} ${round(to.y)}`,
    head: `M${round(endX + point)} ${round(to.y)}l${-point} -3v6z`,
  };
}
