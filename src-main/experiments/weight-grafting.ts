/**
 * Weight grafting (PAPER.md, experiment 5): is what the model learns from implications, after the facts, a structure that works for other facts?
 * The change learned from implications on top of known facts is added to a model with different facts, against a control.
 */

import { add, type Delta } from '../engine/files/weight-sets.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import type { Estimate } from '../shared/figures.ts';
import { publishedGraftingRanks } from '../shared/published.ts';
import type { Json } from '../shared/records.ts';
import { dataOrdering, orderOf } from './data-ordering.ts';
import { trainLists } from './daxwug-lists.ts';
import { deltaNorms } from './deltas.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { chancesOf, publishedNote, rankAxis } from './figures.ts';
import { daxwugOf } from './lists.ts';
import { type Detail, measureAndEmit, oneByOne, runStage, type StageLog, seedsOf, trainerOn, WorkCounter } from './stage.ts';

type Lists = Record<'left_1' | 'both_1' | 'left_2' | 'both_2', EncodedSet>;

const listKeys = ['left_1', 'both_1', 'left_2', 'both_2'] as const;

/** The trainings: what on, starting where, which two lists are watched, and what people call it. */
const trainings = [
  { name: 'left', on: 'left_1', after: null, watched: ['left_1', 'both_1'], label: 'facts' },
  {
    name: 'left_both',
    on: 'both_1',
    after: 'left',
    watched: ['left_1', 'both_1'],
    label: 'implications after facts (the graft)',
  },
  { name: 'left_2', on: 'left_2', after: null, watched: ['left_2', 'both_2'], label: 'other facts' },
  { name: 'both', on: 'both_1', after: null, watched: ['left_1', 'both_1'], label: 'implications alone (the control)' },
] as const;

/** What is evaluated: the checkpoint plus these changes. */
const grafts = {
  left_2: ['left_2'],
  left_2_graft: ['left_2', 'left_both'],
  left_2_graft_bad: ['left_2', 'both'],
} as const;

type Graft = keyof typeof grafts;

const graftLabels: Record<Graft, string> = {
  left_2: 'other facts only',
  left_2_graft: 'with the graft',
  left_2_graft_bad: 'with the control',
};

interface SeedResult {
  seed: number;
  training: Record<string, StageLog>;
  results: Record<string, { weights: string } & Record<string, Detail | string>>;
  delta_norms: Record<string, Record<string, number>>;
}

export const weightGrafting: Experiment = {
  description: {
    id: 'weight-grafting',
    title: 'Weight grafting',
    question: 'Can what was learned from implications be moved onto a model that knows other facts?',
    explanation:
      'Four trainings on names with nonce words: facts; implications on top of those facts (the graft: only the change of this second step); other facts; implications alone (the control). The graft is added to the model with the other facts. If its implications, which were never trained, come right, the graft is a structure that reads facts rather than a list of answers.',
    // What the model says of so many names after each training would take a good part of the time of all trainings
    parameters: dataOrdering.description.parameters
      .filter(({ name }) => name !== 'continuation_tokens')
      .map((parameter) =>
        parameter.name === 'dataset'
          ? {
              ...parameter,
              help: 'Names with nonce words for a city and an animal, in two assignments; only the train names are used, under both assignments.',
            }
          : parameter,
      ),
  },

  datasetKind: 'daxwug',

  lists: trainLists,

  work(spec, dataset) {
    const { train_slice } = daxwugOf(dataset);
    const batch = spec.batch_size as number;
    const epochs = spec.epochs as number;
    const seeds = seedsOf(spec).length;
    return {
      steps: trainings.length * Math.ceil((train_slice[1] - train_slice[0]) / batch) * epochs * seeds,
      batchSize: batch,
      evaluations: (2 * trainings.length * (epochs + 1) + 4 * Object.keys(grafts).length) * seeds,
      trainedSets: trainings.length,
      keptTrainings: trainings.length * seeds,
    };
  },

  async run(context) {
    const counter = new WorkCounter(context);
    const perSeed: SeedResult[] = [];
    for await (const seed of oneByOne(context, seedsOf(context.spec))) perSeed.push(await runSeed(context, counter, seed));
    const summary = Object.keys(grafts).map((graft) => ({
      weights: graft,
      ...Object.fromEntries(
        listKeys.map((key) => [key, estimate(perSeed.map(({ results }) => (results[graft]![key] as Detail).mean_rank))]),
      ),
    }));
    const { seed: _, ...first } = perSeed[0]!;
    return { ...first, seeds: perSeed, summary } as unknown as Json;
  },

  figures(results, { sets }) {
    const { summary } = results as unknown as { summary: ({ weights: Graft } & Record<(typeof listKeys)[number], Estimate>)[] };
    return [
      {
        id: 'ranks',
        kind: 'bars',
        title: 'Ranks with and without the graft',
        caption: `Mean rank of facts (left) and implications (both) of the first and the second assignment. The graft works if implications of the second assignment, never trained on, come right with it and not with the control.${publishedNote(sets)}`,
        y: rankAxis,
        groups: listKeys.map((key) => `${key.startsWith('left') ? 'facts' : 'implications'} ${key.slice(-1)}`),
        series: summary.map((row) => ({
          label: graftLabels[row.weights],
          values: listKeys.map((key) => row[key]),
          published: publishedGraftingRanks[row.weights],
        })),
        references: chancesOf(sets),
      },
    ];
  },
};

async function runSeed(context: ExperimentContext, counter: WorkCounter, seed: number): Promise<SeedResult> {
  const lists = context.sets as Lists;
  const training: Record<string, StageLog> = {};
  const changes: Record<string, Delta> = {};
  const norms: Record<string, Record<string, number>> = {};
  const ends: Record<string, Weights> = {};
  for (const { name, on, after, watched, label } of trainings) {
    const { examples } = lists[on];
    const trainer = await trainerOn(context, after === null ? context.weights : ends[after]!);
    const order = orderOf(context.spec, name, examples.length, seed);
    const [left, both] = [lists[watched[0]], lists[watched[1]]];
    training[name] = await runStage(context, counter, {
      seed,
      name: label,
      label: `training on ${label}`,
      trainer,
      examples,
      order,
      watched: { left, both },
    });
    // Counted from where this training began
    changes[name] = trainer.delta();
    norms[name] = await deltaNorms(changes[name]);
    ends[name] = trainer.weights;
  }
  const results: SeedResult['results'] = {};
  for (const [graft, parts] of Object.entries(grafts)) {
    // Every change but the first one of a graft was counted from other weights; here that is the point
    let { weights } = context;
    for (const [index, part] of parts.entries()) weights = await add(weights, changes[part]!, { onAnotherBase: index > 0 });
    const details: Record<string, Detail> = {};
    for (const key of listKeys) {
      details[key] = await measureAndEmit(context, weights, lists[key], { seed, stage: graftLabels[graft as Graft], epoch: 0 });
      counter.advance(`seed ${seed}, ${graftLabels[graft as Graft]}`);
    }
    results[graft] = { weights: ['checkpoint', ...parts.map((part) => `delta(${part})`)].join(' + '), ...details };
  }
  return { seed, training, results, delta_norms: norms };
}
