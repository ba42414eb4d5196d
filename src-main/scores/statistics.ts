/**
 * Means with bootstrap intervals over seeds, always with every seed's own value beside them.
 * Intervals are percentile intervals from a seeded resampling, so that the same values give the same interval.
 */
import type { Estimate } from '../shared/figures.ts';
import { Random } from '../shared/random.ts';

const resamples = 2000;

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
  const random = new Random('bootstrap');
  const draws = Float64Array.from({ length: resamples }, () =>
    statistic(Array.from({ length: count }, () => random.integer(count))),
  ).sort();
  const at = (share: number) => draws[Math.round(share * (draws.length - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}

/** Pearson's correlation; NaN where one side does not vary. */
export function correlation(x: readonly number[], y: readonly number[]): number {
  const [meanX, meanY] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((value, index) => {
    const [dx, dy] = [value - meanX, y[index]! - meanY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xy / Math.sqrt(xx * yy);
}
