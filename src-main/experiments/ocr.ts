/**
 * Out-of-context reasoning (PAPER.md, experiment 1): finetune on facts and watch, epoch by epoch, the ranks of the facts and of implications
 * that were never trained on. It localizes nothing; the other experiments do.
 */
import { drawOrder, type Order } from '../engine/training/finetune.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate, mean } from '../scores/statistics.ts';
import type { LinesFigure } from '../shared/figures.ts';
import type { ItemSet, Json } from '../shared/records.ts';
import { Continuations, continuationWork } from './continuations.ts';
import type { Experiment } from './experiment.ts';
import { chanceOf, rankAxis } from './figures.ts';
import { factLists, factsOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import { finetuningWork, oneByOne, runStage, type StageLog, seedsOf, trainerOn, WorkCounter } from './stage.ts';

export const ocr: Experiment = {
  description: {
    id: 'ocr',
    title: 'Out-of-context reasoning',
    question: 'Does a model that is finetuned on a fact also learn what follows from it?',
    explanation:
      'The model is finetuned on facts, such as where people live. Before every epoch and at the end, each fact and each implication (the language they speak, never trained on) is asked for, and the right answer is ranked among all options: 0 is best, chance is half of the options. Implications that move from chance towards 0 have generalized.',
    parameters: commonParameters,
  },

  datasetKind: 'facts',

  lists: factLists,

  work(spec, dataset) {
    const { train } = factsOf(dataset);
    const { steps, batchSize, epochs, seeds } = finetuningWork(spec, train.length);
    return { steps, batchSize, evaluations: (epochs + 1) * seeds + continuationWork(spec, seeds) };
  },

  async run(context) {
    const { spec, weights } = context;
    const { train, test } = context.sets as { train: EncodedSet; test: EncodedSet };
    const given = spec.orders as Order | undefined;
    const counter = new WorkCounter(context);
    const continuations = new Continuations(context, counter);
    const logs = new Map<number, StageLog>();
    for await (const seed of oneByOne(context, seedsOf(spec))) {
      const trainer = await trainerOn(context, weights);
      const order = given ?? drawOrder(train.examples.length, spec.batch_size as number, spec.epochs as number, seed);
      const stage = {
        seed,
        name: 'finetune',
        label: 'Finetuning',
        trainer,
        examples: train.examples,
        order,
        watched: { train, test },
      };
      logs.set(seed, await runStage(context, counter, stage));
      await continuations.emit({ seed, stage: stage.name }, trainer.weights, [train, test]);
    }
    return results(logs, train.items, test.items, given !== undefined);
  },

  figures(given, { sets }) {
    const { epochs } = given as unknown as {
      epochs: { epoch: number; per_seed: { fact_rank: number; implication_rank: number }[] }[];
    };
    const figure = (id: string, title: string, key: 'fact_rank' | 'implication_rank', set: EncodedSet): LinesFigure => ({
      id,
      kind: 'lines',
      title,
      caption: `${title}: mean rank of the right answer among ${set.items.candidates.length} options by epoch; epoch 0 is the model before training.`,
      x: { label: 'Epoch', kind: 'number' },
      y: rankAxis,
      series: [
        {
          label: title,
          x: epochs.map(({ epoch }) => epoch),
          y: epochs.map(({ per_seed }) => estimate(per_seed.map((seed) => seed[key]))),
        },
      ],
      references: [{ label: 'chance', value: chanceOf(set) }],
    });
    return [
      figure('facts', 'Facts', 'fact_rank', sets.train!),
      figure('implications', 'Implications', 'implication_rank', sets.test!),
    ];
  },
};

/** The result object: means over seeds with every seed's own values; with given orders also the golden values' shape. */
function results(logs: ReadonlyMap<number, StageLog>, facts: ItemSet, implications: ItemSet, withDetails: boolean): Json {
  const [first] = logs.values();
  const epochs = first!.epochs.map((details, epoch) => {
    const seeds = [...logs].map(([seed, log]) => ({ seed, train: log.epochs[epoch]!.train!, test: log.epochs[epoch]!.test! }));
    return {
      epoch,
      fact_rank: mean(seeds.map(({ train }) => train.mean_rank)),
      implication_rank: mean(seeds.map(({ test }) => test.mean_rank)),
      fact_loss: mean(seeds.map(({ train }) => train.loss)),
      implication_loss: mean(seeds.map(({ test }) => test.loss)),
      per_seed: seeds.map(({ seed, train, test }) => ({ seed, fact_rank: train.mean_rank, implication_rank: test.mean_rank })),
      ...(withDetails ? details : {}),
    };
  });
  return {
    epochs,
    options: { facts: facts.candidates.length, implications: implications.candidates.length },
    chance: { facts: chanceOf({ items: facts }), implications: chanceOf({ items: implications }) },
    ...(withDetails ? { batch_losses: first!.batch_losses } : {}),
  } as unknown as Json;
}
