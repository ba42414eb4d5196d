/**
 * How compared runs ended, as a table, and their values beside the paper's: direction against chance, and distance within a tolerance.
 * The paper's values come with the stored figures; none are kept here.
 */
import type { BarsFigure, Estimate, Figure, TableFigure } from '../../src-main/shared/figures.ts';
import { type CurveChoice, lossSeries, rankSeries } from './compare-curves.ts';
import { type ComparedRun, settingRows } from './compare-settings.ts';

/** Settings that are a column of their own. */
const mostSettings = 4;

/** One row for each run: what it differs in, and every list's mean rank at the start and at the end. */
export function outcomeTable(
  runs: readonly ComparedRun[],
  labels: readonly string[],
  lists: readonly string[],
  choice: CurveChoice,
): TableFigure {
  const rows = settingRows(runs.map(({ detail }) => detail));
  const settings = rows.filter(({ differs }) => differs).slice(0, mostSettings);
  return {
    id: 'compare-outcomes',
    kind: 'table',
    title: 'How the runs ended',
    caption:
      'Mean ranks before training and at the end, mean over seeds with 95 % bootstrap interval; 0 is best. Loss is that of the last epoch.',
    columns: [
      'Run',
      ...settings.map(({ name }) => name),
      ...lists.flatMap((set) => [`${set}, start`, `${set}, end`]),
      'Loss',
      'Seconds',
    ],
    rows: runs.map((run, place) => [
      labels[place] ?? '',
      ...settings.map(({ values }) => numberOrText(values[place] ?? '')),
      ...lists.flatMap((set) => {
        const curve = rankSeries(run, set, { ...choice, x: 'epoch' });
        return [curve?.y[0] ?? null, curve?.y.at(-1) ?? null];
      }),
      lossSeries(run, { ...choice, x: 'epoch' })?.y.at(-1) ?? null,
      Number(run.detail.seconds.toFixed(1)),
    ]),
  };
}

function numberOrText(text: string): number | string | null {
  if (text === '') return null;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

export type Direction = 'better than chance' | 'at chance' | 'worse than chance';

/** One value of a run beside the paper's. */
export interface PublishedRow {
  /** Place of the run. */
  run: number;
  figure: string;
  group: string;
  series: string;
  own: Estimate;
  /** Level of guessing among this run's options. */
  chance: number;
  /** `own` among as many options as the paper had: ranks grow with the options. */
  scaled: number;
  published: number;
  direction: Direction;
  publishedDirection: Direction;
  within: boolean;
}

/** The paper ranks among 20 options: guessing is 9.5. */
export const publishedChance = 9.5;

/** Within the tolerance of chance a rank says neither. */
export function directionOf(rank: number, chance: number, tolerance: number): Direction {
  if (rank < chance - tolerance) return 'better than chance';
  return rank > chance + tolerance ? 'worse than chance' : 'at chance';
}

/** Every value that a figure of these runs holds a published one for. `tolerance` in ranks among the paper's options. */
export function publishedRows(runs: readonly Pick<ComparedRun, 'figures'>[], tolerance: number): PublishedRow[] {
  return runs.flatMap(({ figures }, run) =>
    figures.filter(isBars).flatMap((figure) =>
      figure.series.flatMap(({ label, values, published = [] }) => {
        const chance = chanceOf(figure, label);
        return values.flatMap((own, place): PublishedRow[] => {
          const value = published[place];
          if (typeof value !== 'number' || chance === null || !Number.isFinite(own.mean)) return [];
          const scaled = (own.mean / chance) * publishedChance;
          return [
            {
              run,
              figure: figure.title,
              group: figure.groups[place] ?? '',
              series: label,
              own,
              chance,
              scaled,
              published: value,
              direction: directionOf(scaled, publishedChance, tolerance),
              publishedDirection: directionOf(value, publishedChance, tolerance),
              within: Math.abs(scaled - value) <= tolerance,
            },
          ];
        });
      }),
    ),
  );
}

const isBars = (figure: Figure): figure is BarsFigure => figure.kind === 'bars' && figure.y.kind === 'rank';

/** The level named after the series, or the only one. */
function chanceOf({ references }: BarsFigure, series: string): number | null {
  const own = references.find(({ label }) => label.includes(series)) ?? references[0];
  return own === undefined || !(own.value > 0) ? null : own.value;
}

export function publishedTable(rows: readonly PublishedRow[], labels: readonly string[], tolerance: number): TableFigure {
  return {
    id: 'compare-published',
    kind: 'table',
    title: 'Beside the published values',
    caption: `Mean ranks of these runs and of OLMo-7B (arXiv 2412.04614v2). The paper ranks among 20 options; own means are scaled to as many before the two are compared (“of 20”). Sides are those of chance: at chance means within ${tolerance} of ${publishedChance}; close means within ${tolerance} of the published value.`,
    columns: ['Run', 'Weights', 'List', 'Own', 'Of 20', 'Paper', 'Difference', 'Own side', 'Paper’s', 'Same', 'Close'],
    rows: rows.map((row) => [
      labels[row.run] ?? '',
      row.group,
      row.series,
      row.own,
      Number(row.scaled.toFixed(2)),
      row.published,
      Number((row.scaled - row.published).toFixed(2)),
      sideWords[row.direction],
      sideWords[row.publishedDirection],
      row.direction === row.publishedDirection ? 'yes' : 'no',
      row.within ? 'yes' : 'no',
    ]),
  };
}

/** Short, for columns: the caption says what the side is of. */
const sideWords: { [Name in Direction]: string } = {
  'better than chance': 'better',
  'at chance': 'at chance',
  'worse than chance': 'worse',
};
