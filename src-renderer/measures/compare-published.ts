/**
 * Values of compared runs beside the paper's: direction against chance, distance within a tolerance, and the settings that depart from
 * the paper's and so could explain a miss. The paper's own values are shared/published.ts's.
 */

import { chanceLevel } from '../../src-main/shared/chance.ts';
import type { BarsFigure, Estimate, Figure, TableFigure } from '../../src-main/shared/figures.ts';
import { publishedChance, publishedFreezingRanks, publishedOptions, publishedSettings } from '../../src-main/shared/published.ts';
import { chanceAt } from '../figures/published.ts';
import { draftOf } from '../text/drafts.ts';
import { baseName, formatRank, plainMinus } from '../text/format.ts';
import { rankSeries } from './compare-series.ts';
import { type ComparedRun, runLetter } from './compare-settings.ts';

export type Direction = 'better' | 'at chance' | 'worse';

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
  /** Of chance: below it is better. */
  direction: Direction;
  publishedDirection: Direction;
  within: boolean;
}

/** Within the tolerance of chance a rank says neither. */
export function directionOf(rank: number, chance: number, tolerance: number): Direction {
  if (rank < chance - tolerance) return 'better';
  return rank > chance + tolerance ? 'worse' : 'at chance';
}

/** Every value of these runs that the paper has one for. `tolerance` in ranks among the paper's options. */
export function publishedRows(runs: readonly ComparedRun[], tolerance: number): PublishedRow[] {
  return runs.flatMap((run, place) =>
    [...figureValues(run.figures), ...endValues(run)].map((value) => judged(value, place, tolerance)),
  );
}

type Value = Pick<PublishedRow, 'figure' | 'group' | 'series' | 'own' | 'chance' | 'published'>;

/** Stored figures hold the published values of their groups. */
function figureValues(figures: readonly Figure[]): Value[] {
  return figures.filter(isBars).flatMap((figure) =>
    figure.series.flatMap(({ label, values, published = [] }) => {
      return values.flatMap((own, place): Value[] => {
        const value = published[place];
        const group = figure.groups[place] ?? '';
        const chance = chanceAt(figure, { series: label, group });
        if (typeof value !== 'number' || chance === null || !Number.isFinite(own.mean)) return [];
        return [{ figure: figure.title, group, series: label, own, chance, published: value }];
      });
    }),
  );
}

/** The end of a finished finetuning of everything, which the paper gives as the row of the freezing that freezes nothing. */
function endValues(run: ComparedRun): Value[] {
  const { experiment, spec, state } = run.detail;
  const known = typeof spec.dataset === 'string' ? publishedFreezingRanks[spec.dataset]?.['after none'] : undefined;
  if (experiment !== 'ocr' || state !== 'finished' || known === undefined) return [];
  return ['facts', 'implications'].flatMap((set, place): Value[] => {
    const own = rankSeries(run, set, { x: 'epoch', seeds: 'interval', stage: null })?.y.at(-1);
    const options = run.sets.find((entry) => entry.set === set)?.candidates.length ?? 0;
    if (own === undefined || options < 2) return [];
    return [
      { figure: 'Mean rank', group: 'nothing frozen', series: set, own, chance: chanceLevel(options), published: known[place]! },
    ];
  });
}

function judged(value: Value, run: number, tolerance: number): PublishedRow {
  const scaled = (value.own.mean / value.chance) * publishedChance;
  return {
    ...value,
    run,
    scaled,
    direction: directionOf(scaled, publishedChance, tolerance),
    publishedDirection: directionOf(value.published, publishedChance, tolerance),
    within: Math.abs(scaled - value.published) <= tolerance,
  };
}

const isBars = (figure: Figure): figure is BarsFigure => figure.kind === 'bars' && figure.y.kind === 'rank';

/** Two decimals always, as a number in files. */
const rankText = (rank: number) => plainMinus(formatRank(rank));

/** `runs` are all compared ones, for whose each row is. */
export function publishedTable(rows: readonly PublishedRow[], tolerance: number, runs: readonly ComparedRun[]): TableFigure {
  const scales = rows.some(({ chance }) => chance !== publishedChance);
  return {
    id: 'compare-published',
    kind: 'table',
    title: 'Beside the published values',
    caption: `Mean ranks of these runs and of OLMo-7B (arXiv 2412.04614v2), which ranks among ${publishedOptions} options${scales ? '; own means are scaled to as many before the two are compared (“of 20”)' : ''}. Directions are those from chance, ${publishedChance}: at chance means within ${tolerance} of it. Close means within ${tolerance} of the published value.`,
    columns: ['Run', 'Weights', 'List', 'Own', ...(scales ? ['Of 20'] : []), 'Paper', 'Difference', 'Direction', 'Close'],
    rows: rows.map((row) => [
      runLetter(row.run),
      row.group,
      row.series,
      row.own,
      ...(scales ? [rankText(row.scaled)] : []),
      rankText(row.published),
      rankText(row.scaled - row.published),
      row.direction === row.publishedDirection
        ? `same: ${row.direction}`
        : `differs: ${row.direction}, paper ${row.publishedDirection}`,
      row.within ? 'yes' : 'no',
    ]),
    runs: rows.map((row) => runs[row.run]!.detail.run),
  };
}

/** A setting in which some run departs from the paper, with every run's own value; null: as in the paper. */
export interface Departure {
  name: string;
  paper: string;
  own: (string | null)[];
  /** What it may change, in a few words. */
  effect: string;
}

/** Departures of the runs that have values beside the paper's, in the order in which they are worth a look. */
export function departures(runs: readonly ComparedRun[], rows: readonly Pick<PublishedRow, 'run'>[]): Departure[] {
  const beside = new Set(rows.map(({ run }) => run));
  const each = runs.map((run, place) => (beside.has(place) ? departuresOf(run) : []));
  const all = new Map(each.flat().map((one) => [one.name, one]));
  return [...all.values()].map(({ name, paper, effect }) => ({
    name,
    paper,
    effect,
    own: each.map((found) => found.find((one) => one.name === name)?.own ?? null),
  }));
}

interface OwnDeparture {
  name: string;
  paper: string;
  own: string;
  effect: string;
}

function departuresOf({ detail, sets }: ComparedRun): OwnDeparture[] {
  const { spec } = detail;
  const { model, lr, epochs, batch_size, trainable } = publishedSettings;
  const found: OwnDeparture[] = [];
  const differs = (name: string, paper: string, own: string, effect: string) => found.push({ name, paper, own, effect });
  if (!/olmo-?7b-0424/i.test(baseName(detail.model))) {
    differs('model', model, baseName(detail.model), 'size, and what it learned in pretraining');
  }
  if (!['first-hop', 'second-hop', 'daxwug'].includes(String(spec.dataset))) {
    differs('data set', 'the built-in lists', baseName(detail.dataset), 'other facts and answers');
  }
  const counts = [...new Set(sets.map(({ candidates }) => candidates.length))].filter((count) => count !== publishedOptions);
  if (counts.length > 0) {
    differs('options', String(publishedOptions), counts.join(', '), 'ranks are scaled as if they grew in proportion');
  }
  if (spec.orders !== undefined) differs('order of facts', 'drawn by seed', 'given batches', 'which facts meet in a batch');
  const number = (name: string, paper: number, effect: string) => {
    const own = spec[name];
    if (typeof own === 'number' && own !== paper) differs(name, draftOf(paper), draftOf(own), effect);
  };
  number('lr', lr, 'how far the weights move');
  number('epochs', epochs, 'how often each fact is seen');
  number('batch_size', batch_size, 'number and noise of the steps');
  if (spec.trainable !== undefined && spec.trainable !== trainable) {
    differs('trainable', trainable, draftOf(spec.trainable), 'which weights can hold the facts');
  }
  if (spec.collisions === 'merge') {
    differs('collisions', 'none', 'merged', 'options with one first token count once');
  }
  return found;
}

/** One row for each setting, a column for each run, or one for all where they agree. */
export function departureTable(found: readonly Departure[], runs: number): TableFigure {
  const letters = Array.from({ length: runs }, (_, place) => runLetter(place));
  const alike = runs > 1 && found.every(({ own }) => new Set(own).size === 1);
  return {
    id: 'compare-departures',
    kind: 'table',
    title: 'What could explain a miss',
    caption:
      'Settings in which these runs depart from the paper’s. An empty cell is as in the paper, or a run without a published value. To tell what matters, change one of them at a time.',
    columns: ['Setting', 'Paper', ...(alike ? ['Own'] : letters), 'May change'],
    rows: found.map(({ name, paper, own, effect }) => [name, paper, ...(alike ? own.slice(0, 1) : own), effect]),
  };
}
