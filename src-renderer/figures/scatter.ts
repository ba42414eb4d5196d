/**
 * Draws points by series, the line y = x where prediction meets measurement, and each series' correlation in its legend.
 */
import type { ScatterFigure } from '../../src-main/shared/figures.ts';
import { formatRank } from '../text/format.ts';
import { type Drawing, domain, horizontalAxis, horizontalAxisHeight, insideOf, linear, point, verticalAxis } from './axes.ts';
import type { LegendEntry } from './legend.ts';
import { element } from './nodes.ts';
import { formatValue, isNumber } from './numbers.ts';
import { type FigureStyle, seriesColor } from './style.ts';

/** `r = 0.82 [0.70, 0.90]` of a series, or nothing. */
export function correlationText(figure: ScatterFigure, place: number): string {
  const correlation = figure.correlations?.[place];
  if (!correlation || !isNumber(correlation.r)) return '';
  return `r = ${formatRank(correlation.r)} [${formatRank(correlation.low)}, ${formatRank(correlation.high)}]`;
}

export function scatterLegend(figure: ScatterFigure, style: FigureStyle): LegendEntry[] {
  return figure.series.map(({ label }, place) => ({
    label: [label, correlationText(figure, place)].filter(Boolean).join(', '),
    sample: 'point',
    color: seriesColor(style, label, place),
    place,
  }));
}

export function drawScatter(figure: ScatterFigure, style: FigureStyle): Drawing {
  const height = Math.max(190, Math.min(380, 0.72 * style.width));
  const points = figure.series.flatMap((series) => series.points).filter((entry) => isNumber(entry.x) && isNumber(entry.y));
  const [xs, ys] = [points.map((entry) => entry.x), points.map((entry) => entry.y)];
  // Against a diagonal both directions must be in the same measure.
  const rangeX = domain(figure.x.kind, figure.diagonal ? [...xs, ...ys] : xs);
  const rangeY = figure.diagonal ? rangeX : domain(figure.y.kind, ys);
  const inside = insideOf(style, rangeY, height);
  const x = linear(rangeX[0], rangeX[1], inside.left + 4, inside.right - 4);
  const y = linear(rangeY[0], rangeY[1], inside.bottom - 4, inside.top);
  const many = points.length > 300;
  const zero =
    x.low < 0 && x.high > 0
      ? [element('line', { x1: x(0), x2: x(0), y1: inside.top, y2: inside.bottom, stroke: style.softInk, 'stroke-width': 0.8 })]
      : [];
  const diagonal = figure.diagonal
    ? [
        element('line', {
          x1: x(x.low),
          y1: y(x.low),
          x2: x(x.high),
          y2: y(x.high),
          stroke: style.reference,
          'stroke-dasharray': '4 3',
        }),
      ]
    : [];
  // Each line spans its own points
  const fits = (figure.fits ?? []).flatMap((fit, place) => {
    const own = figure.series[place]?.points.map((entry) => entry.x).filter(isNumber) ?? [];
    if (!fit || own.length === 0) return [];
    const at = (value: number) => y(Math.max(y.low, Math.min(y.high, fit.intercept + fit.slope * value)));
    const [left, right] = [Math.min(...own), Math.max(...own)];
    return [
      element('line', {
        x1: x(left),
        y1: at(left),
        x2: x(right),
        y2: at(right),
        stroke: seriesColor(style, figure.series[place]!.label, place),
        'stroke-width': 1.2,
      }),
    ];
  });
  return {
    height: height + horizontalAxisHeight(style),
    nodes: [
      ...verticalAxis(style, figure.y, y, inside),
      ...horizontalAxis(style, figure.x, x, inside),
      ...zero,
      ...diagonal,
      ...fits,
      ...figure.series.flatMap((series, place) =>
        series.points
          .filter((entry) => isNumber(entry.x) && isNumber(entry.y))
          .map((entry) =>
            point(
              place,
              x(entry.x),
              y(entry.y),
              many ? 1.8 : 2.8,
              { fill: seriesColor(style, series.label, place), 'fill-opacity': many ? 0.55 : 0.8 },
              {
                text: `${series.label}, ${entry.label}: ${formatValue(entry.x, figure.x.kind)}, ${formatValue(entry.y, figure.y.kind)}`,
              },
            ),
          ),
      ),
    ],
  };
}
