/**
 * How compared runs ended, as a table: settings that differ, mean ranks at the end and at their best, and differences to a reference run.
 * The paper's values are compare-published.ts's.
 */
import type { Estimate, TableFigure } from '../../src-main/shared/figures.ts';
import { estimate, spreadWords } from '../../src-main/shared/statistics.ts';
import { isEstimate } from '../figures/numbers.ts';
import { formatRank } from '../text/format.ts';
import { bestPlace, type CurveChoice, lossSeries, rankSeries, type Series } from './compare-series.ts';
import { type ComparedRun, runLetter, settingRows } from './compare-settings.ts';

/** Settings that are a column of their own. */
const mostSettings = 4;

type Cell = string | number | Estimate | null;
interface Column {
  name: string;
  cells: Cell[];
}

/**
 * One row for each run: what it differs in and every list's mean rank at the end. What all runs share before training is said in the
 * caption; the best epoch has columns where it is not the last one. `reference` is the place of the run to take differences to, or null.
 */
export function outcomeTable(
  runs: readonly ComparedRun[],
  lists: readonly string[],
  choice: CurveChoice,
  reference: number | null = null,
): TableFigure {
  const settings = settingRows(runs.map(({ detail }) => detail)).filter(({ differs }) => differs);
  const shared: string[] = [];
  const ranks = lists.flatMap((set): Column[] => {
    const curves = runs.map((run) => rankSeries(run, set, { ...choice, x: 'epoch' }));
    const starts = curves.map((curve) => curve?.y[0] ?? null);
    const known = starts.filter((start) => start !== null).map((start) => formatRank(start.mean));
    const alike = new Set(known).size === 1;
    if (alike) shared.push(`${set} ${known[0]}`);
    return [
      ...(alike ? [] : [{ name: `${set}, start`, cells: starts }]),
      { name: `${set}, end`, cells: curves.map((curve) => curve?.y.at(-1) ?? null) },
      ...bestColumns(set, curves),
      ...(reference === null ? [] : [differenceColumn(set, curves, reference)]),
    ];
  });
  const columns: Column[] = [
    { name: 'Run', cells: runs.map((_, place) => runLetter(place)) },
    ...settings.slice(0, mostSettings).map(({ name, values }) => ({ name, cells: values.map((value) => value || null) })),
    ...ranks,
    { name: 'Loss', cells: runs.map((run) => lossSeries(run, { ...choice, x: 'epoch' })?.y.at(-1) ?? null) },
    { name: 'Seconds', cells: runs.map((run) => Number(run.detail.seconds.toFixed(1))) },
  ];
  const spread = spreadWords(columns.flatMap(({ cells }) => cells.filter(isEstimate)));
  const over = spread === '' ? '' : `, mean over seeds with the ${spread}`;
  const before = shared.length === 0 ? '' : ` Before training every run has ${shared.join(' and ')}.`;
  const best = columns.some(({ name }) => name.endsWith(', best'))
    ? ' Best is the lowest mean of any epoch: the last where none is lower, else the earliest of equal ones; chosen after the fact, it flatters a run.'
    : '';
  const difference =
    reference === null
      ? ''
      : ` Differences are to run ${runLetter(reference)}, over the seeds that both runs have; below 0 is better.`;
  return {
    id: 'compare-outcomes',
    kind: 'table',
    title: 'How the runs ended',
    caption: `Mean ranks at the end${over}; 0 is best.${before}${best}${difference} Loss is that of the last epoch.`,
    columns: columns.map(({ name }) => name),
    rows: runs.map((_, place) => columns.map(({ cells }) => cells[place] ?? null)),
    runs: runs.map(({ detail }) => detail.run),
  };
}

/** Nothing where every run is best at its end. */
function bestColumns(set: string, curves: readonly (Series | null)[]): Column[] {
  const places = curves.map((curve) => (curve === null ? null : bestPlace(curve)));
  if (places.every((place, index) => place === null || place === curves[index]!.x.length - 1)) return [];
  return [
    { name: `${set}, best`, cells: places.map((place, index) => (place === null ? null : curves[index]!.y[place]!)) },
    { name: 'at epoch', cells: places.map((place, index) => (place === null ? null : curves[index]!.x[place]!)) },
  ];
}

/** Differences of each seed's own end, so that what a seed does to both runs cancels. */
function differenceColumn(set: string, curves: readonly (Series | null)[], reference: number): Column {
  const ends = curves.map((curve) => new Map(curve?.seeds.map((seed, index) => [seed, curve.y.at(-1)!.values[index]!])));
  const base = ends[reference]!;
  return {
    name: `${set}, minus ${runLetter(reference)}`,
    cells: ends.map((own, place) => {
      const pairs = [...own].flatMap(([seed, value]) => (base.has(seed) ? [value - base.get(seed)!] : []));
      return place === reference || pairs.length === 0 ? null : estimate(pairs);
    }),
  };
}
