/**
 * Draws lines: the mean of each series with its interval as a band, every seed's own line, and levels to compare with.
 */
import type { Estimate, LinesFigure } from '../../src-main/shared/figures.ts';
import { spreadWords } from '../../src-main/shared/statistics.ts';
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
import { type LegendEntry, levelEntries, ring } from './legend.ts';
import { element, round, type SvgNode } from './nodes.ts';
import { formatEstimate, formatValue, isNumber } from './numbers.ts';
import { type FigureStyle, seriesColor, seriesDashes } from './style.ts';

/** How many seeds the figure has values of. */
const seedCount = ({ series }: LinesFigure): number =>
  Math.max(0, ...series.flatMap(({ y }) => y.map(({ values }) => values.length)));

/** The legend of lines; a single line of a single seed needs none. */
export function linesLegend(figure: LinesFigure, style: FigureStyle): LegendEntry[] {
  const seeds = seedCount(figure);
  const entries: LegendEntry[] =
    figure.series.length > 1 || seeds > 1
      ? figure.series.map(({ label }, place) => ({ label, sample: 'line', color: seriesColor(style, label, place), place }))
      : [];
  if (seeds > 1 && figure.seeds !== 'interval')
    entries.push({ label: `one ${figure.noun ?? 'seed'}`, sample: 'thin', color: style.ink });
  if (seeds > 1 && figure.seeds !== 'lines') {
    const spread = spreadWords(
      figure.series.flatMap(({ y }) => y),
      figure.noun,
    );
    entries.push({ label: spread, sample: 'band', color: style.ink });
  }
  if (figure.series.some(({ best }) => best !== undefined)) entries.push({ label: 'best', sample: 'ring', color: style.ink });
  return [...entries, ...levelEntries(style, figure.references, figure.y.kind)];
}

/** From the lowest to the highest that is drawn, or as the axis says. */
export function linesRange(figure: LinesFigure): [low: number, high: number] {
  if (figure.y.range !== undefined) return figure.y.range;
  const estimates = figure.series.flatMap(({ y }) => y);
  const drawn = estimates.flatMap((entry) => [
    ...(figure.seeds === 'lines' ? [] : [entry.mean, entry.low, entry.high]),
    ...(figure.seeds === 'interval' ? [] : entry.values),
  ]);
  return domain(figure.y.kind, [...drawn, ...figure.references.map(({ value }) => value)]);
}

/** From 0, or below it, to the last x, and as far as the axis says. */
export function linesSpan(figures: readonly LinesFigure[]): [low: number, high: number] {
  const everyX = figures.flatMap(({ x, series }) => [...(x.range ?? []), ...series.flatMap((line) => line.x)]).filter(isNumber);
  return [Math.min(...everyX, 0), Math.max(...everyX, 1e-9)];
}

export function drawLines(figure: LinesFigure, style: FigureStyle): Drawing {
  const height = Math.max(150, Math.min(300, 0.56 * style.width));
  const range = linesRange(figure);
  const inside = insideOf(style, range, height);
  const y = linear(range[0], range[1], inside.bottom, inside.top);
  const everyX = figure.series.flatMap((series) => series.x).filter(isNumber);
  const span = linesSpan([figure]);
  const x = linear(span[0], span[1], inside.left + 4, inside.right - 4);
  const { behind, front } = plotLines(figure, style, { x, y, radius: pointRadius([figure], inside.right - inside.left) });
  return {
    height: height + horizontalAxisHeight(style),
    nodes: [
      ...verticalAxis(style, figure.y, y, inside),
      ...horizontalAxis(style, figure.x, x, inside, everyX.every(Number.isInteger)),
      ...behind,
      ...references(style, figure.references, y, inside),
      ...front,
    ],
  };
}

/** Radius of points in plots `width` across, one for all of them: small where those of some plot would touch. */
export function pointRadius(figures: readonly LinesFigure[], width: number): number {
  const counts = figures.map(({ series }) => series.reduce((sum, { x }) => sum + x.length, 0) / series.length);
  const most = Math.max(0, ...counts.filter(Number.isFinite));
  return most > 30 || width < 9 * most ? 1.4 : 2.4;
}

/** The bands and lines of a figure between given axes, with points of `radius`: what lies behind the levels, and what before them. */
export function plotLines(
  figure: LinesFigure,
  style: FigureStyle,
  { x, y, radius }: { x: Place; y: Place; radius: number },
): { behind: SvgNode[]; front: SvgNode[] } {
  const drawn = figure.series.map((series, place) => {
    const color = seriesColor(style, series.label, place);
    const dashes = seriesDashes(style, place);
    const points = series.x.map((value, index) => ({ x: value, ...series.y[index]! })).filter((entry) => isNumber(entry.mean));
    const seeds = Math.max(0, ...points.map(({ values }) => values.length));
    const single = figure.seeds === 'lines' && seeds > 1;
    const line = (values: { x: number; y: number | null | undefined }[], attributes: SvgNode['attributes']) =>
      element('path', {
        d: path(values.map((entry) => (isNumber(entry.y) ? [x(entry.x), y(entry.y)] : null))),
        fill: 'none',
        stroke: color,
        'stroke-linejoin': 'round',
        ...(dashes === null ? {} : { 'stroke-dasharray': dashes }),
        ...attributes,
      });
    const thin =
      seeds > 1 && figure.seeds !== 'interval'
        ? Array.from({ length: seeds }, (_, seed) =>
            line(
              points.map((entry) => ({ x: entry.x, y: entry.values[seed] })),
              single ? { 'stroke-width': 1.2, 'stroke-opacity': 0.85 } : { 'stroke-width': 0.8, 'stroke-opacity': 0.5 },
            ),
          )
        : [];
    const best = series.best === undefined ? undefined : { x: series.x[series.best]!, y: series.y[series.best]!.mean };
    const text = (entry: (typeof points)[number]) =>
      `${series.label}, ${figure.x.label.toLowerCase()} ${formatValue(entry.x)}: ${formatEstimate(entry, figure.y.kind)}${entry.x === best?.x ? ', its best' : ''}`;
    const mark = (entry: (typeof points)[number], value: number) =>
      point(place, x(entry.x), y(value), radius, { fill: color }, { text: text(entry) });
    return {
      behind: [...(seeds > 1 && !single ? [band(points, x, y, color)] : []), ...thin],
      front: [
        ...(single
          ? // Each seed's line has its points; the first of them at an x says the numbers of all.
            points.flatMap((entry) =>
              entry.values
                .filter(isNumber)
                .slice(0, 1)
                .map((value) => mark(entry, value)),
            )
          : [
              line(
                points.map((entry) => ({ x: entry.x, y: entry.mean })),
                { 'stroke-width': 2 },
              ),
              ...points.map((entry) => mark(entry, entry.mean)),
            ]),
        ...(best === undefined || !isNumber(best.y) ? [] : [ring(x(best.x), y(best.y), color)]),
      ],
    };
  });
  return { behind: drawn.flatMap(({ behind }) => behind), front: drawn.flatMap(({ front }) => front) };
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
