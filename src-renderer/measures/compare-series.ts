/**
 * What can be compared of several runs, and the curves to compare: ranks and losses over seeds, by epoch or step, from stored rows.
 * The figures made of them are compare-curves.ts's.
 */
import type { Estimate } from '../../src-main/shared/figures.ts';
import type { StepRow } from '../../src-main/shared/records.ts';
import { estimate, mean } from '../../src-main/shared/statistics.ts';
import type { ComparedRun } from './compare-settings.ts';
import { seedsOf } from './curves.ts';

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
const trainings = (run: ComparedRun): string[] =>
  [...epochsByStage(run)].flatMap(([stage, epochs]) => (epochs.size > 1 ? [stage] : []));

/** Epochs at which each stage measured, in order of appearance. */
function epochsByStage(run: ComparedRun): ReadonlyMap<string, ReadonlySet<number>> {
  return once(run, 'epochs', () => {
    const epochs = new Map<string, Set<number>>();
    for (const { stage, epoch } of run.evaluations) {
      const known = epochs.get(stage);
      if (known === undefined) epochs.set(stage, new Set([epoch]));
      else known.add(epoch);
    }
    return epochs;
  });
}

/** The stage that stands for a run: the chosen one where it has it, its only one, else none; where none is chosen, that of its outcome. */
export function stageOf(run: ComparedRun, chosen: string | null): string | null {
  const stages = trainings(run);
  const all = stages.length > 0 ? stages : [...epochsByStage(run).keys()];
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
  return once(run, JSON.stringify(['rank', set, stage, choice.x]), () => {
    const rows = run.evaluations.filter((row) => row.set === set && row.stage === stage);
    const before = choice.x === 'epoch' ? null : stepsBefore(run.steps, stage);
    return overSeeds(
      rows.map(({ seed, epoch, meanRank }) => ({ seed, x: before === null ? epoch : before(seed, epoch), y: meanRank })),
    );
  });
}

/** How many training steps of a stage a measurement was made after. */
function stepsBefore(steps: readonly StepRow[], stage: string): (seed: number, epoch: number) => number {
  // counts[epoch] of a seed: the steps before that epoch
  const bySeed = new Map<number, number[]>();
  for (const { seed, epoch, stage: own } of steps) {
    if (own !== stage) continue;
    const counts = bySeed.get(seed) ?? [0];
    bySeed.set(seed, counts);
    while (counts.length < epoch + 2) counts.push(0);
    counts[epoch + 1]!++;
  }
  for (const counts of bySeed.values()) for (let epoch = 1; epoch < counts.length; epoch++) counts[epoch]! += counts[epoch - 1]!;
  return (seed, epoch) => {
    const counts = bySeed.get(seed) ?? [0];
    return counts[Math.min(epoch, counts.length - 1)]!;
  };
}

/** Points of a curve of losses at the most; of more, neighbours are averaged. */
const mostPoints = 120;

/** Loss before each step, or its mean over each epoch. */
export function lossSeries(run: ComparedRun, choice: CurveChoice): Series | null {
  const stage = stageOf(run, choice.stage);
  if (stage === null) return null;
  return once(run, JSON.stringify(['loss', stage, choice.x]), () => overSeeds(lossPoints(run.steps, stage, choice.x)));
}

interface SeedPoint {
  seed: number;
  x: number;
  y: number;
}

function lossPoints(steps: readonly StepRow[], stage: string, x: CurveChoice['x']): SeedPoint[] {
  const bySeed = new Map<number, number[][]>();
  for (const { seed, epoch, loss, stage: own } of steps) {
    if (own !== stage) continue;
    const epochs = bySeed.get(seed) ?? [];
    bySeed.set(seed, epochs);
    const losses = epochs[epoch] ?? [];
    epochs[epoch] = losses;
    losses.push(loss);
  }
  return [...bySeed].flatMap(([seed, epochs]) => {
    if (x === 'epoch') return epochs.flatMap((losses, epoch) => (losses ? [{ seed, x: epoch + 1, y: mean(losses) }] : []));
    const losses = epochs.flat();
    const together = Math.ceil(losses.length / mostPoints);
    return Array.from({ length: Math.ceil(losses.length / together) }, (_, index) => {
      const part = losses.slice(index * together, (index + 1) * together);
      return { seed, x: index * together + part.length, y: mean(part) };
    });
  });
}

function overSeeds(points: readonly SeedPoint[]): Series | null {
  const seeds = seedsOf(points);
  const byX = new Map<number, Map<number, number>>();
  for (const { seed, x, y } of points) byX.set(x, (byX.get(x) ?? new Map<number, number>()).set(seed, y));
  const whole = [...byX].filter(([, values]) => values.size === seeds.length).sort(([a], [b]) => a - b);
  if (whole.length === 0) return null;
  return { x: whole.map(([x]) => x), y: whole.map(([, values]) => estimate(seeds.map((seed) => values.get(seed)!))), seeds };
}

const known = new WeakMap<ComparedRun, Map<string, unknown>>();

/** What follows from a run's rows, found once: a run that changes comes as another object, and resampling over seeds takes a while. */
function once<T>(run: ComparedRun, key: string, find: () => T): T {
  const ofRun = known.get(run) ?? new Map<string, unknown>();
  known.set(run, ofRun);
  if (!ofRun.has(key)) ofRun.set(key, find());
  return ofRun.get(key) as T;
}
