/**
 * Means with bootstrap intervals over seeds, always with every seed's own value beside them.
 * Intervals are percentile intervals from a seeded resampling, so that the same values give the same interval.
 */
import type { Estimate } from './figures.ts';
import { Random } from './random.ts';

const resamples = 2000;

/** Resamplings of this many observations at the most are kept: curves ask for the same ones thousands of times. */
const mostKept = 16;

const kept = new Map<number, readonly (readonly number[])[]>();

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean of the values with its 95 % bootstrap interval (Efron and Tibshirani 1993, percentile method); of one value, the value itself. */
export function estimate(values: readonly number[]): Estimate {
  return {
    mean: mean(values),
    ...interval(values.length, (indices) => mean(indices.map((index) => values[index]!))),
    values: [...values],
  };
}

/** The 95 % percentile bootstrap interval of any statistic of `count` exchangeable observations. */
export function interval(count: number, statistic: (indices: readonly number[]) => number): { low: number; high: number } {
  if (count === 1) {
    const only = statistic([0]);
    return { low: only, high: only };
  }
  const draws = Float64Array.from(resamplings(count), statistic).sort();
  const at = (share: number) => draws[Math.round(share * (draws.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}

function resamplings(count: number): readonly (readonly number[])[] {
  const known = kept.get(count);
  if (known !== undefined) return known;
  const random = new Random('bootstrap');
  const made = Array.from({ length: resamples }, () => Array.from({ length: count }, () => random.integer(count)));
  if (count <= mostKept) kept.set(count, made);
  return made;
}
