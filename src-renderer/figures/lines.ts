/**
 * Draws lines: the mean of each series with its interval as a band, every seed's own line, and levels to compare with.
 */
import type { Estimate, LinesFigure } from '../../src-main/shared/figures.ts';
import {
  type Drawing,
  domain,
  horizontalAxis,
  horizontalAxisHeight,
  insideOf,
  linear,
  point,
  references,
  verticalAxis,
} from './axes.ts';
import { type LegendEntry, levelEntries } from './legend.ts';
import { element, round, type SvgNode } from './nodes.ts';
import { formatEstimate, formatValue, isNumber } from './numbers.ts';
import { type FigureStyle, seriesColor } from './style.ts';

const seedCount = ({ series }: LinesFigure) => Math.max(0, ...series.flatMap(({ y }) => y.map(({ values }) => values.length)));

/** The legend of lines; a single line of a single seed needs none. */
export function linesLegend(figure: LinesFigure, style: FigureStyle): LegendEntry[] {
  const seeds = seedCount(figure);
  const entries: LegendEntry[] =
    figure.series.length > 1 || seeds > 1
      ? figure.series.map(({ label }, place) => ({ label, sample: 'line', color: seriesColor(style, label, place), place }))
      : [];
  if (seeds > 1)
    entries.push(
      { label: 'one seed', sample: 'thin', color: style.ink },
      { label: '95 % interval', sample: 'band', color: style.ink },
    );
  return [...entries, ...levelEntries(style, figure.references, figure.y.kind)];
}

export function drawLines(figure: LinesFigure, style: FigureStyle): Drawing {
  const height = Math.max(150, Math.min(300, 0.56 * style.width));
  const estimates = figure.series.flatMap(({ y }) => y);
  const levels = figure.references.map(({ value }) => value);
  const range = domain(figure.y.kind, [
    ...estimates.flatMap((entry) => [entry.mean, entry.low, entry.high, ...entry.values]),
    ...levels,
  ]);
  const inside = insideOf(style, range, height);
  const y = linear(range[0], range[1], inside.bottom, inside.top);
  const everyX = figure.series.flatMap((series) => series.x).filter(isNumber);
  const x = linear(Math.min(...everyX, 0), Math.max(...everyX, 1e-9), inside.left + 4, inside.right - 4);
  const radius = everyX.length / figure.series.length > 30 ? 1.4 : 2.4;
  const seriesNodes = figure.series.map((series, place) => {
    const color = seriesColor(style, series.label, place);
    const points = series.x.map((value, index) => ({ x: value, ...series.y[index]! })).filter((entry) => isNumber(entry.mean));
    const seeds = Math.max(0, ...points.map(({ values }) => values.length));
    const line = (values: { x: number; y: number | null | undefined }[], attributes: SvgNode['attributes']) =>
      element('path', {
        d: path(values.map((entry) => (isNumber(entry.y) ? [x(entry.x), y(entry.y)] : null))),
        fill: 'none',
        stroke: color,
        'stroke-linejoin': 'round',
        ...attributes,
      });
    const thin =
      seeds > 1
        ? Array.from({ length: seeds }, (_, seed) =>
            line(
              points.map((entry) => ({ x: entry.x, y: entry.values[seed] })),
              { 'stroke-width': 0.8, 'stroke-opacity': 0.5 },
            ),
          )
        : [];
    return {
      behind: [...(seeds > 1 ? [band(points, x, y, color)] : []), ...thin],
      front: [
        line(
          points.map((entry) => ({ x: entry.x, y: entry.mean })),
          { 'stroke-width': 2 },
        ),
        ...points.map((entry) =>
          point(
            place,
            x(entry.x),
            y(entry.mean),
            radius,
            { fill: color },
            {
              text: `${series.label}, ${figure.x.label.toLowerCase()} ${formatValue(entry.x)}: ${formatEstimate(entry, figure.y.kind)}`,
            },
          ),
        ),
      ],
    };
  });
  return {
    height: height + horizontalAxisHeight(style),
    nodes: [
      ...verticalAxis(style, figure.y, y, inside),
      ...horizontalAxis(style, figure.x, x, inside, everyX.every(Number.isInteger)),
      ...seriesNodes.flatMap(({ behind }) => behind),
      ...references(style, figure.references, y, inside),
      ...seriesNodes.flatMap(({ front }) => front),
    ],
  };
}

/** Straight lines through the points, interrupted where one is missing. */
function path(points: readonly ([number, number] | null)[]): string {
  return points
    .map((entry, index) => (entry === null ? '' : `${points[index - 1] ? 'L' : 'M'}${round(entry[0])} ${round(entry[1])}`))
    .join('');
}

type Place = (value: number) => number;

function band(points: readonly ({ x: number } & Estimate)[], x: Place, y: Place, color: string): SvgNode {
  const known = points.filter(({ low, high }) => isNumber(low) && isNumber(high));
  const corners = [
    ...known.map((entry) => [x(entry.x), y(entry.high)]),
    ...[...known].reverse().map((entry) => [x(entry.x), y(entry.low)]),
  ];
  return element('path', {
    d: `M${corners.map((corner) => corner.map(round).join(' ')).join('L') || '0 0'}z`,
    fill: color,
    'fill-opacity': 0.16,
  });
}
