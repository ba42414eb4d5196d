/**
 * What can be compared of several runs, and the curves to compare: ranks and losses over seeds, by epoch or step, from stored rows.
 * The figures made of them are compare-curves.ts's.
 */
import type { Estimate } from '../../src-main/shared/figures.ts';
import type { EvaluationRow } from '../../src-main/shared/records.ts';
import { estimate, mean } from '../../src-main/shared/statistics.ts';
import type { ComparedRun } from './compare-settings.ts';
import { stagesOf } from './curves.ts';

/** How curves are shown. */
export interface CurveChoice {
  x: 'epoch' | 'step';
  seeds: 'interval' | 'lines';
  /** The training shown of runs that have several; null: each run's main one, which lists show too. */
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

/** The stage that stands for a run: the chosen one where it has it, its only one, else none; where none is chosen, that of its outcome. */
export function stageOf(run: ComparedRun, chosen: string | null): string | null {
  const stages = trainings(run);
  const all = stages.length > 0 ? stages : stagesOf(run.evaluations);
  if (chosen === null || all.length === 1) return mainOf(all, run.detail.outcome?.stage) ?? null;
  return all.includes(chosen) ? chosen : null;
}

const mainOf = (stages: readonly string[], main: string | undefined) => stages.find((stage) => stage === main) ?? stages[0];

/** One run's curve; null where it did not measure that. */
export interface Series {
  x: number[];
  y: Estimate[];
  /** Whose values those of each estimate are. */
  seeds: number[];
}

/** Means are sums of fractions: what differs by less than this is equal. */
const rounding = 1e-9;

/** Place of the lowest mean: the last one where none is lower, since nothing is gained by stopping early then; else the earliest of equal ones. */
export function bestPlace({ y }: Pick<Series, 'y'>): number {
  const best = y.reduce((found, { mean: value }, place) => (value < y[found]!.mean - rounding ? place : found), 0);
  return y.at(-1)!.mean <= y[best]!.mean + rounding ? y.length - 1 : best;
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
  return { x: whole.map(([x]) => x), y: whole.map(([, values]) => estimate(seeds.map((seed) => values.get(seed)!))), seeds };
}
