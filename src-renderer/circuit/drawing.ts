/**
 * A circuit drawn: tokens above, layers at the left, components as circles of their role's colour, what could influence what as lines, groups
 * as frames. The screen and saved files are made of it alike; what is under the pointer is the screen's business.
 */
import { element, round, type SvgNode, serialize } from '../figures/nodes.ts';
import { formatValue } from '../figures/numbers.ts';
import { type FigureStyle, printStyle } from '../figures/style.ts';
import { label, shorten, wrap } from '../figures/text.ts';
import { toCsv } from '../text/csv.ts';
import { componentAt, componentName } from './components.ts';
import type { CircuitLayout, PlacedComponent } from './layout.ts';
import { type CircuitMarks, groupOf, groupSubject } from './marks.ts';
import type { Kind } from './scores.ts';
import { roles } from './selection.ts';

/** What is drawn besides the layout. */
export interface CircuitPicture {
  layout: CircuitLayout;
  tokens: readonly string[];
  marks: CircuitMarks;
  selected: ReadonlySet<string>;
}

export const roleNames: Record<Kind, string> = {
  upstream: 'Upstream: brings the prompt to where the fact is recalled',
  informative: 'Informative: holds the new fact in its weights',
  downstream: 'Downstream: turns the fact into the answer',
};

/** What a line says, for legends. */
export const edgeMeaning =
  'Lines: could influence, by the order of computation only (up the layers at one token, and from earlier tokens into later layers’ attention). Scores belong to components, so lines have no weight; those that follow from others are left out.';

/** The colours of roles are the palette's, in the order of roles. */
export function roleColor(style: FigureStyle, role: Kind): string {
  return style.series[[0, 1, 3][roles.indexOf(role)]!]!;
}

const left = 46;
const tokenRoom = 78;

/** Width and height of the whole drawing, and where the layout's own origin lies in it. */
export function extentOf(layout: CircuitLayout): { width: number; height: number; x: number; y: number } {
  return { width: left + layout.width + 10, height: tokenRoom + layout.height + 12, x: left, y: tokenRoom };
}

/** The drawing from its own origin; circles carry `data-key`, frames of groups `data-group`. */
export function drawCircuit({ layout, tokens, marks, selected }: CircuitPicture, style: FigureStyle): SvgNode[] {
  const byKey = new Map(layout.nodes.map((node) => [node.key, node]));
  const pinned = new Set(marks.pins);
  return [
    ...frame(layout, tokens, style),
    element('g', { transform: `translate(${left} ${tokenRoom})` }, [
      ...marks.groups.flatMap((group) => groupFrame(group, byKey, marks, style)),
      element(
        'g',
        { fill: 'none', stroke: style.reference, 'stroke-width': 1.1, 'stroke-opacity': 0.7 },
        layout.edges.map(({ from, to }) => edge(layout.nodes[from]!, layout.nodes[to]!, selected)),
      ),
      ...layout.nodes.map((node) =>
        circle(node, style, tokens, {
          pinned: pinned.has(node.key),
          selected: selected.has(node.key),
          noted: node.key in marks.notes,
        }),
      ),
    ]),
  ];
}

/** Bands of columns and rows with their names. */
function frame(layout: CircuitLayout, tokens: readonly string[], style: FigureStyle): SvgNode[] {
  const { fontSize } = style;
  const rows = layout.rows.flatMap(({ layer, y, height }, index) => [
    ...(index % 2 === 0
      ? [element('rect', { x: left, y: tokenRoom + y, width: layout.width, height, fill: style.grid, 'fill-opacity': 0.45 })]
      : []),
    ...(height >= fontSize || layer % 4 === 0
      ? [label(style, left - 6, tokenRoom + y + height / 2 + 0.35 * fontSize, String(layer), { 'text-anchor': 'end' })]
      : []),
  ]);
  const columns = layout.columns.flatMap(({ token, x, width }) => {
    const [centre, bottom] = [left + x + width / 2 + 0.35 * fontSize, tokenRoom - 6];
    const name = shorten(tokens[token] ?? String(token), tokenRoom - 12, fontSize);
    return [
      element('line', {
        x1: left + x,
        x2: left + x,
        y1: tokenRoom,
        y2: tokenRoom + layout.height,
        stroke: style.grid,
        'stroke-width': 0.8,
      }),
      label(style, centre, bottom, name, { transform: `rotate(-90 ${round(centre)} ${bottom})` }),
    ];
  });
  const middle = tokenRoom + layout.height / 2;
  return [
    ...rows,
    ...columns,
    label(style, 12, middle, 'Layer', { 'text-anchor': 'middle', transform: `rotate(-90 12 ${middle})` }),
  ];
}

function edge(from: PlacedComponent, to: PlacedComponent, selected: ReadonlySet<string>): SvgNode {
  const [startY, endY] = [from.y + from.radius, to.y - to.radius];
  const bend = Math.max(6, (endY - startY) / 2);
  const d = `M${round(from.x)} ${round(startY)}C${round(from.x)} ${round(startY + bend)} ${round(to.x)} ${round(endY - bend)} ${round(to.x)} ${round(endY)}`;
  const strong = selected.has(from.key) || selected.has(to.key);
  return element('path', strong ? { d, 'stroke-width': 1.8, 'stroke-opacity': 1 } : { d });
}

function circle(
  node: PlacedComponent,
  style: FigureStyle,
  tokens: readonly string[],
  { pinned, selected, noted }: { pinned: boolean; selected: boolean; noted: boolean },
): SvgNode {
  const { x, y, radius, part, role } = node;
  const color = roleColor(style, role);
  const attributes = {
    fill: node.scores[role] < 0 ? style.paper : color,
    stroke: selected ? style.ink : color,
    'stroke-width': selected ? 2.4 : 1.6,
    'data-key': node.key,
  };
  const mark = { text: nodeText(node, tokens) };
  const shape =
    part === 'mlp'
      ? element(
          'rect',
          { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, rx: 0.35 * radius, ...attributes },
          [],
          mark,
        )
      : element('circle', { cx: x, cy: y, r: radius, ...attributes }, [], mark);
  return element('g', {}, [
    shape,
    ...(pinned
      ? [element('circle', { cx: x + radius, cy: y - radius, r: 2.6, fill: style.ink, stroke: style.paper, 'stroke-width': 1 })]
      : []),
    ...(noted ? [label(style, x - radius - 4, y - radius + 3, '✎', { fill: style.ink, 'font-size': 0.9 * style.fontSize })] : []),
  ]);
}

/** `Downstream, MLP of layer 3 at “is”: 0.42`. */
export function nodeText(node: PlacedComponent, tokens: readonly string[]): string {
  const role = `${node.role.charAt(0).toUpperCase()}${node.role.slice(1)}`;
  return `${role}, ${componentAt(node, tokens)}: ${formatValue(node.scores[node.role])}`;
}

function groupFrame(
  { id, name, members }: CircuitMarks['groups'][number],
  nodes: ReadonlyMap<string, PlacedComponent>,
  marks: CircuitMarks,
  style: FigureStyle,
): SvgNode[] {
  const shown = members.flatMap((key) => nodes.get(key) ?? []);
  if (shown.length === 0) return [];
  const room = 7;
  const x = Math.min(...shown.map((node) => node.x - node.radius)) - room;
  const y = Math.min(...shown.map((node) => node.y - node.radius)) - room;
  const width = Math.max(...shown.map((node) => node.x + node.radius)) + room - x;
  const height = Math.max(...shown.map((node) => node.y + node.radius)) + room - y;
  const text = `${name}${groupSubject(id) in marks.notes ? ' ✎' : ''}`;
  return [
    element(
      'rect',
      {
        x,
        y,
        width,
        height,
        rx: 8,
        fill: style.softInk,
        'fill-opacity': 0.08,
        stroke: style.softInk,
        'stroke-dasharray': '5 3',
        'data-group': id,
      },
      [],
      { text: `Group ${name}: ${members.length} components` },
    ),
    label(style, x + width + 4, y + style.fontSize, text, {
      fill: style.ink,
      'font-weight': 600,
      stroke: style.paper,
      'stroke-width': 3,
      'paint-order': 'stroke',
    }),
  ];
}

/** A circuit as an SVG file: title, drawing, legend and what was marked, on white. */
export function circuitSvg(
  picture: CircuitPicture,
  title: string,
  caption: string,
  style: FigureStyle = printStyle,
): { text: string; width: number; height: number } {
  const margin = 8;
  const { fontSize } = style;
  const extent = extentOf(picture.layout);
  const width = Math.max(style.width, extent.width) + 2 * margin;
  const inside = width - 2 * margin;
  const line = 1.35 * fontSize;
  const lines = (text: string) => wrap(text, inside, fontSize);
  const titles = wrap(title, inside, 1.2 * fontSize);
  const top = margin + titles.length * 1.5 * fontSize + 4;
  let y = top + extent.height + line;
  const text: SvgNode[] = [];
  const write = (words: string, x = margin) => {
    for (const each of words.split('\n')) {
      text.push(label(style, x, y, each, { fill: style.ink }));
      y += line;
    }
  };
  for (const role of roles) {
    text.push(element('circle', { cx: margin + 4, cy: y - 0.35 * fontSize, r: 4, fill: roleColor(style, role) }));
    write(shorten(roleNames[role], inside - 14, fontSize), margin + 14);
  }
  const notes = Object.entries(picture.marks.notes).map(([subject, note]) => `${subjectName(picture, subject)}: ${note}`);
  for (const each of [markLegend, edgeMeaning, caption, ...notes]) write(lines(each).join('\n'));
  const height = Math.ceil(y + margin);
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: round(1.5 * width),
      height: round(1.5 * height),
      viewBox: `0 0 ${round(width)} ${height}`,
      'font-family': style.fontFamily,
    },
    [
      element('title', {}, [title]),
      element('rect', { width: round(width), height, fill: style.paper }),
      ...titles.map((each, index) =>
        label(style, margin, margin + (index + 0.9) * 1.5 * fontSize, each, {
          fill: style.ink,
          'font-size': 1.12 * fontSize,
          'font-weight': 600,
        }),
      ),
      element('g', { transform: `translate(${margin} ${round(top)})` }, drawCircuit({ ...picture, selected: new Set() }, style)),
      ...text,
    ],
  );
  return { text: `<?xml version="1.0" encoding="UTF-8"?>\n${serialize(root)}\n`, width: 1.5 * width, height: 1.5 * height };
}

/** Shapes and fillings, for legends. */
export const markLegend =
  'Squares are MLPs, circles attention. Size: absolute score. Filled: lowers the loss; hollow: raises it. A dot marks pinned components.';

/** A component or group that a note is on. */
export function subjectName(
  { marks, tokens, layout }: Pick<CircuitPicture, 'marks' | 'tokens' | 'layout'>,
  subject: string,
): string {
  const group = marks.groups.find(({ id }) => groupSubject(id) === subject);
  if (group) return group.name;
  const node = layout.nodes.find(({ key }) => key === subject);
  return node ? componentAt(node, tokens) : subject;
}

/** One row per component of the circuit, at full precision. */
export function circuitCsv({ layout, tokens, marks }: Pick<CircuitPicture, 'layout' | 'tokens' | 'marks'>): string {
  const pinned = new Set(marks.pins);
  return toCsv(
    ['component', 'layer', 'head', 'token', 'token text', 'role', ...roles, 'pinned', 'group', 'note'],
    layout.nodes.map((node) => [
      componentName(node),
      node.layer,
      node.head,
      node.token,
      tokens[node.token] ?? null,
      node.role,
      ...roles.map((role) => node.scores[role]),
      pinned.has(node.key) ? 'yes' : 'no',
      groupOf(marks, node.key)?.name ?? null,
      marks.notes[node.key] ?? null,
    ]),
  );
}
