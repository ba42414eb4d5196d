/**
 * Curves of several runs on the same axes, as figures: what can be compared at all, ranks and losses by epoch or step, small multiples.
 * Every number is a stored one, a mean of stored ones or its interval over seeds; how they are drawn is figures/'s.
 */
import type { Estimate, LinesFigure, Reference } from '../../src-main/shared/figures.ts';
import type { EvaluationRow } from '../../src-main/shared/records.ts';
import { estimate, mean } from '../../src-main/shared/statistics.ts';
import type { PanelsFigure } from '../figures/panels.ts';
import { capitalize, stageName } from '../text/format.ts';
import type { ComparedRun, Sweep } from './compare-settings.ts';
import { chanceLevel, stagesOf } from './curves.ts';

/** How curves are shown. */
export interface CurveChoice {
  x: 'epoch' | 'step';
  seeds: 'interval' | 'lines';
  /** The training shown of runs that have several; null: each run's first. */
  stage: string | null;
}

/** What several runs measured alike; a run that shares no list with another is left alone. */
export interface Comparability {
  /** Lists that at least two runs measured. */
  lists: string[];
  /** Runs that have nothing in common with the others, by their places. */
  alone: number[];
}

/** Runs are comparable in a list of items that both measured. */
export function comparability(runs: readonly ComparedRun[]): Comparability {
  const measured = runs.map(({ evaluations }) => new Set(evaluations.map(({ set }) => set)));
  const names = [...new Set(measured.flatMap((sets) => [...sets]))];
  const lists = names.filter((name) => measured.filter((sets) => sets.has(name)).length > 1);
  const alone = measured.flatMap((sets, place) => (lists.some((name) => sets.has(name)) ? [] : [place]));
  return { lists, alone };
}

/** Trainings that a run with several may be shown by: those of all runs with several. */
export function sharedStages(runs: readonly ComparedRun[]): string[] {
  const several = runs.map(trainings).filter((stages) => stages.length > 1);
  return [...new Set(several.flat())];
}

/** Stages that measured at more than one epoch. */
function trainings({ evaluations }: ComparedRun): string[] {
  return stagesOf(evaluations).filter((stage) => {
    const epochs = new Set(evaluations.filter((row) => row.stage === stage).map(({ epoch }) => epoch));
    return epochs.size > 1;
  });
}

/** The stage that stands for a run: the chosen one where it has it, its only one, else none (or its first where none is chosen). */
export function stageOf(run: ComparedRun, chosen: string | null): string | null {
  const stages = trainings(run);
  const all = stages.length > 0 ? stages : stagesOf(run.evaluations);
  if (chosen === null || all.length === 1) return all[0] ?? null;
  return all.includes(chosen) ? chosen : null;
}

/** One run's curve; null where it did not measure that. */
interface Series {
  x: number[];
  y: Estimate[];
}

/** Mean rank of a list; a point for every x that each seed begun so far has reached. */
export function rankSeries(run: ComparedRun, set: string, choice: CurveChoice): Series | null {
  const stage = stageOf(run, choice.stage);
  if (stage === null) return null;
  const rows = run.evaluations.filter((row) => row.set === set && row.stage === stage);
  return overSeeds(
    rows.map((row) => ({
      seed: row.seed,
      x: choice.x === 'epoch' ? row.epoch : stepsBefore(run, row),
      y: row.meanRank,
    })),
  );
}

/** Training steps that a measurement was made after. */
function stepsBefore({ steps }: ComparedRun, { seed, stage, epoch }: EvaluationRow): number {
  return steps.filter((step) => step.seed === seed && step.stage === stage && step.epoch < epoch).length;
}

/** Points of a curve of losses at the most; of more, neighbours are averaged. */
const mostPoints = 120;

/** Loss before each step, or its mean over each epoch. */
export function lossSeries(run: ComparedRun, choice: CurveChoice): Series | null {
  const stage = stageOf(run, choice.stage);
  const rows = run.steps.filter((step) => step.stage === stage);
  const bySeed = new Map<number, number[][]>();
  for (const { seed, epoch, loss } of rows) {
    const epochs = bySeed.get(seed) ?? [];
    bySeed.set(seed, epochs);
    epochs[epoch] = [...(epochs[epoch] ?? []), loss];
  }
  const points = [...bySeed].flatMap(([seed, epochs]) => {
    if (choice.x === 'epoch') return epochs.flatMap((losses, epoch) => (losses ? [{ seed, x: epoch + 1, y: mean(losses) }] : []));
    const losses = epochs.flat();
    const together = Math.ceil(losses.length / mostPoints);
    return Array.from({ length: Math.ceil(losses.length / together) }, (_, index) => {
      const part = losses.slice(index * together, (index + 1) * together);
      return { seed, x: index * together + part.length, y: mean(part) };
    });
  });
  return overSeeds(points);
}

function overSeeds(points: readonly { seed: number; x: number; y: number }[]): Series | null {
  const seeds = [...new Set(points.map(({ seed }) => seed))].sort((a, b) => a - b);
  const byX = new Map<number, Map<number, number>>();
  for (const { seed, x, y } of points) byX.set(x, (byX.get(x) ?? new Map<number, number>()).set(seed, y));
  const whole = [...byX].filter(([, values]) => values.size === seeds.length).sort(([a], [b]) => a - b);
  if (whole.length === 0) return null;
  return { x: whole.map(([x]) => x), y: whole.map(([, values]) => estimate(seeds.map((seed) => values.get(seed)!))) };
}

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
  return {
    id: `compare-${set}`,
    kind: 'lines',
    title: `${capitalize(set)}: mean rank`,
    caption: `Mean rank of the right answer of ${set} by ${choice.x} for each run${shownStage(choice)}. ${seedsText(choice)}`,
    x: xAxis(choice),
    y: rankAxis,
    series: named(
      runs.map((run) => rankSeries(run, set, choice)),
      labels,
    ),
    references: chanceReferences(runs, set),
    seeds: choice.seeds,
  };
}

export function lossFigure(runs: readonly ComparedRun[], labels: readonly string[], choice: CurveChoice): LinesFigure {
  const each =
    choice.x === 'epoch'
      ? 'mean over the steps of each epoch'
      : 'before each step, neighbouring steps averaged where there are many';
  return {
    id: 'compare-loss',
    kind: 'lines',
    title: 'Training loss',
    caption: `Cross entropy of the training batches, ${each}, for each run${shownStage(choice)}. ${seedsText(choice)}`,
    x: xAxis(choice),
    y: lossAxis,
    series: named(
      runs.map((run) => lossSeries(run, choice)),
      labels,
    ),
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
      series: lists.map((set) => ({ label: set, ...(rankSeries(run, set, choice) ?? { x: [], y: [] }) })),
    };
  });
  return {
    kind: 'panels',
    id: 'compare-sweep',
    title: rows === null ? `Mean rank by ${columns.name}` : `Mean rank by ${columns.name} and ${rows.name}`,
    caption: `Mean rank by ${choice.x}, one panel for each run, all on the same axes${shownStage(choice)}. ${seedsText(choice)}`,
    x: xAxis(choice),
    y: rankAxis,
    columns: columns.values.length,
    panels,
    references: levelsOf(runs, lists),
    seeds: choice.seeds,
  };
}

function named(series: readonly (Series | null)[], labels: readonly string[]): LinesFigure['series'] {
  return series.flatMap((entry, place) => (entry === null ? [] : [{ label: labels[place] ?? '', ...entry }]));
}

function shownStage({ stage }: CurveChoice): string {
  return stage === null ? '' : `; where a run has several trainings, ${stageName(stage)}`;
}

function seedsText({ seeds }: CurveChoice): string {
  return seeds === 'lines' ? 'One line for each seed.' : 'Means over seeds with 95 % bootstrap intervals.';
}

/** Levels of guessing among the options of a list, one for each number of options. */
export function chanceReferences(runs: readonly ComparedRun[], set: string): Reference[] {
  const counts = runs.flatMap(({ sets }) => sets.filter((entry) => entry.set === set).map(({ candidates }) => candidates.length));
  const distinct = [...new Set(counts)].sort((a, b) => a - b);
  return distinct.map((count) => ({
    label: distinct.length === 1 ? 'chance' : `chance among ${count} options`,
    value: chanceLevel(count),
  }));
}

/** One level where all lists have the same, else each with the lists it is of. */
function levelsOf(runs: readonly ComparedRun[], lists: readonly string[]): Reference[] {
  const levels = new Map<number, string[]>();
  for (const set of lists) {
    for (const { value } of chanceReferences(runs, set)) levels.set(value, [...(levels.get(value) ?? []), set]);
  }
  return [...levels].map(([value, sets]) => ({ label: levels.size === 1 ? 'chance' : `chance, ${sets.join(', ')}`, value }));
}
