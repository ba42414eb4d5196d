/**
 * The freeze triangle: ranks with only one contiguous range of layers free, for every range, within a time budget. Part of layer freezing, which
 * trains the model; here ranges are chosen, measured and drawn.
 */

import { finetune, type Order } from '../engine/training/finetune.ts';
import type { Trainer } from '../engine/training/trainer.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import type { Estimate, MapFigure } from '../shared/figures.ts';
import type { ExperimentSpec, Parameter } from '../shared/records.ts';
import type { ExperimentContext, Work } from './experiment.ts';
import { measureAndEmit, trainerOn, type WorkCounter } from './stage.ts';

/** `after`: of a free training only the range's change is kept. `during`: a training of its own with only the range free. */
type When = 'after' | 'during';

export const triangleParameters: Parameter[] = [
  {
    name: 'triangle',
    label: 'Freeze triangle',
    help: 'Also measures every contiguous range of layers: keeping only the range’s part of what was learned (after training, an evaluation each), or training anew with only the range free (while training, a finetuning each).',
    kind: 'choice',
    default: 'no',
    choices: [
      { value: 'no', label: 'No' },
      { value: 'after', label: 'Ranges kept after training' },
      { value: 'during', label: 'Ranges trained alone' },
    ],
    advanced: true,
  },
  {
    name: 'triangle_seconds',
    label: 'Time for the triangle (seconds)',
    help: 'Shared by the seeds. Ranges are measured from coarse to fine, so that a triangle cut short still shows where the layers that matter are.',
    kind: 'number',
    default: 600,
    minimum: 0,
    maximum: 1e7,
    advanced: true,
  },
];

/** One seed's mean ranks by first and last free layer; null: not measured, or no range. */
export interface SeedTriangle {
  fact_rank: (number | null)[][];
  implication_rank: (number | null)[][];
}

export interface Triangle {
  when: When;
  /** How many ranges there are, and how many every seed measured. */
  ranges: number;
  measured: number;
  /** Over seeds, by first and last free layer. */
  fact_rank: (Estimate | null)[][];
  implication_rank: (Estimate | null)[][];
}

/**
 * All ranges `[first, last]` of layers, coarse to fine: the whole depth and its two ends, then ranges between multiples of half the depth, a quarter
 * and so on, at each level first the blocks along the diagonal, then the longest.
 */
export function triangleRanges(layers: number): [first: number, last: number][] {
  const ranges = new Map<string, [number, number]>();
  const add = (first: number, last: number) =>
    void (ranges.has(`${first} ${last}`) || ranges.set(`${first} ${last}`, [first, last]));
  add(0, layers - 1);
  add(0, 0);
  add(layers - 1, layers - 1);
  for (let parts = 2; ranges.size < (layers * (layers + 1)) / 2; parts *= 2) {
    const borders = Array.from({ length: parts + 1 }, (_, part) => Math.round((part * layers) / parts));
    const cuts = [...new Set(borders)];
    const lengths = [1, ...Array.from({ length: cuts.length - 2 }, (_, index) => cuts.length - 1 - index)];
    for (const blocks of lengths) {
      for (let start = 0; start + blocks < cuts.length; start++) add(cuts[start]!, cuts[start + blocks]! - 1);
    }
  }
  return [...ranges.values()];
}

/** What the triangle adds to a run of `steps` steps per training. */
export function triangleWork(
  spec: ExperimentSpec,
  layers: number,
  steps: number,
  seeds: number,
): Pick<Work, 'steps' | 'evaluations'> {
  if (spec.triangle === 'no') return { steps: 0, evaluations: 0 };
  const ranges = ((layers * (layers + 1)) / 2) * seeds;
  return { steps: spec.triangle === 'during' ? ranges * steps : 0, evaluations: ranges };
}

export interface TriangleSetting {
  seed: number;
  when: When;
  order: Order;
  /** Time that may pass before the last range begins; the first one, all layers, is measured in any case. */
  seconds: number;
  /** The weights that only keep these layers' part of what was learned. */
  kept(layers: readonly number[]): Weights;
}

/** Measures ranges until the time is over. Emits a row for each, and a warning where some were left out. */
export async function measureTriangle(
  context: ExperimentContext,
  counter: WorkCounter,
  { seed, when, order, seconds, kept }: TriangleSetting,
): Promise<SeedTriangle> {
  const { layers } = context.model.configuration;
  const { train, test } = context.sets as { train: EncodedSet; test: EncodedSet };
  const square = () => Array.from({ length: layers }, () => new Array<number | null>(layers).fill(null));
  const result: SeedTriangle = { fact_rank: square(), implication_rank: square() };
  const ranges = triangleRanges(layers);
  const unitsOfRange = 1 + (when === 'during' ? order.flat().length : 0);
  const started = performance.now();
  for (const [done, [first, last]] of ranges.entries()) {
    // Lets a request to stop in
    await new Promise((resolve) => setImmediate(resolve));
    context.signal?.throwIfAborted();
    if (done > 0 && performance.now() - started >= 1000 * seconds) {
      const left = ranges.length - done;
      context.emit({
        kind: 'warning',
        message: `The freeze triangle's time was over: seed ${seed} measured ${done} of ${ranges.length} ranges of layers, the coarse ones first. Raise triangle_seconds for the others.`,
      });
      counter.advance(`seed ${seed}, triangle cut short`, left * unitsOfRange);
      return result;
    }
    const free = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const label = first === last ? `layer ${first}` : `layers ${first} to ${last}`;
    let weights: Weights;
    let trainer: Trainer | null = null;
    if (when === 'during') {
      trainer = await trainerOn(context, context.weights, { layers: free });
      await finetune(trainer, train.examples, order, {
        signal: context.signal,
        async onStep() {
          counter.advance(`seed ${seed}, only ${label} free`);
          await context.turn();
        },
      });
      weights = trainer.weights;
    } else weights = kept(free);
    const row = { seed, stage: `only ${label} ${when === 'during' ? 'trained' : 'kept'}`, epoch: order.length };
    result.fact_rank[first]![last] = (await measureAndEmit(context, weights, train, row)).mean_rank;
    result.implication_rank[first]![last] = (await measureAndEmit(context, weights, test, row)).mean_rank;
    await trainer?.state.remove();
    counter.advance(`seed ${seed}, only ${label} ${when === 'during' ? 'free' : 'kept'}`);
  }
  return result;
}

/** Means over the seeds that measured a range. */
export function overSeeds(when: When, seeds: readonly SeedTriangle[]): Triangle {
  const layers = seeds[0]!.fact_rank.length;
  const cells = (key: keyof SeedTriangle) =>
    Array.from({ length: layers }, (_, first) =>
      Array.from({ length: layers }, (_, last) => {
        const values = seeds.flatMap((seed) => seed[key][first]![last] ?? []);
        return values.length === 0 ? null : estimate(values);
      }),
    );
  const fact_rank = cells('fact_rank');
  const measured = fact_rank.flat().filter((cell) => cell?.values.length === seeds.length).length;
  return { when, ranges: (layers * (layers + 1)) / 2, measured, fact_rank, implication_rank: cells('implication_rank') };
}

export function triangleFigure({ when, ranges, measured, fact_rank, implication_rank }: Triangle): MapFigure {
  const names = fact_rank.map((_, layer) => String(layer));
  const means = (cells: (Estimate | null)[][]) => cells.map((row) => row.map((cell) => cell?.mean ?? null));
  const what = when === 'after' ? 'only this range’s part of what was learned is kept' : 'only this range was free in training';
  const cut = measured < ranges ? ` Time allowed for ${measured} of ${ranges} ranges with every seed.` : '';
  return {
    id: 'triangle',
    kind: 'map',
    title: 'Freeze triangle',
    caption: `Mean rank (0 is best) where ${what}, by its first and last layer; the diagonal has single layers, the upper right corner all of them.${cut}`,
    rows: { label: 'First free layer', names },
    columns: { label: 'Last free layer', names },
    panels: [
      { title: 'Implications', values: means(implication_rank) },
      { title: 'Facts', values: means(fact_rank) },
    ],
  };
}
