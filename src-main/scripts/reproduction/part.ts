/**
 * A part of the reproduction: one run, the numbers read from its results, and the directions that are looked for in them.
 * Which parts there are say rank-parts.ts and score-parts.ts.
 */
import { estimate } from '../../scores/statistics.ts';
import type { Estimate } from '../../shared/figures.ts';

export interface Quantity {
  name: string;
  /** Over seeds. */
  value: Estimate;
  /** OLMo-7B's, where the paper gives a number; else null. */
  published: number | null;
  /** What guessing gives, where it is known. */
  chance: number | null;
}

export interface Comparison {
  /** What it would show. */
  claim: string;
  /** The quantity that should be the smaller one, or '0'. Quantities of all parts may be named. */
  smaller: string;
  larger: string;
  /** A direction of the paper's numbers; of the paper's hypothesis, for which no number is published here; or a question of this project. */
  source: 'paper' | 'hypothesis' | 'ours';
}

export interface Part {
  title: string;
  spec: { experiment: string; dataset: string };
  /** Throws where results have another shape. */
  quantities(results: unknown): Quantity[];
  comparisons: Comparison[];
}

/** A quantity from every seed's value. */
export function quantity(
  name: string,
  values: readonly number[],
  published: number | null = null,
  chance: number | null = null,
): Quantity {
  return { name, value: estimate(values), published, chance };
}

export interface Hop {
  dataset: 'first-hop' | 'second-hop';
  name: string;
}

export const hops: readonly Hop[] = [
  { dataset: 'first-hop', name: 'first hop' },
  { dataset: 'second-hop', name: 'second hop' },
];
