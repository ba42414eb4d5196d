/**
 * What is said of a list of measurements: the median with its quartiles, and the least. It knows nothing of what was measured.
 */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
  least: number;
}

/** Quartiles by linear interpolation between the sorted values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const [a, b] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
    return a + (b - a) * (place - below);
  };
  return { median: quantile(0.5), lower: quantile(0.25), upper: quantile(0.75), least: sorted[0]! };
}
