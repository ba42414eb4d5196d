/**
 * Curves of several runs on the same axes, as figures: ranks and losses by epoch or step, small multiples.
 * Every number is a stored one, a mean of stored ones or its interval over seeds; how they are drawn is figures/'s.
 */

import { chanceLevel, chanceReferences } from '../../src-main/shared/chance.ts';
import type { LinesFigure, Reference } from '../../src-main/shared/figures.ts';
import { spreadWords } from '../../src-main/shared/statistics.ts';
import type { PanelsFigure } from '../figures/panels.ts';
import { capitalize, stageName } from '../text/format.ts';
import { bestPlace, type CurveChoice, lossSeries, rankSeries, type Series } from './compare-series.ts';
import type { ComparedRun, Sweep } from './compare-settings.ts';

const rankAxis = { label: 'Mean rank (0 is best)', kind: 'rank' } as const;
const lossAxis = { label: 'Cross entropy', kind: 'number' } as const;
const xAxis = ({ x }: CurveChoice) => ({ label: x === 'epoch' ? 'Epoch' : 'Step', kind: 'number' }) as const;

/** A curve for each run that measured the list; chance once, or for each number of options. */
export function rankFigure(
  runs: readonly ComparedRun[],
  labels: readonly string[],
  set: string,
  choice: CurveChoice,
): LinesFigure {
  const lines = runs.map((run) => marked(rankSeries(run, set, choice)));
  const series = named(lines, runs, labels);
  return {
    id: `compare-${set}`,
    kind: 'lines',
    title: `${capitalize(set)}: mean rank`,
    caption: `Mean rank of the right answer of ${set} by ${choice.x} for each run${shownStage(choice)}. ${seedsText(choice, series)}${bestText(lines)}`,
    x: xAxis(choice),
    y: rankAxis,
    series,
    references: optionReferences(runs, set),
    seeds: choice.seeds,
  };
}

export function lossFigure(runs: readonly ComparedRun[], labels: readonly string[], choice: CurveChoice): LinesFigure {
  const each =
    choice.x === 'epoch'
      ? 'mean over the steps of each epoch'
      : 'before each step, neighbouring steps averaged where there are many';
  const series = named(
    runs.map((run) => lineOf(lossSeries(run, choice))),
    runs,
    labels,
  );
  return {
    id: 'compare-loss',
    kind: 'lines',
    title: 'Training loss',
    caption: `Cross entropy of the training batches, ${each}, for each run${shownStage(choice)}. ${seedsText(choice, series)}`,
    x: xAxis(choice),
    y: lossAxis,
    series,
    references: [],
    seeds: choice.seeds,
  };
}

/** A panel for each place of a sweep, with all lists in it. */
export function sweepFigure(
  runs: readonly ComparedRun[],
  sweep: Sweep,
  lists: readonly string[],
  choice: CurveChoice,
): PanelsFigure {
  const { columns, rows } = sweep;
  const panels = sweep.places.map((index, place) => {
    const run = index === null ? undefined : runs[index];
    if (run === undefined) return null;
    const column = `${columns.name} ${columns.values[place % columns.values.length]}`;
    const row = rows === null ? '' : `, ${rows.name} ${rows.values[Math.floor(place / columns.values.length)]}`;
    return {
      title: `${column}${row}`,
      run: run.detail.run,
      series: lists.map((set) => ({ label: set, ...(marked(rankSeries(run, set, choice)) ?? { x: [], y: [] }) })),
    };
  });
  const series = panels.flatMap((panel) => panel?.series ?? []);
  return {
    kind: 'panels',
    id: 'compare-sweep',
    title: rows === null ? `Mean rank by ${columns.name}` : `Mean rank by ${columns.name} and ${rows.name}`,
    caption: `Mean rank by ${choice.x}, one panel for each run, all on the same axes${shownStage(choice)}. ${seedsText(choice, series)}${bestText(series)}`,
    x: xAxis(choice),
    y: rankAxis,
    columns: columns.values.length,
    ...(rows === null
      ? {}
      : {
          heads: {
            columns: columns.values.map((value) => `${columns.name} ${value}`),
            rows: rows.values.map((value) => `${rows.name} ${value}`),
          },
        }),
    panels,
    references: chanceReferences(
      lists.flatMap((set) => optionReferences(runs, set).map(({ value }) => ({ set, chance: value }))),
    ),
    seeds: choice.seeds,
  };
}

type Line = Omit<LinesFigure['series'][number], 'label'>;

const lineOf = (series: Series | null): Line | null => series && { x: series.x, y: series.y };

/** The curve with its best point marked, unless that is its last: nothing is gained by stopping early then. */
function marked(series: Series | null): Line | null {
  if (series === null) return null;
  const best = bestPlace(series);
  return { ...lineOf(series)!, ...(best === series.x.length - 1 ? {} : { best }) };
}

function named(series: readonly (Line | null)[], runs: readonly ComparedRun[], labels: readonly string[]): LinesFigure['series'] {
  return series.flatMap((entry, place) =>
    entry === null ? [] : [{ label: labels[place] ?? '', run: runs[place]!.detail.run, ...entry }],
  );
}

function bestText(lines: readonly (Pick<Line, 'best'> | null)[]): string {
  return lines.some((line) => line?.best !== undefined)
    ? ' A ring marks the lowest mean, where it is lower than the last one.'
    : '';
}

function shownStage({ stage }: CurveChoice): string {
  return stage === null ? '' : `; where a run has several trainings, ${stageName(stage)}`;
}

function seedsText({ seeds }: CurveChoice, series: readonly Pick<Line, 'y'>[]): string {
  if (seeds === 'lines') return 'One line for each seed.';
  const spread = spreadWords(series.flatMap(({ y }) => y));
  return spread === '' ? 'One seed.' : `Means over seeds; bands are the ${spread}.`;
}

/** Levels of guessing among the options of a list, one for each number of options. */
function optionReferences(runs: readonly ComparedRun[], set: string): Reference[] {
  const counts = runs.flatMap(({ sets }) => sets.filter((entry) => entry.set === set).map(({ candidates }) => candidates.length));
  const distinct = [...new Set(counts)].sort((a, b) => a - b);
  return distinct.map((count) => ({
    label: distinct.length === 1 ? 'chance' : `chance among ${count} options`,
    value: chanceLevel(count),
  }));
}
