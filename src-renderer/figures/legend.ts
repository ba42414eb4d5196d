/**
 * The legend of a figure: samples of its marks with their names, in as many lines as the width needs.
 */
import type { Axis, Reference } from '../../src-main/shared/figures.ts';
import { type Drawing, levelDashes, point } from './axes.ts';
import { element, round, type SvgNode } from './nodes.ts';
import { formatValue, isNumber } from './numbers.ts';
import { type FigureStyle, seriesDashes } from './style.ts';
import { label, shorten, textWidth } from './text.ts';

export interface LegendEntry {
  label: string;
  sample: 'line' | 'thin' | 'band' | 'bar' | 'dot' | 'whisker' | 'published' | 'point' | 'level' | 'ring' | 'nothing';
  color: string;
  /** Place of the series, for the shape of its points, or of the level, for its dashes. */
  place?: number;
}

const sampleWidth = 1.7;

export function drawLegend(style: FigureStyle, entries: readonly LegendEntry[]): Drawing {
  const { fontSize } = style;
  const gap = 1.3 * fontSize;
  const line = 1.55 * fontSize;
  let [x, y] = [0, fontSize];
  const nodes: SvgNode[] = [];
  for (const entry of entries) {
    const before = (sampleWidth + 0.45) * fontSize;
    const text = shorten(entry.label, style.width - before, fontSize);
    const width = before + textWidth(text, fontSize);
    if (x > 0 && x + width > style.width) [x, y] = [0, y + line];
    nodes.push(...sample(style, entry, x, y - 0.35 * fontSize), label(style, x + before, y, text));
    x += width + gap;
  }
  return { nodes, height: entries.length === 0 ? 0 : y + 0.9 * fontSize };
}

function sample(style: FigureStyle, { sample: kind, color, place = 0 }: LegendEntry, x: number, y: number): SvgNode[] {
  const size = style.fontSize;
  const [right, centre] = [x + sampleWidth * size, x + (sampleWidth / 2) * size];
  const dashes = kind === 'line' ? seriesDashes(style, place) : null;
  const stroke = (width: number, opacity = 1) =>
    element('line', {
      x1: x,
      x2: right,
      y1: y,
      y2: y,
      stroke: color,
      'stroke-width': width,
      'stroke-opacity': opacity,
      ...(dashes === null ? {} : { 'stroke-dasharray': dashes }),
    });
  switch (kind) {
    case 'line':
      return [stroke(2), point(place, centre, y, 2.4, { fill: color })];
    case 'thin':
      return [stroke(0.8, 0.6)];
    case 'band':
      return [
        element('rect', {
          x,
          y: y - 0.35 * size,
          width: sampleWidth * size,
          height: 0.7 * size,
          fill: color,
          'fill-opacity': 0.2,
        }),
      ];
    case 'bar':
      return [element('rect', { x, y: y - 0.4 * size, width: sampleWidth * size, height: 0.8 * size, fill: color })];
    case 'dot':
      return [seedDot(style, centre, y)];
    case 'whisker':
      return whisker(centre, y - 0.5 * size, y + 0.5 * size, color);
    case 'published':
      return publishedMark(style, centre, y);
    case 'point':
      return [point(place, centre, y, 2.8, { fill: color })];
    case 'ring':
      return [ring(centre, y, color)];
    case 'level': {
      const dashes = levelDashes[place % levelDashes.length]!;
      return [
        element('line', { x1: x, x2: right, y1: y, y2: y, stroke: color, 'stroke-width': 1.1, 'stroke-dasharray': dashes }),
      ];
    }
    case 'nothing':
      return [
        element('rect', {
          x: centre - 0.5 * size,
          y: y - 0.5 * size,
          width: size,
          height: size,
          fill: `url(#${style.id}-nothing)`,
          stroke: style.grid,
        }),
      ];
  }
}

/** The levels of a figure with their values: `chance 9.5`. */
export function levelEntries(style: FigureStyle, levels: readonly Reference[], kind: Axis['kind']): LegendEntry[] {
  return levels.flatMap(({ label: name, value }, place) =>
    isNumber(value)
      ? [
          {
            label: `${name} ${kind === 'rank' ? Number(value.toFixed(2)) : formatValue(value, kind)}`,
            sample: 'level' as const,
            color: style.reference,
            place,
          },
        ]
      : [],
  );
}

/** An interval, standing upright. */
export function whisker(x: number, top: number, bottom: number, color: string): SvgNode[] {
  return [
    element('path', {
      d: `M${x - 2.5} ${top}h5M${x} ${top}V${bottom}M${x - 2.5} ${bottom}h5`,
      fill: 'none',
      stroke: color,
      'stroke-width': 1.1,
    }),
  ];
}

/** Around the point that is a series' best. */
export function ring(x: number, y: number, color: string): SvgNode {
  return element('circle', { cx: round(x), cy: round(y), r: 4.6, fill: 'none', stroke: color, 'stroke-width': 1.3 });
}

/** One seed's value over a bar. */
export function seedDot(style: FigureStyle, x: number, y: number, mark?: SvgNode['mark']): SvgNode {
  return element('circle', { cx: x, cy: y, r: 1.9, fill: style.paper, stroke: style.ink, 'stroke-width': 0.8 }, [], mark);
}

/** A value of the paper's: hollow, with a rim that keeps it apart from the bar behind it. */
export function publishedMark(style: FigureStyle, x: number, y: number): SvgNode[] {
  const shape = { fill: 'none', 'stroke-linejoin': 'round' };
  return [
    point(3, x, y, 3.4, { ...shape, stroke: style.paper, 'stroke-width': 3.2 }),
    point(3, x, y, 3.4, { ...shape, stroke: style.ink, 'stroke-width': 1.4 }),
  ];
}
