/**
 * A circuit drawn: tokens above, layers at the left, components in their role's colour, what could influence what as lines, groups as frames
 * or, collapsed, as one node. Screens and files are made of it alike; what is under the pointer is the screen's business.
 */
import { element, round, type SvgNode } from '../figures/nodes.ts';
import type { FigureStyle } from '../figures/style.ts';
import { label, shorten } from '../figures/text.ts';
import { plural } from '../text/format.ts';
import { isSelected } from './collapse.ts';
import type { CircuitLayout, PlacedNode } from './layout.ts';
import { drawLines } from './lines.ts';
import { type CircuitGroup, type CircuitMarks, groupSubject } from './marks.ts';
import type { Kind } from './scores.ts';
import { roles } from './selection.ts';
import { nodeText } from './words.ts';

/** What is drawn besides the layout. */
export interface CircuitPicture {
  layout: CircuitLayout;
  tokens: readonly string[];
  marks: CircuitMarks;
  /** Keys of components; a collapsed group counts as selected when all of its members are. */
  selected: ReadonlySet<string>;
  /** Whether scores are the difference of two runs, A minus B. */
  difference: boolean;
}

/** The colours of roles are the palette's, in the order of roles. */
export function roleColor(style: FigureStyle, role: Kind): string {
  return style.series[[0, 1, 3][roles.indexOf(role)]!]!;
}

const left = 46;
const tokenRoom = 78;

/** Width and height of the whole drawing. */
export function extentOf(layout: CircuitLayout): { width: number; height: number } {
  return { width: left + layout.width + 10, height: tokenRoom + layout.height + 12 };
}

/** The whole drawing with the names of tokens and layers around it, as files have it. */
export function drawCircuit(picture: CircuitPicture, style: FigureStyle): SvgNode[] {
  const { layout, tokens } = picture;
  return [
    ...axes(layout, tokens, style),
    element('g', { transform: `translate(${left} ${tokenRoom})` }, drawBody(picture, style)),
  ];
}

/** Without names around it, in the layout's own units; nodes carry `data-key`, frames of groups `data-group`. */
export function drawBody({ layout, tokens, marks, selected }: CircuitPicture, style: FigureStyle): SvgNode[] {
  const pinned = new Set(marks.pins);
  const frames = groupFrames(layout, marks);
  return [
    ...bands(layout, style),
    ...frames.map((each) => groupFrame(each, style)),
    ...drawLines(layout, selected, style),
    ...layout.nodes.map((node) =>
      shape(node, style, tokens, {
        pinned: pinned.has(node.key),
        selected: isSelected(node, selected),
        noted: node.key in marks.notes,
      }),
    ),
    // Names lie over everything: lines must not cross them
    ...frames.map(({ group, x, y, width }) => {
      const noted = groupSubject(group.id) in marks.notes ? ' ✎' : '';
      return groupName(group.name + noted, { x: x + width + 4, y: y + style.fontSize, width: 180 }, 'start', style);
    }),
    ...layout.nodes.flatMap(({ group, x, y, radius }) => {
      if (group === null) return [];
      // Below in the top row, where the tokens' names end
      const place = { x, y: y < 24 ? y + radius + style.fontSize : y - radius - 4, width: 96 };
      return [groupName(group.name, place, 'middle', style)];
    }),
  ];
}

/** Every other row shaded, and borders of columns. */
function bands(layout: CircuitLayout, style: FigureStyle): SvgNode[] {
  const rows = layout.rows.filter((_, index) => index % 2 === 0);
  const borders = layout.columns.map(({ x }) => `M${round(x)} 0v${round(layout.height)}`).join('');
  const shaded = rows.map(({ y, height }) => `M0 ${round(y)}h${round(layout.width)}v${round(height)}H0z`).join('');
  return [
    element('path', { d: shaded, fill: style.grid, 'fill-opacity': 0.45 }),
    element('path', { d: borders, stroke: style.grid, 'stroke-width': 0.8 }),
  ];
}

/** Names of columns and rows. */
function axes(layout: CircuitLayout, tokens: readonly string[], style: FigureStyle): SvgNode[] {
  const { fontSize } = style;
  const rows = layout.rows.flatMap(({ layer, y, height }) =>
    height >= fontSize || layer % 4 === 0
      ? [label(style, left - 6, tokenRoom + y + height / 2 + 0.35 * fontSize, String(layer), { 'text-anchor': 'end' })]
      : [],
  );
  const names = layout.columns.map(({ token, x, width }) => {
    const [centre, bottom] = [left + x + width / 2 + 0.35 * fontSize, tokenRoom - 6];
    const name = shorten(tokens[token] ?? String(token), tokenRoom - 12, fontSize);
    return label(style, centre, bottom, name, { transform: `rotate(-90 ${round(centre)} ${bottom})` });
  });
  const middle = tokenRoom + layout.height / 2;
  return [
    ...rows,
    ...names,
    label(style, 12, middle, 'Layer', { 'text-anchor': 'middle', transform: `rotate(-90 12 ${middle})` }),
  ];
}

function shape(
  node: PlacedNode,
  style: FigureStyle,
  tokens: readonly string[],
  { pinned, selected, noted }: { pinned: boolean; selected: boolean; noted: boolean },
): SvgNode {
  const { x, y, radius, part, role, group, parts } = node;
  const color = roleColor(style, role);
  const hollow = node.scores[role] < 0;
  const attributes = {
    fill: hollow ? style.paper : color,
    stroke: selected ? style.ink : color,
    'stroke-width': selected ? 2.4 : 1.6,
    'data-key': node.key,
  };
  const mark = { text: nodeText(node, tokens) };
  const outline =
    group !== null
      ? element('path', { d: hexagon(x, y, radius), ...attributes }, [], mark)
      : part === 'mlp'
        ? element(
            'rect',
            { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, rx: 0.35 * radius, ...attributes },
            [],
            mark,
          )
        : element('circle', { cx: x, cy: y, r: radius, ...attributes }, [], mark);
  return element('g', {}, [
    outline,
    ...(group === null
      ? []
      : [
          label(style, x, y + 3.4, String(parts.length), {
            fill: hollow ? style.ink : style.paper,
            'text-anchor': 'middle',
            'font-size': 9.6,
            'font-weight': 600,
            'pointer-events': 'none',
          }),
        ]),
    ...(pinned
      ? [element('circle', { cx: x + radius, cy: y - radius, r: 2.6, fill: style.ink, stroke: style.paper, 'stroke-width': 1 })]
      : []),
    ...(noted ? [label(style, x - radius - 4, y - radius + 3, '✎', { fill: style.ink, 'font-size': 0.9 * style.fontSize })] : []),
  ]);
}

/** With corners left and right, as wide as two radii. */
function hexagon(x: number, y: number, radius: number): string {
  const [half, height] = [radius / 2, 0.9 * radius];
  const corners = [
    [x - radius, y],
    [x - half, y - height],
    [x + half, y - height],
    [x + radius, y],
    [x + half, y + height],
    [x - half, y + height],
  ];
  return `M${corners.map((corner) => corner.map(round).join(' ')).join('L')}Z`;
}

/** The frame around the shown members of a group that is not collapsed, in the layout's units. */
export interface GroupFrame {
  group: CircuitGroup;
  x: number;
  y: number;
  width: number;
  height: number;
}

export function groupFrames(layout: CircuitLayout, { groups }: CircuitMarks): GroupFrame[] {
  const byKey = new Map(layout.nodes.map((node) => [node.key, node]));
  return groups.flatMap((group) => {
    const shown = group.members.flatMap((key) => byKey.get(key) ?? []);
    if (group.collapsed || shown.length === 0) return [];
    const room = 7;
    const x = Math.min(...shown.map((node) => node.x - node.radius)) - room;
    const y = Math.min(...shown.map((node) => node.y - node.radius)) - room;
    const width = Math.max(...shown.map((node) => node.x + node.radius)) + room - x;
    const height = Math.max(...shown.map((node) => node.y + node.radius)) + room - y;
    return [{ group, x, y, width, height }];
  });
}

function groupFrame({ group, x, y, width, height }: GroupFrame, style: FigureStyle): SvgNode {
  return element(
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
      'data-group': group.id,
    },
    [],
    { text: `Group ${group.name}: ${plural(group.members.length, 'component')}` },
  );
}

/** Cut to the width there is. */
function groupName(
  name: string,
  { x, y, width }: { x: number; y: number; width: number },
  anchor: 'start' | 'middle',
  style: FigureStyle,
): SvgNode {
  return label(style, x, y, shorten(name, width, style.fontSize), {
    fill: style.ink,
    'font-weight': 600,
    stroke: style.paper,
    'stroke-width': 3,
    'paint-order': 'stroke',
    'text-anchor': anchor,
    'pointer-events': 'none',
  });
}
