/**
 * Where a circuit's components stand and which could influence which: columns are tokens, rows are layers with the first at the top, lanes in
 * a column are roles. Scores belong to components, so a line has no weight: it says only that the model computes one before the other.
 */
import type { CircuitNode } from './collapse.ts';
import type { Component } from './components.ts';
import { roles } from './selection.ts';

export interface PlacedNode extends CircuitNode {
  x: number;
  y: number;
  radius: number;
}

export interface CircuitLayout {
  width: number;
  height: number;
  nodes: PlacedNode[];
  /** Indices into `nodes`. */
  edges: { from: number; to: number }[];
  columns: { token: number; x: number; width: number }[];
  rows: { layer: number; y: number; height: number }[];
}

const laneWidth = 26;
const emptyColumn = 30;
const emptyRow = 12;
/** Attention stands above its layer's MLP, which reads it. */
const subRow = 28;
const gap = 10;
/** Collapsed groups may outdo the largest component, as far as their lane is wide. */
const radii = { smallest: 4, component: 11, largest: 13, group: 9 };

/** Area grows with the score, so that two of half the size look like one of the whole. */
const radiusOf = (strength: number): number =>
  Math.min(radii.largest, Math.max(radii.smallest, radii.component * Math.sqrt(strength)));

/** `parallel`: layers whose attention and MLP read the same input, so that neither comes first. */
export function layOut(
  components: readonly CircuitNode[],
  size: { layers: number; tokens: number },
  parallel = false,
): CircuitLayout {
  const columns = columnsOf(components, size.tokens);
  const rows = rowsOf(components, size.layers);
  const taken = new Map<string, number>();
  const nodes = [...components].sort(byRoleAndHead).flatMap((component): PlacedNode[] => {
    const column = columns[component.token];
    const row = rows[component.layer];
    if (column === undefined || row === undefined) return [];
    const lane = roles.indexOf(component.role);
    const place = `${component.layer} ${component.part} ${component.token} ${lane}`;
    const before = taken.get(place) ?? 0;
    taken.set(place, before + 1);
    const left = column.x + gap / 2 + laneWidth * column.lanes.slice(0, lane).reduce((sum, count) => sum + count, 0);
    const both = row.attention && row.mlp;
    return [
      {
        ...component,
        x: left + (before + 0.5) * laneWidth,
        y: row.y + gap / 2 + (component.part === 'mlp' && both ? 1.5 : 0.5) * subRow,
        // A group's number of members stands in it
        radius: Math.max(component.group === null ? 0 : radii.group, radiusOf(component.strength)),
      },
    ];
  });
  const lastColumn = columns.at(-1);
  const lastRow = rows.at(-1);
  return {
    width: lastColumn ? lastColumn.x + lastColumn.width : 0,
    height: lastRow ? lastRow.y + lastRow.height : 0,
    nodes,
    edges: mergedEdges(nodes, parallel),
    columns: columns.map(({ token, x, width }) => ({ token, x, width })),
    rows: rows.map(({ layer, y, height }) => ({ layer, y, height })),
  };
}

const byRoleAndHead = (a: CircuitNode, b: CircuitNode) =>
  a.layer - b.layer || (a.head ?? -1) - (b.head ?? -1) || a.token - b.token;

/** Each lane is as wide as the most components that stand beside each other in it. */
function columnsOf(components: readonly CircuitNode[], tokens: number) {
  const lanes = Array.from({ length: tokens }, () => roles.map(() => 0));
  const beside = new Map<string, number>();
  for (const { part, layer, token, role } of components) {
    const lane = roles.indexOf(role);
    const place = `${layer} ${part} ${token} ${lane}`;
    const count = (beside.get(place) ?? 0) + 1;
    beside.set(place, count);
    const column = lanes[token];
    if (column) column[lane] = Math.max(column[lane]!, count);
  }
  let x = 0;
  return lanes.map((counts, token) => {
    const count = counts.reduce((sum, each) => sum + each, 0);
    const width = Math.max(emptyColumn, count * laneWidth + gap);
    const column = { token, x, width, lanes: counts };
    x += width;
    return column;
  });
}

function rowsOf(components: readonly CircuitNode[], layers: number) {
  const has = Array.from({ length: layers }, () => ({ mlp: false, attn: false }));
  for (const { layer, part } of components) if (has[layer]) has[layer][part] = true;
  let y = 0;
  return has.map(({ mlp, attn }, layer) => {
    const height = mlp || attn ? subRow * (Number(mlp) + Number(attn)) + gap : emptyRow;
    const row = { layer, y, height, mlp, attention: attn };
    y += height;
    return row;
  });
}

type Timed = Pick<Component, 'part' | 'layer' | 'token'>;

/**
 * Whether the model lets `from` act on `to`: at the same token everything computed before, through the residual stream; from an earlier token
 * only what attention of a later layer reads there.
 */
export function couldInfluence(from: Timed, to: Timed, parallel = false): boolean {
  if (from.token === to.token) {
    return from.layer < to.layer || (!parallel && from.layer === to.layer && from.part === 'attn' && to.part === 'mlp');
  }
  return to.part === 'attn' && from.token < to.token && from.layer < to.layer;
}

const timeOf = ({ layer, part }: Timed) => 2 * layer + Number(part === 'mlp');

/** The order of computation without what follows from other lines (its transitive reduction). */
export function edgesOf(nodes: readonly Timed[], parallel = false): { from: number; to: number }[] {
  const order = nodes.map((_, index) => index).sort((a, b) => timeOf(nodes[a]!) - timeOf(nodes[b]!));
  // What reaches a node, one bit for each other node
  const reached: Uint32Array[] = nodes.map(() => new Uint32Array(Math.ceil(nodes.length / 32)));
  const edges: { from: number; to: number }[] = [];
  for (const [place, to] of order.entries()) {
    const before = reached[to]!;
    for (let earlier = place - 1; earlier >= 0; earlier--) {
      const from = order[earlier]!;
      if (((before[from >> 5]! >>> (from & 31)) & 1) === 1 || !couldInfluence(nodes[from]!, nodes[to]!, parallel)) continue;
      edges.push({ from, to });
      before[from >> 5]! |= 1 << (from & 31);
      const through = reached[from]!;
      for (let word = 0; word < through.length; word++) before[word]! |= through[word]!;
    }
  }
  return edges;
}

/** Lines between what nodes stand for, each pair of nodes once; those inside a collapsed group are gone. Two nodes may act on each other then. */
export function mergedEdges(nodes: readonly { parts: readonly Timed[] }[], parallel = false): { from: number; to: number }[] {
  const owners = nodes.flatMap(({ parts }, owner) => parts.map(() => owner));
  const seen = new Set<number>();
  return edgesOf(
    nodes.flatMap(({ parts }) => parts),
    parallel,
  ).flatMap((edge) => {
    const [from, to] = [owners[edge.from]!, owners[edge.to]!];
    const pair = from * nodes.length + to;
    if (from === to || seen.has(pair)) return [];
    seen.add(pair);
    return [{ from, to }];
  });
}

/** The node to which an arrow key leads: the nearest in that direction, where sideways distance counts double; null where there is none. */
export function nodeBeside(nodes: readonly Pick<PlacedNode, 'x' | 'y'>[], from: number, key: string): number | null {
  const here = nodes[from];
  if (here === undefined) return null;
  let best: { index: number; distance: number } | null = null;
  for (const [index, { x, y }] of nodes.entries()) {
    const [dx, dy] = [x - here.x, y - here.y];
    const along = { ArrowRight: dx, ArrowLeft: -dx, ArrowDown: dy, ArrowUp: -dy }[key];
    if (along === undefined || along <= 0) continue;
    const across = key === 'ArrowRight' || key === 'ArrowLeft' ? dy : dx;
    const distance = along + 2 * Math.abs(across);
    if (best === null || distance < best.distance) best = { index, distance };
  }
  return best?.index ?? null;
}

/** Which of the names at these places, in pixels, have `room` of each other: those of higher importance first, alike ones from the start. */
export function spacedOut(places: readonly number[], importance: readonly number[], room: number): boolean[] {
  const shown: number[] = [];
  const order = places.map((_, index) => index).sort((a, b) => importance[b]! - importance[a]! || a - b);
  for (const index of order) if (shown.every((other) => Math.abs(places[other]! - places[index]!) >= room)) shown.push(index);
  const names = new Set(shown);
  return places.map((_, index) => names.has(index));
}
