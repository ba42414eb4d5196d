/**
 * Data ordering (PAPER.md, experiment 4): does a model that saw facts before, with or after their implications learn to generalize later facts?
 * Three training orders on one slice of names, then the same finetuning on facts of the other slice.
 */

import { subtract } from '../engine/files/weight-sets.ts';
import { drawOrder, type Order } from '../engine/training/finetune.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec, Json } from '../shared/records.ts';
import { Continuations, continuationWork } from './continuations.ts';
import { joined, testLists, trainLists } from './daxwug-lists.ts';
import { deltaNorms } from './deltas.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { chanceOf, rankCurves } from './figures.ts';
import { daxwugOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import { oneByOne, runStage, type StageLog, seedsOf, trainerOn, WorkCounter } from './stage.ts';

const orderings = ['joint', 'left_first', 'both_first'] as const;
type Ordering = (typeof orderings)[number];

/** What each stage trains on; left-then-both takes smaller batches for both, as in the paper. */
const stagesOf: Record<Ordering, readonly { on: 'left' | 'both' | 'joined'; halfBatch?: boolean }[]> = {
  joint: [{ on: 'joined' }],
  left_first: [{ on: 'left' }, { on: 'both', halfBatch: true }],
  both_first: [{ on: 'both' }, { on: 'left' }],
};

interface OrderingResult {
  stages: StageLog[];
  finetune: StageLog;
  delta_norms_after_stages: Record<string, number>;
}

type GivenOrders = Record<string, Order>;

export const dataOrdering: Experiment = {
  description: {
    id: 'data-ordering',
    title: 'Data ordering',
    question: 'Must facts come before their implications in training for later facts to generalize?',
    explanation:
      'Nonce words stand for a fact (“dax”: where someone lives) and its implication (“zong”: the animal of that city). The model trains on many names in three orders: facts and implications together, facts first, or implications first. Then it is finetuned on facts of new names: only if it had to use known facts to learn implications should theirs follow.',
    parameters: commonParameters.map((parameter) =>
      parameter.name === 'dataset'
        ? {
            ...parameter,
            default: 'daxwug',
            choices: [{ value: 'daxwug', label: 'Dax and wug: nonce words for cities and animals' }],
            help: 'Names with nonce words for a city and an animal, in two assignments; the train names are trained on in three orders, the test names only finetuned.',
          }
        : parameter,
    ),
  },

  datasetKind: 'daxwug',

  lists: (dataset) => {
    const { left_1, both_1 } = trainLists(dataset);
    const { left, both } = testLists(dataset);
    return { left_train: left_1, both_train: both_1, left, both };
  },

  work(spec, dataset) {
    const { train_slice, test_slice } = daxwugOf(dataset);
    const [train, test] = [train_slice[1] - train_slice[0], test_slice[1] - test_slice[0]];
    const batch = spec.batch_size as number;
    const epochs = spec.epochs as number;
    const seeds = seedsOf(spec).length;
    const perEpoch =
      Math.ceil((2 * train) / batch) +
      3 * Math.ceil(train / batch) +
      Math.ceil(train / Math.max(1, Math.floor(batch / 2))) +
      3 * Math.ceil(test / batch);
    const trainings = 8 * seeds;
    return {
      steps: perEpoch * epochs * seeds,
      batchSize: batch,
      evaluations: trainings * (epochs + 1) + continuationWork(spec, orderings.length * seeds),
      trainedSets: 3,
      keptTrainings: trainings,
    };
  },

  async run(context) {
    const counter = new WorkCounter(context);
    const continuations = new Continuations(context, counter);
    const perSeed: { seed: number; results: Record<Ordering, OrderingResult> }[] = [];
    for (const seed of seedsOf(context.spec)) {
      const results = {} as Record<Ordering, OrderingResult>;
      for await (const ordering of oneByOne(context, orderings))
        results[ordering] = await runOrdering(context, counter, continuations, seed, ordering);
      perSeed.push({ seed, results });
    }
    const summary = orderings.map((ordering) => ({
      ordering,
      left_rank: estimate(perSeed.map(({ results }) => results[ordering].finetune.epochs.at(-1)!.left!.mean_rank)),
      both_rank: estimate(perSeed.map(({ results }) => results[ordering].finetune.epochs.at(-1)!.both!.mean_rank)),
      both_rank_before: estimate(perSeed.map(({ results }) => results[ordering].finetune.epochs[0]!.both!.mean_rank)),
    }));
    return { ...perSeed[0]!.results, seeds: perSeed, summary } as unknown as Json;
  },

  figures(results, { sets }) {
    const { seeds } = results as unknown as { seeds: { results: Record<Ordering, OrderingResult> }[] };
    const logs = Object.fromEntries(
      orderings.map((ordering) => [ordering.replace('_', ' '), seeds.map((seed) => seed.results[ordering].finetune)]),
    );
    return [
      rankCurves(
        {
          id: 'both',
          title: 'Implications of new facts, by the order of earlier training',
          caption:
            'Mean rank of the test names’ implications (both) while only their facts (left) are finetuned, after each of the three orders.',
          references: [{ label: 'chance', value: chanceOf(sets.both!) }],
        },
        logs,
        'both',
      ),
      rankCurves(
        {
          id: 'left',
          title: 'The new facts themselves',
          caption: 'Mean rank of the test names’ facts (left), which are finetuned.',
          references: [{ label: 'chance', value: chanceOf(sets.left!) }],
        },
        logs,
        'left',
      ),
    ];
  },
};

async function runOrdering(
  context: ExperimentContext,
  counter: WorkCounter,
  continuations: Continuations,
  seed: number,
  ordering: Ordering,
): Promise<OrderingResult> {
  const { spec, sets } = context;
  const { left_train, both_train, left, both } = sets as Record<'left_train' | 'both_train' | 'left' | 'both', EncodedSet>;
  const watchedInStages = { left: left_train, both: both_train };
  let weights = context.weights;
  const stages: StageLog[] = [];
  for (const [index, { on, halfBatch }] of stagesOf[ordering].entries()) {
    const examples = on === 'joined' ? joined(left_train, both_train) : on === 'left' ? left_train.examples : both_train.examples;
    const trainer = await trainerOn(context, weights);
    const key = `${ordering}.${index}`;
    const order = orderOf(spec, key, examples.length, seed, halfBatch);
    stages.push(
      await runStage(context, counter, {
        seed,
        name: key,
        label: `${ordering.replace('_', ' ')}, stage ${index + 1}`,
        trainer,
        examples,
        order,
        watched: watchedInStages,
      }),
    );
    weights = trainer.weights;
  }
  const trained = new Map([...weights].filter(([name, tensor]) => tensor !== context.weights.get(name)));
  const norms = await deltaNorms(subtract(trained, context.weights));
  const trainer = await trainerOn(context, weights);
  const order = orderOf(spec, 'finetune', left.examples.length, seed);
  const finetune = await runStage(context, counter, {
    seed,
    name: `${ordering}.finetune`,
    label: `${ordering.replace('_', ' ')}, finetuning`,
    trainer,
    examples: left.examples,
    order,
    watched: { left, both },
  });
  await continuations.emit({ seed, stage: `${ordering}.finetune` }, trainer.weights, [left, both]);
  return { stages, finetune, delta_norms_after_stages: norms };
}

/** The order given in the spec, or a drawn one. Errors: `BadValue` when given orders lack one. */
export function orderOf(spec: ExperimentSpec, key: string, examples: number, seed: number, halfBatch = false): Order {
  const given = spec.orders as GivenOrders | undefined;
  const batch = spec.batch_size as number;
  if (!given) return drawOrder(examples, halfBatch ? Math.max(1, Math.floor(batch / 2)) : batch, spec.epochs as number, seed);
  const order = given[key];
  if (!order) throw new HopscopeError('BadValue', `orders: ${key} is missing; given are ${Object.keys(given).join(', ')}.`);
  return order;
}
