/**
 * What is read from points that the dial of strengths has visited: the sliders' blocks of layers, the curve along one slider, and its figure.
 * Every number in it was measured by compute; nothing is interpolated but the lines between points.
 */

import { chanceLevel, chanceReferences } from '../../src-main/shared/chance.ts';
import { type DialPoint, leastStrength, mostStrength, type StrengthBlock } from '../../src-main/shared/contract-weights.ts';
import type { LinesFigure } from '../../src-main/shared/figures.ts';
import type { ItemSet } from '../../src-main/shared/records.ts';
import { estimate } from '../../src-main/shared/statistics.ts';
import { formatNumber, plural } from '../text/format.ts';

/** A visited point, with the ranks of every item where it was visited just now and not read from a stored path. */
export interface VisitedPoint extends DialPoint {
  items: ReadonlyMap<string, readonly number[]>;
}

/** Where the line of a slider is measured by itself: near what is known first, then outwards. */
export const lineStrengths: readonly number[] = [1, 0, 0.5, 1.5, -0.5, 2, -1, 0.25, 0.75, 1.25, 1.75, -0.25, -0.75];

/** What a slider moves. */
export type Blocks = readonly { layers: [first: number, last: number] | null }[];

export const oneBlock: Blocks = [{ layers: null }];

/** Layers in two parts, the second from `split` on. */
export const earlyAndLate = (layers: number, split: number): Blocks => [
  { layers: [0, split - 1] },
  { layers: [split, layers - 1] },
];

/** Layers in `count` parts of sizes as equal as they can be, which differ by one layer where the count does not divide them. */
export function equalBlocks(layers: number, count: number): Blocks {
  const borders = Array.from({ length: count + 1 }, (_, place) => Math.round((place * layers) / count));
  return borders.slice(1).map((end, place) => ({ layers: [borders[place]!, end - 1] }));
}

/** How many such blocks a model's layers can be cut into. */
export const blockCounts = (layers: number): number[] => [2, 3, 4, 5, 6].filter((count) => count <= layers);

/** `Layers 2 and 3`, `Layer 5`, `All layers`. */
export function blockName(layers: StrengthBlock['layers']): string {
  if (layers === null) return 'All layers';
  const [first, last] = layers;
  if (first === last) return `Layer ${first}`;
  return `Layers ${first} ${last === first + 1 ? 'and' : 'to'} ${last}`;
}

/** Strengths by layer; of layers that no block names 0. */
export function strengthByLayer(strengths: readonly StrengthBlock[], layers: number): number[] {
  const result = new Array<number>(layers).fill(0);
  for (const { layers: of, strength } of strengths) result.fill(strength, of?.[0] ?? 0, (of?.[1] ?? layers - 1) + 1);
  return result;
}

/** Other blocks with the strengths of these, each the one that its first layer had. */
export function rearranged(strengths: readonly StrengthBlock[], blocks: Blocks, layers: number): StrengthBlock[] {
  const byLayer = strengthByLayer(strengths, layers);
  return blocks.map(({ layers: of }) => ({ layers: of, strength: byLayer[of?.[0] ?? 0]! }));
}

/** The points on the line that one block's slider moves along while the others stay, by strength; of points in one place the last. */
export function pointsAlong(
  points: readonly VisitedPoint[],
  here: readonly StrengthBlock[],
  active: number,
  layers: number,
): { strength: number; point: VisitedPoint }[] {
  const current = strengthByLayer(here, layers);
  const [first, last] = here[active]?.layers ?? [0, layers - 1];
  const found = new Map<number, VisitedPoint>();
  for (const point of points) {
    const byLayer = strengthByLayer(point.strengths, layers);
    const strength = byLayer[first]!;
    const isOnLine = byLayer.every((value, layer) => value === (layer >= first && layer <= last ? strength : current[layer]));
    if (isOnLine) found.set(strength, point);
  }
  return [...found].map(([strength, point]) => ({ strength, point })).sort((a, b) => a.strength - b.strength);
}

/** What a stored path moved: `all layers, 0 to 1.5, 5 points`, `layers 0 to 3, 0 to 1, 3 points`, `2 blocks of layers, -1 to 2, 7 points`. */
export function pathName(points: readonly Pick<DialPoint, 'strengths'>[]): string {
  const visited = new Map<string, { layers: StrengthBlock['layers']; strengths: number[] }>();
  for (const { strengths } of points) {
    for (const { layers, strength } of strengths) {
      const block = visited.get(JSON.stringify(layers)) ?? { layers, strengths: [] };
      block.strengths.push(strength);
      visited.set(JSON.stringify(layers), block);
    }
  }
  const blocks = [...visited.values()];
  const moved = blocks.filter(({ strengths }) => new Set(strengths).size > 1);
  const named = moved.length > 0 ? moved : blocks;
  const where = named.length === 1 ? blockName(named[0]!.layers).toLowerCase() : `${named.length} blocks of layers`;
  const all = named.flatMap(({ strengths }) => strengths);
  const [low, high] = [Math.min(...all), Math.max(...all)].map(formatNumber);
  return `${where}, ${low === high ? `at ${low}` : `${low} to ${high}`}, ${plural(points.length, 'point')}`;
}

export interface DialFigureOf {
  along: readonly { strength: number; point: VisitedPoint }[];
  sets: readonly ItemSet[];
  /** What the slider moves, and where the others stand, in words. */
  moved: string;
  /** An item whose rank is drawn too. */
  item: { set: string; item: number } | null;
  /** Which training, in words. */
  training: string;
}

/** Mean ranks over the strength of one slider. */
export function dialFigure({ along, sets, moved, item, training }: DialFigureOf): LinesFigure {
  const series = sets.map(({ set }) => {
    const measured = along.flatMap(({ strength, point }) => {
      const rank = point.ranks.find((entry) => entry.set === set)?.meanRank;
      return rank === undefined ? [] : [{ strength, rank }];
    });
    return { label: set, x: measured.map(({ strength }) => strength), y: measured.map(({ rank }) => estimate([rank])) };
  });
  const ofItem =
    item === null
      ? []
      : along.flatMap(({ strength, point }) => {
          const rank = point.items.get(item.set)?.[item.item];
          return rank === undefined ? [] : [{ strength, rank }];
        });
  if (item !== null && ofItem.length > 0) {
    series.push({
      label: `item ${item.item + 1} of the ${item.set}`,
      x: ofItem.map(({ strength }) => strength),
      y: ofItem.map(({ rank }) => estimate([rank])),
    });
  }
  return {
    id: 'dial',
    kind: 'lines',
    title: 'Ranks by strength of what was learned',
    caption: `Mean rank of the right answer (0 is best) with the model’s own weights plus strength × the change that the training made, ${moved}: at 0 the model as it is in its folder, at 1 as trained, below 0 away from it and above 1 beyond. Measured at ${plural(along.length, 'point')}, with straight lines between them; ${training}.`,
    x: { label: 'Strength of the change', kind: 'number', range: [leastStrength, mostStrength] },
    y: { label: 'Mean rank', kind: 'rank' },
    series,
    references: chanceReferences(sets.map(({ set, candidates }) => ({ set, chance: chanceLevel(candidates.length) }))),
  };
}
