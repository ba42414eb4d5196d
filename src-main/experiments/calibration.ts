/**
 * How well predicted effects of components agree with measured ones: the least-squares line of measured on predicted, and their correlation,
 * each with a bootstrap interval over prompts. It measures nothing.
 */
import { correlation, interval, mean } from '../scores/statistics.ts';

/** The effects of the same components on one prompt. */
export interface PromptEffects {
  predicted: number[];
  measured: number[];
}

export interface Bounded {
  value: number;
  low: number;
  high: number;
}

export interface Calibration {
  /** 1 where an effect is as large as predicted, less where first order overstates it. */
  slope: Bounded;
  intercept: Bounded;
  r: Bounded;
}

interface Line {
  slope: number;
  intercept: number;
  r: number;
}

/** Measured = intercept + slope x predicted by least squares; NaN where predictions do not vary. */
export function lineThrough(predicted: readonly number[], measured: readonly number[]): Line {
  const [meanX, meanY] = [mean(predicted), mean(measured)];
  let [xy, xx] = [0, 0];
  predicted.forEach((value, index) => {
    xy += (value - meanX) * (measured[index]! - meanY);
    xx += (value - meanX) ** 2;
  });
  const slope = xy / xx;
  return { slope, intercept: meanY - slope * meanX, r: correlation(predicted, measured) };
}

/** Component by component, the means over some of the prompts, which may repeat. */
export function meanEffects(prompts: readonly PromptEffects[], chosen = prompts.map((_, index) => index)): PromptEffects {
  const over = (key: keyof PromptEffects) => {
    const sums = new Float64Array(prompts[0]![key].length);
    for (const prompt of chosen) {
      const effects = prompts[prompt]![key];
      for (let component = 0; component < sums.length; component++) sums[component]! += effects[component]!;
    }
    return Array.from(sums, (sum) => sum / chosen.length);
  };
  return { predicted: over('predicted'), measured: over('measured') };
}

/**
 * The line through components' mean effects. Intervals are 95 % percentile intervals over prompts drawn again with replacement, because
 * effects of one prompt depend on each other; fewer different prompts average out less, so correlations of draws tend to lie lower.
 */
export function calibrate(prompts: readonly PromptEffects[]): Calibration {
  const lineOf = (chosen?: readonly number[]) => {
    const { predicted, measured } = meanEffects(prompts, chosen && [...chosen]);
    return lineThrough(predicted, measured);
  };
  const line = lineOf();
  // The same prompts are drawn for every statistic, so each draw's line is computed once
  const drawn = new Map<string, Line>();
  const lineOfDraw = (chosen: readonly number[]) => {
    const key = chosen.join();
    const known = drawn.get(key) ?? lineOf(chosen);
    drawn.set(key, known);
    return known;
  };
  const bounded = (key: keyof Line): Bounded => ({
    value: line[key],
    ...interval(prompts.length, (chosen) => lineOfDraw(chosen)[key]),
  });
  return { slope: bounded('slope'), intercept: bounded('intercept'), r: bounded('r') };
}
