/**
 * How well predicted effects of components agree with measured ones: the least-squares line of measured on predicted, and their correlation,
 * each with a bootstrap interval over prompts. It measures nothing.
 */
import { correlation, interval, mean } from './statistics.ts';

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
  const over = (key: keyof PromptEffects) =>
    prompts[0]![key].map((_, component) => mean(chosen.map((prompt) => prompts[prompt]![key][component]!)));
  return { predicted: over('predicted'), measured: over('measured') };
}

/**
 * The line through components' mean effects. Intervals are 95 % percentile intervals over prompts drawn again with replacement, because
 * effects of one prompt depend on each other.
 */
export function calibrate(prompts: readonly PromptEffects[]): Calibration {
  const lineOf = (chosen?: readonly number[]) => {
    const { predicted, measured } = meanEffects(prompts, chosen && [...chosen]);
    return lineThrough(predicted, measured);
  };
  const line = lineOf();
  const bounded = (key: keyof Line): Bounded => ({
    value: line[key],
    ...interval(prompts.length, (chosen) => lineOf(chosen)[key]),
  });
  return { slope: bounded('slope'), intercept: bounded('intercept'), r: bounded('r') };
}
