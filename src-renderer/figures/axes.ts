/**
 * The frame of a plot with two numeric directions: scales, ticks, grid, axis titles, levels to compare with, and shapes of points.
 * What is drawn inside is the figure's own business.
 */
import type { Axis, Reference } from '../../src-main/shared/figures.ts';
import { element, round, type SvgNode } from './nodes.ts';
import { formatTick, isNumber, ticks } from './numbers.ts';
import type { FigureStyle } from './style.ts';
import { label, textWidth } from './text.ts';

/** A drawing from its own origin at the top left, over the style's whole width. */
export interface Drawing {
  nodes: SvgNode[];
  height: number;
}

export interface Scale {
  (value: number): number;
  low: number;
  high: number;
}

export function linear(low: number, high: number, from: number, to: number): Scale {
  const span = high - low || 1;
  return Object.assign((value: number) => from + ((value - low) / span) * (to - from), { low, high });
}

/** The range an axis shows: ranks and counts from 0, scores with zero in sight, a little room at the ends. */
export function domain(kind: Axis['kind'], values: readonly (number | null)[]): [number, number] {
  const known = values.filter(isNumber);
  if (known.length === 0) return [0, 1];
  const low = Math.min(...known);
  const high = Math.max(...known);
  if (kind === 'rank') return [0, 1.08 * Math.max(high, 1)];
  const [from, to] = kind === 'score' || (low >= 0 && low < 0.5 * high) ? [Math.min(0, low), Math.max(0, high)] : [low, high];
  const room = 0.06 * (to - from || Math.abs(to) || 1);
  return [from === 0 ? 0 : from - room, to === 0 ? 0 : to + room];
}

/** Where the plot's inside lies. */
export interface Inside {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The inside left over by the vertical axis (its ticks and title) at the given height. */
export function insideOf(style: FigureStyle, range: readonly [number, number], height: number): Inside {
  const widest = Math.max(...verticalTicks(style, range, height).map((tick) => textWidth(formatTick(tick), style.fontSize)));
  return {
    left: Math.ceil(widest + 2.1 * style.fontSize),
    right: style.width - style.fontSize,
    top: 0.7 * style.fontSize,
    bottom: height,
  };
}

function verticalTicks(style: FigureStyle, [low, high]: readonly [number, number], height: number): number[] {
  return ticks(low, high, Math.min(7, Math.max(2, Math.floor(height / (3 * style.fontSize)))));
}

/** Grid, ticks and title of the vertical axis; without `named` the grid alone, beside a plot that has the names. */
export function verticalAxis(style: FigureStyle, axis: Axis, scale: Scale, inside: Inside, named = true): SvgNode[] {
  const { left, right, top, bottom } = inside;
  const middle = (top + bottom) / 2;
  return [
    ...verticalTicks(style, [scale.low, scale.high], bottom - top + 0.7 * style.fontSize).flatMap((tick) => {
      const y = scale(tick);
      const zero = tick === 0 && axis.kind !== 'rank' && scale.low < 0;
      return [
        element('line', {
          x1: left,
          x2: right,
          y1: y,
          y2: y,
          stroke: zero ? style.softInk : style.grid,
          'stroke-width': zero ? 0.8 : 1,
        }),
        ...(named
          ? [label(style, left - 0.5 * style.fontSize, y + 0.35 * style.fontSize, formatTick(tick), { 'text-anchor': 'end' })]
          : []),
      ];
    }),
    ...(named && axis.label !== ''
      ? [
          label(style, 0.9 * style.fontSize, middle, axis.label, {
            'text-anchor': 'middle',
            transform: `rotate(-90 ${0.9 * style.fontSize} ${middle})`,
          }),
        ]
      : []),
  ];
}

/** Height below the plot that the horizontal axis takes. */
export const horizontalAxisHeight = (style: FigureStyle): number => 3.1 * style.fontSize;

/** Base line, ticks and title of a numeric horizontal axis; whole numbers only where all values are whole. */
export function horizontalAxis(style: FigureStyle, axis: Axis, scale: Scale, inside: Inside, whole = false): SvgNode[] {
  const { left, right, bottom } = inside;
  const widest = textWidth(formatTick(scale.high > 1000 ? Math.round(scale.high) : 0.25), style.fontSize);
  const count = Math.max(2, Math.min(12, Math.floor((right - left) / (1.8 * widest))));
  const shown = ticks(scale.low, scale.high, count).filter((tick) => !whole || Number.isInteger(tick));
  return [
    element('line', { x1: left, x2: right, y1: bottom, y2: bottom, stroke: style.softInk, 'stroke-width': 0.8 }),
    ...shown.flatMap((tick) => [
      element('line', {
        x1: scale(tick),
        x2: scale(tick),
        y1: bottom,
        y2: bottom + 3,
        stroke: style.softInk,
        'stroke-width': 0.8,
      }),
      label(style, scale(tick), bottom + 1.4 * style.fontSize, formatTick(tick), { 'text-anchor': 'middle' }),
    ]),
    ...(axis.label === ''
      ? []
      : [label(style, (left + right) / 2, bottom + 2.75 * style.fontSize, axis.label, { 'text-anchor': 'middle' })]),
  ];
}

/** Dash patterns of levels, in their order: told apart without colour. */
export const levelDashes = ['4 3', '1.5 2', '7 2 1.5 2'];

/** Dashed levels; their names are in the legend, where no bar or line can run into them. */
export function references(style: FigureStyle, levels: readonly Reference[], scale: Scale, inside: Inside): SvgNode[] {
  return levels.flatMap(({ value }, place) =>
    isNumber(value)
      ? [
          element('line', {
            x1: inside.left,
            x2: inside.right,
            y1: scale(value),
            y2: scale(value),
            stroke: style.reference,
            'stroke-dasharray': levelDashes[place % levelDashes.length]!,
            'stroke-width': 1.1,
          }),
        ]
      : [],
  );
}

/** A point of a series; each place has its own shape, so that colour is never the only difference. */
export function point(
  place: number,
  x: number,
  y: number,
  radius: number,
  attributes: SvgNode['attributes'],
  mark?: SvgNode['mark'],
): SvgNode {
  const [cx, cy, r] = [round(x), round(y), round(radius)];
  const path = (...numbers: number[]) => {
    const [first, ...rest] = Array.from({ length: numbers.length / 2 }, (_, index) => numbers.slice(2 * index, 2 * index + 2));
    const corners = rest.map(([dx, dy]) => `l${round(dx! * r)} ${round(dy! * r)}`).join('');
    return element(
      'path',
      { d: `M${round(cx + first![0]! * r)} ${round(cy + first![1]! * r)}${corners}z`, ...attributes },
      [],
      mark,
    );
  };
  switch (place % 4) {
    case 0:
      return element('circle', { cx, cy, r, ...attributes }, [], mark);
    case 1:
      return path(-0.9, -0.9, 1.8, 0, 0, 1.8, -1.8, 0);
    case 2:
      return path(0, -1.2, 1.15, 2, -2.3, 0);
    default:
      return path(0, -1.35, 1.35, 1.35, -1.35, 1.35, -1.35, -1.35);
  }
}
