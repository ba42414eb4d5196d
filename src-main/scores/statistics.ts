/**
 * Statistics over seeds and items for scores and experiments: those of shared/statistics.ts, and correlations.
 */
import { mean } from '../shared/statistics.ts';

export { estimate, interval, mean } from '../shared/statistics.ts';

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
