/**
 * Out-of-context reasoning (PAPER.md, experiment 1): finetune on facts and watch, epoch by epoch, the ranks of the facts and of implications
 * that were never trained on. It localizes nothing; the other experiments do.
 */
import type { Trainable } from '../engine/models/parameters.ts';
import { drawOrder, finetune, type Order } from '../engine/training/finetune.ts';
import { defaultTraining, Trainer } from '../engine/training/trainer.ts';
import { type CollisionRule, encodeSet, measure } from '../scores/evaluation.ts';
import type { EvaluationRow, ExperimentSpec, ItemMeasurement, ItemSet, Json } from '../shared/records.ts';
import type { Experiment } from './experiment.ts';
import { commonParameters } from './parameters.ts';

export const ocr: Experiment = {
  description: {
    id: 'ocr',
    title: 'Out-of-context reasoning',
    question: 'Does a model that is finetuned on a fact also learn what follows from it?',
    explanation:
      'The model is finetuned on facts, such as where people live. Before every epoch and at the end, each fact and each implication (the language they speak, never trained on) is asked for, and the right answer is ranked among all options: 0 is best, chance is half of the options. Implications that move from chance towards 0 have generalized.',
    parameters: commonParameters,
  },

  work(spec, { data }) {
    const order = spec.orders as Order | undefined;
    const epochs = order?.length ?? (spec.epochs as number);
    const batchSize = spec.batch_size as number;
    const seeds = seedsOf(spec).length;
    const steps = order ? order.flat().length : Math.ceil(data.train.length / batchSize) * epochs;
    return { steps: steps * seeds, batchSize, evaluations: (epochs + 1) * seeds };
  },

  async run(context) {
    const { spec, model, weights, executor, dataset, emit, progress, signal } = context;
    const { data } = dataset;
    const collisions = spec.collisions as CollisionRule;
    const facts = encodeSet(model.tokenizer, 'facts', data.train, data.options.train, collisions);
    const implications = encodeSet(model.tokenizer, 'implications', data.test, data.options.test, collisions);
    for (const message of [...facts.warnings, ...implications.warnings]) emit({ kind: 'warning', message });
    for (const { items } of [facts, implications]) emit({ kind: 'items', items });
    const given = spec.orders as Order | undefined;
    const seeds = seedsOf(spec);
    const measured: SeedEpoch[] = [];
    const batchLosses: number[][] = [];
    let done = 0;

    for (const seed of seeds) {
      const trainer = new Trainer(executor, weights, {
        ...defaultTraining,
        trainable: spec.trainable as Trainable,
        learningRate: spec.lr as number,
      });
      const order = given ?? drawOrder(data.train.length, spec.batch_size as number, spec.epochs as number, seed);
      await finetune(trainer, facts.examples, order, {
        signal,
        async onEpoch(epoch) {
          const row = { seed, stage: 'finetune', epoch };
          const fact = await measure(executor, trainer.weights, facts);
          const implication = await measure(executor, trainer.weights, implications);
          const rows: EvaluationRow[] = [
            { ...row, set: 'facts', ...fact },
            { ...row, set: 'implications', ...implication },
          ];
          for (const evaluation of rows) emit({ kind: 'evaluation', row: evaluation });
          measured.push({ seed, epoch, fact: rows[0]!, implication: rows[1]! });
          progress(++done, `seed ${seed}, ${epoch < order.length ? `epoch ${epoch + 1} of ${order.length}` : 'done'}`);
        },
        onStep({ epoch, step, loss, seconds }) {
          emit({ kind: 'step', row: { seed, stage: 'finetune', epoch, step, loss, seconds } });
          batchLosses[epoch] = [...(batchLosses[epoch] ?? []), loss];
          progress(++done, `seed ${seed}, epoch ${epoch + 1} of ${order.length}`);
        },
      });
    }
    return results(measured, facts.items, implications.items, given ? batchLosses : null);
  },
};

interface SeedEpoch {
  seed: number;
  epoch: number;
  fact: EvaluationRow;
  implication: EvaluationRow;
}

/** Given orders leave nothing to chance, so one seed is all there is to run. */
function seedsOf(spec: ExperimentSpec): number[] {
  const seeds = spec.seeds as number[];
  return spec.orders === undefined ? seeds : seeds.slice(0, 1);
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The result object: means over seeds with every seed's own values; with given orders also the golden values' shape. */
function results(measured: readonly SeedEpoch[], facts: ItemSet, implications: ItemSet, batchLosses: number[][] | null): Json {
  const epochs = [...new Set(measured.map(({ epoch }) => epoch))];
  const chance = ({ candidates }: ItemSet) => (candidates.length - 1) / 2;
  return {
    epochs: epochs.map((epoch) => {
      const rows = measured.filter((row) => row.epoch === epoch);
      const single: { [key: string]: Json } = batchLosses
        ? { train: detail(rows[0]!.fact, facts), test: detail(rows[0]!.implication, implications) }
        : {};
      return {
        epoch,
        fact_rank: mean(rows.map(({ fact }) => fact.meanRank)),
        implication_rank: mean(rows.map(({ implication }) => implication.meanRank)),
        fact_loss: mean(rows.map(({ fact }) => fact.loss)),
        implication_loss: mean(rows.map(({ implication }) => implication.loss)),
        per_seed: rows.map(({ seed, fact, implication }) => ({ seed, fact_rank: fact.meanRank, implication_rank: implication.meanRank })),
        ...single,
      };
    }),
    options: { facts: facts.candidates.length, implications: implications.candidates.length },
    chance: { facts: chance(facts), implications: chance(implications) },
    ...(batchLosses === null ? {} : { batch_losses: batchLosses }),
  } as Json;
}

function detail(row: EvaluationRow, set: ItemSet): Json {
  return {
    mean_rank: row.meanRank,
    ranks: row.items.map(({ rank }) => rank),
    min_margin: Math.min(...row.items.map((item) => margin(item, set))),
    loss: row.loss,
  };
}

/** Smallest distance of the answer's logit from another candidate's. */
function margin({ item, logits }: ItemMeasurement, { answers }: ItemSet): number {
  const answer = answers[item]!;
  return Math.min(...logits.flatMap((logit, index) => (index === answer ? [] : [Math.abs(logit - logits[answer]!)])));
}
