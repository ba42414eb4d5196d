/**
 * Draws bars in groups: the mean of each series with its interval, every seed's value as a dot, and the paper's values where there are any.
 */
import type { BarsFigure } from '../../src-main/shared/figures.ts';
import { publishedOptions } from '../../src-main/shared/published.ts';
import { spreadWords } from '../../src-main/shared/statistics.ts';
import { type Drawing, domain, insideOf, linear, references, verticalAxis } from './axes.ts';
import { type LegendEntry, levelEntries, publishedMark, seedDot, whisker } from './legend.ts';
import { element, type SvgNode } from './nodes.ts';
import { formatEstimate, formatValue, isNumber } from './numbers.ts';
import { isPublishedScaled, publishedHere } from './published.ts';
import { type FigureStyle, seriesColor } from './style.ts';
import { label, textWidth, wrap } from './text.ts';

export function barsLegend(figure: BarsFigure, style: FigureStyle): LegendEntry[] {
  const spread = spreadWords(figure.series.flatMap(({ values }) => values));
  const entries: LegendEntry[] = figure.series.map(({ label: name }, place) => ({
    label: name,
    sample: 'bar',
    color: seriesColor(style, name, place),
  }));
  if (spread !== '')
    entries.push({ label: 'one seed', sample: 'dot', color: style.ink }, { label: spread, sample: 'whisker', color: style.ink });
  if (hasPublished(figure)) {
    const name = `paper, OLMo-7B${isPublishedScaled(figure) ? ', in proportion to chance' : ''}`;
    entries.push({ label: name, sample: 'published', color: style.ink });
  }
  return [...entries, ...levelEntries(style, figure.references, figure.y.kind)];
}

const hasPublished = (figure: BarsFigure) =>
  figure.series.some((_, place) => figure.groups.some((_, index) => isNumber(markAt(figure, place, index))));

/** Where the paper's value of a bar is drawn. */
function markAt(figure: BarsFigure, place: number, index: number): number | null {
  const { label: series, published } = figure.series[place]!;
  return publishedHere(figure, { series, group: figure.groups[index] ?? '' }, published?.[index]);
}

export function drawBars(figure: BarsFigure, style: FigureStyle): Drawing {
  const height = Math.max(150, Math.min(280, 0.5 * style.width));
  const range = domain(figure.y.kind, [
    ...figure.series.flatMap(({ values }, place) => [
      ...values.flatMap((entry) => [entry.mean, entry.low, entry.high, ...entry.values]),
      ...values.map((_, index) => markAt(figure, place, index)),
    ]),
    ...figure.references.map(({ value }) => value),
    0,
  ]);
  const inside = insideOf(style, range, height);
  const y = linear(range[0], range[1], inside.bottom, inside.top);
  const slot = (inside.right - inside.left) / Math.max(1, figure.groups.length);
  const bar = Math.min(34, (0.78 * slot) / Math.max(1, figure.series.length));
  const groups = groupLabels(figure.groups, style, slot, inside.left, height);
  const marks = figure.groups.flatMap((group, index) =>
    figure.series.flatMap((_, place) => {
      const x = inside.left + (index + 0.5) * slot + (place - (figure.series.length - 1) / 2) * bar;
      return column(figure, style, { group, index, place, x, bar, y });
    }),
  );
  return {
    height: height + groups.height,
    nodes: [
      ...verticalAxis(style, figure.y, y, inside),
      ...marks,
      element('line', { x1: inside.left, x2: inside.right, y1: y(0), y2: y(0), stroke: style.softInk, 'stroke-width': 0.8 }),
      ...references(style, figure.references, y, inside),
      ...groups.nodes,
    ],
  };
}

/** As it was published, and where it lies in proportion to chance if that is elsewhere. */
function publishedText(figure: BarsFigure, place: number, index: number): string {
  const [given, drawn] = [figure.series[place]!.published![index]!, markAt(figure, place, index)!];
  const text = formatValue(given, figure.y.kind);
  const here = formatValue(drawn, figure.y.kind);
  return text === here ? text : `${text} of ${publishedOptions} options, here ${here}`;
}

interface Column {
  group: string;
  index: number;
  place: number;
  x: number;
  bar: number;
  y: (value: number) => number;
}

function column(figure: BarsFigure, style: FigureStyle, { group, index, place, x, bar, y }: Column): SvgNode[] {
  const series = figure.series[place]!;
  const value = series.values[index];
  if (value === undefined || !isNumber(value.mean)) return [];
  const published = markAt(figure, place, index);
  const text = `${series.label}, ${group}: ${formatEstimate(value, figure.y.kind)}${isNumber(published) ? `; paper ${publishedText(figure, place, index)}` : ''}`;
  const [top, base] = [Math.min(y(value.mean), y(0)), Math.max(y(value.mean), y(0))];
  // A bar of rank 0 has no height: a line shows that it is there.
  const size = Math.max(1.6, base - top);
  const nodes = [
    element(
      'rect',
      { x: x - 0.45 * bar, y: base - size, width: 0.9 * bar, height: size, fill: seriesColor(style, series.label, place) },
      [],
      { text },
    ),
  ];
  if (value.values.length > 1) {
    if (isNumber(value.low) && isNumber(value.high)) nodes.push(...whisker(x, y(value.high), y(value.low), style.ink));
    const spread = Math.min(0.6 * bar, 4 * value.values.length);
    value.values.forEach((seed, order) => {
      if (isNumber(seed)) nodes.push(seedDot(style, x + spread * ((order + 0.5) / value.values.length - 0.5), y(seed)));
    });
  }
  if (isNumber(published)) nodes.push(...publishedMark(style, x, y(published)));
  return nodes;
}

/** Names under the groups: broken into lines, or slanted where a word is wider than its place. */
function groupLabels(names: readonly string[], style: FigureStyle, slot: number, left: number, top: number): Drawing {
  const { fontSize } = style;
  const lines = names.map((name) => wrap(name, slot - 0.5 * fontSize, fontSize));
  const centre = (index: number) => left + (index + 0.5) * slot;
  if (lines.every((entry) => entry.every((line) => textWidth(line, 0.96 * fontSize) <= slot))) {
    return {
      nodes: lines.flatMap((entry, index) =>
        entry.map((line, row) =>
          label(style, centre(index), top + (1.5 + 1.2 * row) * fontSize, line, { 'text-anchor': 'middle' }),
        ),
      ),
      height: (1.9 + 1.2 * (Math.max(1, ...lines.map((entry) => entry.length)) - 1)) * fontSize + 2,
    };
  }
  const longest = Math.max(...names.map((name) => textWidth(name, fontSize)));
  return {
    nodes: names.map((name, index) => {
      const [x, y] = [centre(index) + 0.3 * fontSize, top + 1.1 * fontSize];
      return label(style, x, y, name, { 'text-anchor': 'end', transform: `rotate(-40 ${Math.round(x)} ${Math.round(y)})` });
    }),
    height: 0.66 * longest + 1.6 * fontSize,
  };
}
