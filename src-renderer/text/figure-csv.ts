/**
 * The numbers of a figure as CSV, one row per plotted value with its mean, interval and every seed's own value.
 * The drawing is elsewhere; nothing is rounded here.
 *
 * Where the numbers come from stands in the last two columns of every row: spreadsheets and parsers read the file as it is (comment lines
 * would break both), a second file would get lost, and rows of several files can be put together and still be told apart.
 */
import type { Estimate, TableFigure } from '../../src-main/shared/figures.ts';
import { isPublishedScaled, publishedHere } from '../figures/published.ts';
import type { Drawable } from '../figures/svg.ts';
import { toCsv } from './csv.ts';

type Cell = string | number | null;

/**
 * `seeds` names the columns of single values where there are as many of them as seeds. `source` is where the numbers come from; with it
 * every row ends with the figure's title and the source. Of several runs every row has its run before that.
 */
export function figureCsv(figure: Drawable, seeds: readonly number[] = [], source = ''): string {
  const { heading, rows, runs } = numbersOf(figure, seeds);
  const several = runs?.some((run) => run !== undefined) ?? false;
  return toCsv(
    [...heading, ...(several ? ['run'] : []), ...(source === '' ? [] : ['figure', 'source'])],
    rows.map((row, place) => [
      ...row,
      ...(several ? [runs?.[place] ?? null] : []),
      ...(source === '' ? [] : [figure.title, source]),
    ]),
  );
}

interface Numbers {
  heading: string[];
  rows: Cell[][];
  /** Whose each row is; of levels, which come last, nobody's. */
  runs?: (string | undefined)[];
}

function numbersOf(figure: Drawable, seeds: readonly number[]): Numbers {
  switch (figure.kind) {
    case 'lines': {
      const all = figure.series.flatMap(({ y }) => y);
      return {
        heading: ['series', figure.x.label, ...estimateHeading('', all, seeds)],
        rows: [
          ...figure.series.flatMap(({ label, x, y }) => x.map((value, index) => [label, value, ...estimateCells(y[index], all)])),
          ...figure.references.map(({ label, value }) => [label, null, ...levelCells(value, all)]),
        ],
        runs: figure.series.flatMap(({ x, run }) => x.map(() => run)),
      };
    }
    case 'panels': {
      const panels = figure.panels.filter((panel) => panel !== null);
      const all = panels.flatMap(({ series }) => series.flatMap(({ y }) => y));
      return {
        heading: ['panel', 'series', figure.x.label, ...estimateHeading('', all, seeds)],
        rows: [
          ...panels.flatMap(({ title, series }) =>
            series.flatMap(({ label, x, y }) => x.map((value, index) => [title, label, value, ...estimateCells(y[index], all)])),
          ),
          ...figure.references.map(({ label, value }) => [null, label, null, ...levelCells(value, all)]),
        ],
        runs: panels.flatMap(({ series, run }) => series.flatMap(({ x }) => x.map(() => run))),
      };
    }
    case 'bars': {
      const all = figure.series.flatMap(({ values }) => values);
      const scaled = isPublishedScaled(figure);
      return {
        heading: [
          'group',
          'series',
          ...estimateHeading('', all, seeds),
          'paper',
          ...(scaled ? ['paper, in proportion to chance'] : []),
        ],
        rows: [
          ...figure.groups.flatMap((group, index) =>
            figure.series.map(({ label, values, published }) => [
              group,
              label,
              ...estimateCells(values[index], all),
              published?.[index] ?? null,
              ...(scaled ? [publishedHere(figure, { series: label, group }, published?.[index])] : []),
            ]),
          ),
          ...figure.references.map(({ label, value }) => [
            null,
            label,
            ...levelCells(value, all),
            null,
            ...(scaled ? [null] : []),
          ]),
        ],
      };
    }
    case 'map':
      return {
        heading: ['panel', figure.rows.label, figure.columns.label, 'value'],
        rows: figure.panels.flatMap(({ title, values }) =>
          values.flatMap((row, place) =>
            row.map((value, column) => [title, figure.rows.names[place] ?? null, figure.columns.names[column] ?? null, value]),
          ),
        ),
      };
    case 'scatter': {
      const known = figure.correlations;
      return {
        heading: ['series', 'label', figure.x.label, figure.y.label, ...(known ? ['r', 'r low', 'r high'] : [])],
        rows: figure.series.flatMap(({ label, points }, place) => {
          const { r = null, low = null, high = null } = known?.[place] ?? {};
          return points.map((point) => [label, point.label, point.x, point.y, ...(known ? [r, low, high] : [])]);
        }),
      };
    }
    case 'table':
      return numbersOfTable(figure, seeds);
  }
}

function numbersOfTable(figure: TableFigure, seeds: readonly number[]): Numbers {
  const columns = figure.columns.map((name, column) => {
    const estimates = figure.rows.map((row) => row[column]).filter((value) => typeof value === 'object' && value !== null);
    return { name, estimates };
  });
  return {
    heading: columns.flatMap(({ name, estimates }) =>
      estimates.length === 0 ? [name] : estimateHeading(`${name} `, estimates, seeds),
    ),
    rows: figure.rows.map((row) =>
      columns.flatMap(({ estimates }, column): Cell[] => {
        const value = row[column] ?? null;
        if (estimates.length === 0) return [value as Cell];
        if (value !== null && typeof value === 'object') return estimateCells(value, estimates);
        return [value, null, null, ...Array.from({ length: width(estimates) }, () => null)];
      }),
    ),
    ...(figure.runs === undefined ? {} : { runs: figure.runs }),
  };
}

const width = (all: readonly Estimate[]) => Math.max(0, ...all.map(({ values }) => values.length));

function estimateHeading(prefix: string, all: readonly Estimate[], seeds: readonly number[]): string[] {
  const count = width(all);
  const names = Array.from({ length: count }, (_, index) =>
    seeds.length === count ? `seed ${seeds[index]}` : `value ${index + 1}`,
  );
  return ['mean', 'low', 'high', ...names].map((name) => `${prefix}${name}`);
}

function estimateCells(estimate: Estimate | undefined, all: readonly Estimate[]): Cell[] {
  const count = width(all);
  if (estimate === undefined) return Array.from({ length: 3 + count }, () => null);
  return [
    estimate.mean,
    estimate.low,
    estimate.high,
    ...Array.from({ length: count }, (_, index) => estimate.values[index] ?? null),
  ];
}

/** A level has no interval: its value stands as the mean. */
function levelCells(value: number, all: readonly Estimate[]): Cell[] {
  return [value, ...Array.from({ length: 2 + width(all) }, () => null)];
}
