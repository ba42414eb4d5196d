/**
 * Curves of a run, derived from its stored rows: one line per seed, their mean, the chance level.
 * It knows nothing of drawing, and it never fills gaps: a mean exists only where every seed begun so far has a value.
 */
import { chanceLevel } from '../../src-main/shared/chance.ts';
import type { EvaluationRow, ItemSet, StepRow } from '../../src-main/shared/records.ts';
import { mean } from '../../src-main/shared/statistics.ts';

export interface Point {
  x: number;
  y: number;
}

/** One quantity of one list of items over the course of a run. */
export interface Curve {
  /** `facts`, `implications`; `training` for the loss. */
  set: string;
  seeds: { seed: number; points: Point[] }[];
  /** Mean over seeds, at every x that all seeds begun so far have reached. */
  mean: Point[];
  /** Level of uninformed guessing, null where the quantity has none. */
  chance: number | null;
}

/** The seeds that rows are of, ascending. */
export function seedsOf(rows: readonly { seed: number }[]): number[] {
  return [...new Set(rows.map(({ seed }) => seed))].sort((a, b) => a - b);
}

/** The stages that a run's evaluations belong to, in order of appearance. */
export function stagesOf(rows: readonly { stage: string }[]): string[] {
  return [...new Set(rows.map((row) => row.stage))];
}

/** Mean rank per epoch of each item set; x = epoch, 0 being the model before training. */
export function rankCurves(evaluations: readonly EvaluationRow[], sets: readonly ItemSet[], stage?: string): Curve[] {
  const rows = stage === undefined ? evaluations : evaluations.filter((row) => row.stage === stage);
  const names = [...new Set([...sets.map((set) => set.set), ...rows.map((row) => row.set)])];
  return names.map((name) => {
    const set = sets.find((candidate) => candidate.set === name);
    const own = rows.filter((row) => row.set === name);
    return {
      set: name,
      ...lines(own.map((row) => ({ seed: row.seed, x: row.epoch, y: row.meanRank }))),
      chance: set === undefined ? null : chanceLevel(set.candidates.length),
    };
  });
}

/** Training loss before each step; x = the step's place in its seed's training, from 1. */
export function lossCurve(steps: readonly StepRow[], stage?: string): Curve {
  const count = new Map<number, number>();
  const points = steps
    .filter((step) => stage === undefined || step.stage === stage)
    .map((step) => {
      const x = (count.get(step.seed) ?? 0) + 1;
      count.set(step.seed, x);
      return { seed: step.seed, x, y: step.loss };
    });
  return { set: 'training', ...lines(points), chance: null };
}

function lines(points: { seed: number; x: number; y: number }[]): Pick<Curve, 'seeds' | 'mean'> {
  const bySeed = new Map<number, Map<number, number>>();
  for (const { seed, x, y } of points) {
    const line = bySeed.get(seed) ?? new Map<number, number>();
    line.set(x, y);
    bySeed.set(seed, line);
  }
  const seeds = [...bySeed]
    .sort(([a], [b]) => a - b)
    .map(([seed, line]) => ({
      seed,
      points: [...line].sort(([a], [b]) => a - b).map(([x, y]) => ({ x, y })),
    }));
  const everyX = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const means = everyX
    .filter((x) => [...bySeed.values()].every((line) => line.has(x)))
    .map((x) => ({ x, y: mean([...bySeed.values()].map((line) => line.get(x)!)) }));
  return { seeds, mean: means };
}

/** Where a curve started and where it has got to, over the seeds that have got that far. */
export interface Standing {
  before: number;
  latest: number;
  /** Epoch of `latest`. */
  epoch: number;
  /** Seeds that reached that epoch. */
  seeds: number;
  /** Which these are, ascending. */
  reached: number[];
}

/** First and latest values of a curve; null while nothing is measured. */
export function standing(curve: Curve): Standing | null {
  const ends = curve.seeds.flatMap((line) => line.points.slice(-1));
  if (ends.length === 0) return null;
  const epoch = Math.max(...ends.map((point) => point.x));
  const reached = curve.seeds.filter((line) => line.points.at(-1)?.x === epoch);
  return {
    before: mean(reached.map((line) => line.points[0]!.y)),
    latest: mean(reached.map((line) => line.points.at(-1)!.y)),
    epoch,
    seeds: reached.length,
    reached: reached.map(({ seed }) => seed),
  };
}
