/**
 * Emergence: when, during pretraining, does a model become able to generalize new facts to their implications? The same finetuning is run from
 * every checkpoint. It goes beyond the paper, which had finished models only.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { worldOf } from '../datasets/builtin.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import { drawOrder } from '../engine/training/finetune.ts';
import type { Weights } from '../engine/weights.ts';
import { type CounterfactualChoice, counterfactualsOf } from '../scores/counterfactuals.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Estimate, Figure, LinesFigure } from '../shared/figures.ts';
import type { ExperimentSpec, Json } from '../shared/records.ts';
import { type CheckpointScores, checkpointScores, type ScoredCheckpoint, scoreFigures } from './emergence-scores.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { chanceOf, rankAxis } from './figures.ts';
import { factLists, factsOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import {
  accumulationOf,
  accumulationParameter,
  counterfactualsParameter,
  observerOf,
  relativeGap,
  scoreAndEmit,
  scoringUnits,
  warnOfGap,
} from './scoring.ts';
import { finetuningWork, measureAndEmit, oneByOne, runStage, trainerOn, WorkCounter } from './stage.ts';

interface CheckpointResult {
  checkpoint: string;
  /** The pretraining step its name tells, else its place in the list. */
  step: number;
  fact_before: number;
  implication_before: number;
  fact: Estimate;
  implication: Estimate;
  /** Of the first seed; absent where they were not asked for. */
  scores?: CheckpointScores;
}

interface EmergenceResults {
  checkpoints: CheckpointResult[];
  accumulation?: { prompt: string; answer: string; tokens: string[] };
}

export const emergence: Experiment = {
  description: {
    id: 'emergence',
    title: 'Emergence',
    question: 'When during pretraining does a model become able to draw implications from new facts?',
    explanation:
      'The same facts are finetuned starting from every checkpoint of a pretraining run. Facts can be learned from the first checkpoint on; implications follow only once pretraining has built the structures that they need, and first-hop and second-hop implications need not arrive together.',
    parameters: [
      // Every checkpoint's trainings begin at weights that are not the model's own
      ...commonParameters.filter(({ name }) => !['orders', 'keep', 'continuation_tokens'].includes(name)),
      {
        name: 'checkpoints',
        label: 'Checkpoints',
        help: 'Model folders in order of training, all of the model’s shape. Left out: the folders in the model’s own checkpoints folder, then the model itself.',
        kind: 'folders',
        optional: true,
      },
      {
        name: 'scores',
        label: 'Extractive scores',
        help: 'Also scores the first seed’s finetuning at every checkpoint, to date when upstream and downstream structures appear relative to the ranks.',
        kind: 'boolean',
        default: true,
      },
      counterfactualsParameter,
      accumulationParameter,
    ],
  },

  datasetKind: 'facts',

  lists: factLists,

  work(spec, dataset, model) {
    const checkpoints = checkpointsOf(spec, model).length;
    const { train, test } = factsOf(dataset);
    const { steps, batchSize, epochs, seeds } = finetuningWork(spec, train.length);
    if (spec.scores) counterfactualsOf(spec.counterfactuals as unknown as CounterfactualChoice, test);
    const evaluations = (epochs + 1) * seeds + 1 + (spec.scores ? scoringUnits : 0);
    return { steps: steps * checkpoints, batchSize, evaluations: evaluations * checkpoints };
  },

  async run(context) {
    const { spec, model } = context;
    const watched = context.sets as { train: EncodedSet; test: EncodedSet };
    const { examples } = watched.train;
    const counter = new WorkCounter(context);
    const scorer = spec.scores ? scorerOf(context, counter) : null;
    const checkpoints: CheckpointResult[] = [];
    try {
      for (const [place, folder] of checkpointsOf(spec, model).entries()) {
        const name = folder === model.folder ? 'model' : basename(folder);
        const weights = folder === model.folder ? context.weights : await weightsOf(folder, model);
        const seed0 = { seed: (spec.seeds as number[])[0]!, stage: `${name}, before`, epoch: 0 };
        const before = {
          train: await measureAndEmit(context, weights, watched.train, seed0),
          test: await measureAndEmit(context, weights, watched.test, seed0),
        };
        counter.advance(`${name}, before finetuning`);
        const ends = [];
        let scores: CheckpointScores | undefined;
        for await (const seed of oneByOne(context, spec.seeds as number[])) {
          const trainer = await trainerOn(context, weights);
          const order = drawOrder(examples.length, spec.batch_size as number, spec.epochs as number, seed);
          const log = await runStage(context, counter, {
            seed,
            name,
            label: `checkpoint ${name}`,
            trainer,
            examples,
            order,
            watched,
            isOfSweep: true,
          });
          ends.push(log.epochs.at(-1)!);
          if (scorer && ends.length === 1) scores = await scorer.score(name, seed, weights, trainer.weights);
        }
        checkpoints.push({
          checkpoint: name,
          step: stepOf(folder, model, place),
          fact_before: before.train.mean_rank,
          implication_before: before.test.mean_rank,
          fact: estimate(ends.map(({ train }) => train!.mean_rank)),
          implication: estimate(ends.map(({ test }) => test!.mean_rank)),
          ...(scores ? { scores } : {}),
        });
      }
    } finally {
      scorer?.release();
    }
    if (scorer) {
      warnOfGap(
        context,
        'Extractive scores, mean over the checkpoints',
        checkpoints.flatMap(({ scores }) => (scores ? [scores.gap] : [])),
      );
    }
    const results: EmergenceResults = { checkpoints, ...(scorer ? { accumulation: scorer.accumulation } : {}) };
    return results as unknown as Json;
  },

  figures(results, { sets, spec }) {
    const { checkpoints, accumulation } = results as unknown as EmergenceResults;
    const x = checkpoints.map(({ step }) => step);
    const figure = (id: 'fact' | 'implication', title: string, set: EncodedSet): LinesFigure => ({
      id,
      kind: 'lines',
      title,
      caption: `${title}: mean rank among ${set.items.candidates.length} options at each pretraining checkpoint, before and after finetuning on the facts.`,
      x: { label: 'Pretraining step', kind: 'number' },
      y: rankAxis,
      series: [
        { label: 'after finetuning', x, y: checkpoints.map((checkpoint) => checkpoint[id]) },
        { label: 'before', x, y: checkpoints.map((checkpoint) => estimate([checkpoint[`${id}_before`]])) },
      ],
      references: [{ label: 'chance', value: chanceOf(set) }],
    });
    const ranks: Figure[] = [figure('implication', 'Implications', sets.test!), figure('fact', 'Facts', sets.train!)];
    const scored = checkpoints.filter((checkpoint): checkpoint is CheckpointResult & ScoredCheckpoint => 'scores' in checkpoint);
    return accumulation
      ? [
          ...ranks,
          ...scoreFigures(scored, accumulation.tokens, { chance: chanceOf(sets.test!), seed: (spec.seeds as number[])[0]! }),
        ]
      : ranks;
  },
};

/** Scores finetunings of the run's model at any weights, and stores their averages. */
function scorerOf(context: ExperimentContext, counter: WorkCounter) {
  const { spec, model } = context;
  const test = context.sets.test!;
  const accumulation = accumulationOf(model.tokenizer, spec.accumulation, test);
  const counterfactuals = counterfactualsOf(spec.counterfactuals as unknown as CounterfactualChoice, test.items.pairs);
  const observer = observerOf(context);
  const { prompt, answer, tokens } = accumulation;
  return {
    accumulation: { prompt, answer, tokens },
    async score(checkpoint: string, seed: number, before: Weights, after: Weights): Promise<CheckpointScores> {
      const { scores, check } = await scoreAndEmit(context, counter, {
        seed,
        stage: checkpoint,
        label: `checkpoint ${checkpoint}`,
        observer,
        old: before,
        new: after,
        set: test,
        counterfactuals,
        accumulation,
        averageOnly: true,
      });
      return checkpointScores(scores.average, tokens.length, relativeGap(check));
    },
    release: () => observer.release(),
  };
}

/** Folders in order of training. Errors: `NoCheckpoints`. */
function checkpointsOf(spec: ExperimentSpec, model: Model): string[] {
  const given = spec.checkpoints as string[] | undefined;
  if (given) return given;
  const folder = join(model.folder, 'checkpoints');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'config.json'))) : [];
  if (names.length === 0) {
    throw new HopscopeError(
      'NoCheckpoints',
      `${model.folder} has no checkpoints folder; name the model folders to compare under checkpoints.`,
    );
  }
  return [...names.sort((a, b) => numberIn(a) - numberIn(b)).map((name) => join(folder, name)), model.folder];
}

/** The last number in a name, such as 500 of step-500. */
function numberIn(name: string): number {
  return Number(/(\d+)\D*$/.exec(name)?.[1] ?? Number.NaN);
}

function stepOf(folder: string, model: Model, place: number): number {
  const steps = folder === model.folder ? (worldOf(folder)?.steps ?? Number.NaN) : numberIn(basename(folder));
  return Number.isFinite(steps) ? steps : place;
}

/** Errors: `AnotherShape` when the checkpoint is not of the model's shape, and those of opening a model. */
async function weightsOf(folder: string, model: Model): Promise<Weights> {
  const checkpoint = await openModel(folder);
  try {
    const shapes = ({ parameters }: Model) => parameters.all.map(({ name, shape }) => `${name} ${shape}`).join();
    if (shapes(checkpoint) !== shapes(model)) {
      throw new HopscopeError(
        'AnotherShape',
        `${folder} does not have the parameters of ${model.folder}; checkpoints must be of one model.`,
      );
    }
    return loadWeights(checkpoint);
  } finally {
    checkpoint.checkpoint.close();
  }
}
