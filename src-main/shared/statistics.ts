/**
 * Means over seeds with their range or bootstrap interval, always with every seed's own value beside them.
 * Intervals are percentile intervals from a seeded resampling, so that the same values give the same interval.
 */
import type { Estimate } from './figures.ts';
import { Random } from './random.ts';

const resamples = 2000;

/** Resamplings of this many observations at the most are kept: curves ask for the same ones thousands of times. */
const mostKept = 16;

const kept = new Map<number, readonly (readonly number[])[]>();

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Fewer values have no interval worth the name: of two or three, the percentiles of resamplings are the lowest and the highest value. */
export const fewestForInterval = 5;

/**
 * Mean of the values with its 95 % bootstrap interval (Efron and Tibshirani 1993, percentile method); of fewer than five, with the lowest and
 * the highest.
 */
export function estimate(values: readonly number[]): Estimate {
  return {
    mean: mean(values),
    ...(values.length < fewestForInterval
      ? { low: Math.min(...values), high: Math.max(...values) }
      : interval(values.length, (indices) => mean(indices.map((index) => values[index]!)))),
    values: [...values],
  };
}

/**
 * What `low` and `high` of these estimates are: `range of 3 seeds`, `95 % bootstrap interval`, or both where some have fewer than five values;
 * empty where none has several. `noun` is what one value is of.
 */
export function spreadWords(estimates: readonly Pick<Estimate, 'values'>[], noun = 'seed'): string {
  const counts = estimates.map(({ values }) => values.length).filter((count) => count > 1);
  const few = counts.filter((count) => count < fewestForInterval);
  const [fewest, most] = [Math.min(...few), Math.max(...few)];
  return [
    ...(few.length > 0 ? [`range of ${fewest === most ? fewest : `${fewest} to ${most}`} ${noun}s`] : []),
    ...(few.length < counts.length ? ['95 % bootstrap interval'] : []),
  ].join(' or ');
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
