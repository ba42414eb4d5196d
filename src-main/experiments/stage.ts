/**
 * One training of an experiment: before every epoch and after the last all watched lists are measured, every step and measurement is emitted,
 * and the log comes back in the golden values' shape. Which lists, which weights and which order is the experiment's choice.
 */

import { loraWithin } from '../engine/models/lora-targets.ts';
import type { Model } from '../engine/models/model.ts';
import { type Trainable, trainableNames } from '../engine/models/parameters.ts';
import { reclaimMemories } from '../engine/runtime/reclaim.ts';
import { checkOrder, finetune, type Order } from '../engine/training/finetune.ts';
import { defaultTraining, Trainer } from '../engine/training/trainer.ts';
import type { Weights } from '../engine/weights.ts';
import { type EncodedSet, measure } from '../scores/evaluation.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { EvaluationRow, ExperimentSpec, ItemMeasurement, ItemSet } from '../shared/records.ts';
import type { ExperimentContext } from './experiment.ts';

/** One list measured under one set of weights. */
export interface Detail {
  mean_rank: number;
  ranks: number[];
  /** Smallest distance of an answer's logit from another candidate's: how close the ranks are to changing. */
  min_margin: number;
  /** Mean cross entropy of the list as one batch. */
  loss: number;
}

export interface StageLog {
  /** Loss before each step, by epoch. */
  batch_losses: number[][];
  /** By epoch, the last one after training; then by list. */
  epochs: Record<string, Detail>[];
}

export interface Stage {
  seed: number;
  /** Names the training among those of a run. */
  name: string;
  trainer: Trainer;
  /** What is trained on. */
  examples: EncodedSet['examples'];
  order: Order;
  /** What is measured, by the name under which the log has it. */
  watched: Readonly<Record<string, EncodedSet>>;
  /** Said while it runs; default the stage's name. */
  label?: string;
  /** One of a sweep's many trainings, of which nothing is kept. */
  isOfSweep?: boolean;
}

/** Counts what a run has done, for its progress. */
export class WorkCounter {
  #done = 0;
  readonly #context: ExperimentContext;

  constructor(context: ExperimentContext) {
    this.#context = context;
  }

  advance(message: string, units = 1): void {
    this.#done += units;
    this.#context.progress(this.#done, message);
  }
}

/** Given orders leave nothing to chance, so one seed is all there is to run. */
export function seedsOf(spec: ExperimentSpec): number[] {
  const seeds = spec.seeds as number[];
  return spec.orders === undefined ? seeds : seeds.slice(0, 1);
}

/** Things to do one after the other, each with trainings of its own: what one kept on disk is removed before the next. */
export async function* oneByOne<T>({ scratch }: Pick<ExperimentContext, 'scratch'>, things: readonly T[]): AsyncGenerator<T> {
  for (const thing of things) {
    yield thing;
    scratch?.clear();
  }
}

/** What one finetuning on `items` items for every seed is: steps in all, epochs and seeds. Errors: `BadOrder` for given batches that do not fit. */
export function finetuningWork(
  spec: ExperimentSpec,
  items: number,
): { steps: number; batchSize: number; epochs: number; seeds: number } {
  const order = spec.orders as Order | undefined;
  if (order !== undefined) {
    if (!Array.isArray(order))
      throw new HopscopeError(
        'BadOrder',
        'orders: batches by name are for experiments of several trainings; give one list of epochs.',
      );
    checkOrder(order, items);
  }
  const epochs = order?.length ?? (spec.epochs as number);
  const batchSize = spec.batch_size as number;
  const seeds = seedsOf(spec).length;
  const steps = order ? order.flat().length : Math.ceil(items / batchSize) * epochs;
  return { steps: steps * seeds, batchSize, epochs, seeds };
}

/**
 * What trains where only `free` is left free: that, or where the spec trains low-rank adapters, those of them that lie in it.
 * Errors: `BadTrainable`, also where none does.
 */
export function trainableWithin(
  { trainable }: ExperimentSpec,
  { parameters }: Pick<Model, 'parameters'>,
  free: Trainable,
): Trainable {
  return loraWithin(parameters, trainable as Trainable, trainableNames(parameters, free)) ?? free;
}

/** A fresh trainer with the spec's settings on the given weights; `free`: what is left free in place of all that the spec trains. */
export function trainerOn(
  { executor, spec, model, scratch }: ExperimentContext,
  weights: Weights,
  free?: Trainable,
): Promise<Trainer> {
  const settings = {
    ...defaultTraining,
    trainable: free ? trainableWithin(spec, model, free) : (spec.trainable as Trainable),
    learningRate: spec.lr as number,
  };
  // What an earlier training of a large model held is there no longer than it must be
  if (executor.mode === 'blocks') reclaimMemories();
  return Trainer.create(executor, weights, settings, scratch?.next());
}

/** Measures one list and emits the row. */
export async function measureAndEmit(
  context: ExperimentContext,
  weights: Weights,
  set: EncodedSet,
  row: Pick<EvaluationRow, 'seed' | 'stage' | 'epoch'>,
): Promise<Detail> {
  await context.turn();
  const measured = await measure(context.executor, weights, set);
  context.emit({ kind: 'evaluation', row: { ...row, set: set.items.set, ...measured } });
  return {
    mean_rank: measured.meanRank,
    ranks: measured.items.map(({ rank }) => rank),
    min_margin: Math.min(...measured.items.map((item) => margin(item, set.items))),
    loss: measured.loss,
  };
}

/** Measures several lists under one set of weights and emits their rows. */
export async function measureLists(
  context: ExperimentContext,
  weights: Weights,
  lists: Readonly<Record<string, EncodedSet>>,
  row: Pick<EvaluationRow, 'seed' | 'stage' | 'epoch'>,
): Promise<Record<string, Detail>> {
  const details: Record<string, Detail> = {};
  for (const [key, set] of Object.entries(lists)) details[key] = await measureAndEmit(context, weights, set, row);
  return details;
}

export async function runStage(context: ExperimentContext, counter: WorkCounter, stage: Stage): Promise<StageLog> {
  const { seed, name, trainer, examples, order, watched, label = name, isOfSweep = false } = stage;
  const log: StageLog = { batch_losses: [], epochs: [] };
  const at = (epoch: number) =>
    `${label}, seed ${seed}, ${epoch < order.length ? `epoch ${epoch + 1} of ${order.length}` : 'done'}`;
  await finetune(trainer, examples, order, {
    signal: context.signal,
    async onEpoch(epoch) {
      log.epochs.push(await measureLists(context, trainer.weights, watched, { seed, stage: name, epoch }));
      counter.advance(at(epoch));
    },
    async onStep({ epoch, step, loss, seconds }) {
      context.emit({ kind: 'step', row: { seed, stage: name, epoch, step, loss, seconds } });
      log.batch_losses[epoch] = [...(log.batch_losses[epoch] ?? []), loss];
      counter.advance(at(epoch));
      await context.turn();
    },
  });
  // Moments are done with; the weights stay readable
  await trainer.state.settle();
  if (!isOfSweep) await context.kept?.keep({ seed, stage: name, weights: trainer.weights });
  return log;
}

function margin({ item, logits }: ItemMeasurement, { answers }: ItemSet): number {
  const answer = answers[item]!;
  return Math.min(...logits.flatMap((logit, index) => (index === answer ? [] : [Math.abs(logit - logits[answer]!)])));
}
