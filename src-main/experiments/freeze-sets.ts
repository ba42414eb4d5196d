/**
 * Any set of layers or modules left free, while training and after it: the general form of the early and late halves of layer freezing.
 * The sets are the spec's; what is measured is the same as for the halves.
 */

import { type Trainable, trainableNames } from '../engine/models/parameters.ts';
import type { Order } from '../engine/training/finetune.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import type { BarsFigure, Estimate } from '../shared/figures.ts';
import type { ExperimentSpec, Parameter } from '../shared/records.ts';
import { keptWeights } from './deltas.ts';
import type { ExperimentContext } from './experiment.ts';
import { chancesOf, rankAxis } from './figures.ts';
import { type Detail, measureLists, runStage, trainerOn, type WorkCounter } from './stage.ts';

export const freeSetsParameter: Parameter = {
  name: 'free_sets',
  label: 'Further sets left free',
  help: 'Any sets of layers or modules by name, such as {"MLPs of 0 to 2": {"layers": [0, 1, 2], "modules": ["mlp"]}}: each is trained alone, and each alone keeps what the free training learned. {"all but MLP 3": {"except": {"layers": [3], "modules": ["mlp"]}}} frees every MLP and attention matrix but those, which freezes exactly that MLP; embeddings, norms and biases stay as they are in either form.',
  kind: 'trainables',
  optional: true,
  advanced: true,
};

/** By set: measured after training only it, and with only its part of what the free training learned. */
export type SetResults = Record<string, { during: Record<string, Detail>; after: Record<string, Detail> }>;

export interface SetSummary {
  set: string;
  when: 'during' | 'after';
  fact_rank: Estimate;
  implication_rank: Estimate;
}

export const freeSets = (spec: ExperimentSpec): [name: string, set: Trainable][] =>
  Object.entries((spec.free_sets ?? {}) as unknown as Record<string, Trainable>);

export async function measureFreeSets(
  context: ExperimentContext,
  counter: WorkCounter,
  { seed, order, trained }: { seed: number; order: Order; trained: Weights },
): Promise<SetResults> {
  const { spec, weights, model } = context;
  const watched = context.sets as { train: EncodedSet; test: EncodedSet };
  const results: SetResults = {};
  for (const [name, set] of freeSets(spec)) {
    const trainer = await trainerOn(context, weights, set);
    const { examples } = watched.train;
    const stage = { seed, name: `only ${name} trained`, trainer, examples, order, watched, isOfSweep: true };
    const log = await runStage(context, counter, stage);
    await trainer.state.remove();
    const kept = keptWeights(weights, trained, trainableNames(model.parameters, set));
    const after = await measureLists(context, kept, watched, { seed, stage: `only ${name} kept`, epoch: order.length });
    counter.advance(`seed ${seed}, only ${name} kept`);
    results[name] = { during: log.epochs.at(-1)!, after };
  }
  return results;
}

/** Final mean ranks by set and time, over seeds. */
export function summarizeSets(perSeed: readonly SetResults[]): SetSummary[] {
  return Object.keys(perSeed[0]!).flatMap((set) =>
    (['after', 'during'] as const).map((when) => ({
      set,
      when,
      fact_rank: estimate(perSeed.map((results) => results[set]![when].train!.mean_rank)),
      implication_rank: estimate(perSeed.map((results) => results[set]![when].test!.mean_rank)),
    })),
  );
}

export function freeSetsFigure(rows: readonly SetSummary[], sets: ExperimentContext['sets']): BarsFigure {
  return {
    id: 'free-sets',
    kind: 'bars',
    title: 'Final ranks with only one set free',
    caption:
      'Mean rank after training, facts and implications, with only the named set trained, or only its part of the free training kept.',
    y: rankAxis,
    groups: rows.map(({ set, when }) => `${set}, ${when === 'after' ? 'kept' : 'trained'}`),
    series: [
      { label: 'facts', values: rows.map(({ fact_rank }) => fact_rank) },
      { label: 'implications', values: rows.map(({ implication_rank }) => implication_rank) },
    ],
    references: chancesOf(sets),
  };
}
