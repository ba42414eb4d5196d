/**
 * Extractive scores (PAPER.md, experiment 2): after finetuning on the facts, which components hold them (informative), which bring an
 * implication's prompt to where they are recalled (upstream), which turn them into the answer (downstream). It changes no component itself.
 */
import { drawOrder, type Order } from '../engine/training/finetune.ts';
import { type CounterfactualChoice, counterfactualsOf } from '../scores/counterfactuals.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import type { Scores } from '../scores/extractive-scores.ts';
import type { FirstOrderCheck } from '../scores/first-order-check.ts';
import type { Estimate, Figure } from '../shared/figures.ts';
import type { Json } from '../shared/records.ts';
import type { Experiment } from './experiment.ts';
import { factLists, factsOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import { type CheckSummary, checkLines, checkScatter, headMaps, layerLines, tokenMaps } from './score-figures.ts';
import { layerEstimates, meanMap, type ScoreMap } from './score-maps.ts';
import {
  accumulationOf,
  accumulationParameter,
  counterfactualsParameter,
  observerOf,
  relativeGap,
  scoreAndEmit,
  scoringUnits,
} from './scoring.ts';
import { runStage, seedsOf, trainerOn, WorkCounter } from './stage.ts';
import { estimate } from './statistics.ts';

/** One seed's finetuning, and its scores averaged over the implications. */
interface SeedScores {
  seed: number;
  fact_rank: number;
  implication_rank: number;
  implication_rank_before: number;
  /** The first-order check of every item, and its distance as a share of the true change. */
  first_order: FirstOrderCheck;
  gap: number;
}

/** Layer sums are kept for these, by seed. */
const kinds = ['informative', 'upstream', 'downstream'] as const;
const components = ['mlp', 'attn'] as const;

interface ExtractiveResults {
  seeds: SeedScores[];
  fact_rank: Estimate;
  implication_rank: Estimate;
  accumulation: { prompt: string; answer: string; tokens: string[] };
  counterfactuals: number[][];
  /** Token strings of every implication's prompt and answer: the columns of its own stored scores. */
  item_tokens: string[][];
  /** Means over items and seeds, on the accumulation prompt's tokens. */
  average: Record<string, ScoreMap>;
  by_layer: Record<string, Estimate[]>;
  first_order: CheckSummary;
  gap: Estimate;
}

export const extractiveScoresExperiment: Experiment = {
  description: {
    id: 'extractive-scores',
    title: 'Extractive scores',
    question: 'Where in the model is a finetuned fact stored, what recalls it and what turns it into its implication?',
    explanation:
      'After finetuning on the facts, three scores are computed for every MLP and attention head at every token of the implications’ prompts. Informative components hold the new fact in their weights, upstream structures bring the prompt to a state that recalls it, and downstream structures turn the recalled fact into the answer. The scores are first-order; how far they predict the true change of the loss is measured and shown with them.',
    parameters: [...commonParameters, counterfactualsParameter, accumulationParameter],
  },

  datasetKind: 'facts',

  lists: factLists,

  work(spec, dataset) {
    const { train, test } = factsOf(dataset);
    counterfactualsOf(spec.counterfactuals as unknown as CounterfactualChoice, test);
    const order = spec.orders as Order | undefined;
    const epochs = order?.length ?? (spec.epochs as number);
    const batchSize = spec.batch_size as number;
    const seeds = seedsOf(spec).length;
    const steps = order ? order.flat().length : Math.ceil(train.length / batchSize) * epochs;
    return { steps: steps * seeds, batchSize, evaluations: (epochs + 1 + scoringUnits) * seeds };
  },

  async run(context) {
    const { spec, weights, model } = context;
    const { train, test } = context.sets as { train: EncodedSet; test: EncodedSet };
    const counterfactuals = counterfactualsOf(spec.counterfactuals as unknown as CounterfactualChoice, test.items.pairs);
    const accumulation = accumulationOf(model.tokenizer, spec.accumulation, test);
    const counter = new WorkCounter(context);
    const observer = observerOf(context);
    const seeds: SeedScores[] = [];
    const averages: Scores[] = [];
    try {
      for (const seed of seedsOf(spec)) {
        const trainer = trainerOn(context, weights);
        const order =
          (spec.orders as Order | undefined) ??
          drawOrder(train.examples.length, spec.batch_size as number, spec.epochs as number, seed);
        const { epochs } = await runStage(context, counter, {
          seed,
          name: 'finetune',
          label: 'Finetuning',
          trainer,
          examples: train.examples,
          order,
          watched: { train, test },
        });
        const { scores, check } = await scoreAndEmit(context, counter, {
          seed,
          stage: 'finetune',
          label: `seed ${seed}`,
          observer,
          old: weights,
          new: trainer.weights,
          set: test,
          counterfactuals,
          accumulation,
        });
        averages.push(scores.average);
        seeds.push({
          seed,
          fact_rank: epochs.at(-1)!.train!.mean_rank,
          implication_rank: epochs.at(-1)!.test!.mean_rank,
          implication_rank_before: epochs[0]!.test!.mean_rank,
          first_order: check,
          gap: relativeGap(check),
        });
      }
    } finally {
      observer.release();
    }
    const { prompt, answer, tokens } = accumulation;
    const results: ExtractiveResults = {
      seeds,
      fact_rank: estimate(seeds.map(({ fact_rank }) => fact_rank)),
      implication_rank: estimate(seeds.map(({ implication_rank }) => implication_rank)),
      accumulation: { prompt, answer, tokens },
      counterfactuals,
      item_tokens: test.examples.map(({ ids }) => model.tokenizer.tokens(ids)),
      average: Object.fromEntries(
        [...averages[0]!.keys()].map((name) => [name, meanMap(averages.map((average) => average.get(name)!))]),
      ),
      by_layer: Object.fromEntries(
        kinds.flatMap((kind) =>
          components.map((component) => {
            const maps = averages.map((average) => meanMap([average.get(`${kind}.${component}`)!]));
            return [`${kind}.${component}`, layerEstimates(maps, tokens.length)];
          }),
        ),
      ),
      first_order: summaryOf(seeds.map(({ first_order }) => first_order)),
      gap: estimate(seeds.map(({ gap }) => gap)),
    };
    return results as unknown as Json;
  },

  figures(given) {
    const results = given as unknown as ExtractiveResults;
    const { accumulation, gap } = results;
    const { tokens } = accumulation;
    const map = (name: string) => results.average[name]!;
    const three = (component: 'mlp' | 'attn') => [
      { title: 'Informative', map: map(`informative.${component}`) },
      { title: 'Upstream', map: map(`upstream.${component}`) },
      { title: 'Downstream', map: map(`downstream.${component}`) },
    ];
    const over = `Averaged over the implications’ prompts and the seeds, on the tokens of “${accumulation.prompt}”. Positive scores lower the loss L of the implication.`;
    const figures: Figure[] = [
      tokenMaps(
        {
          id: 'mlp',
          title: 'MLPs by layer and token',
          caption: `Where MLPs hold the new facts (informative), where they prepare recalling them (upstream) and where they turn them into the answer (downstream). ${over}`,
        },
        three('mlp'),
        tokens,
      ),
      tokenMaps(
        {
          id: 'attention',
          title: 'Attention by layer and token',
          caption: `The same for attention, summed over its heads. ${over}`,
        },
        three('attn'),
        tokens,
      ),
      headMaps(
        { id: 'heads', title: 'Attention heads', caption: `The same for every head, summed over the prompt’s tokens. ${over}` },
        three('attn'),
        tokens,
      ),
      ...components.map((component) =>
        layerLines(
          {
            id: `layers-${component}`,
            title: component === 'mlp' ? 'MLPs by layer' : 'Attention by layer',
            caption: 'Scores summed over the prompt’s tokens (and heads), with every seed’s own value.',
          },
          kinds.map((kind) => ({ label: kind, y: results.by_layer[`${kind}.${component}`]! })),
        ),
      ),
      {
        ...checkLines(results.first_order),
        caption: `${checkLines(results.first_order).caption} Here the mean distance of an item’s true change from its prediction is ${percent(gap)} of the true change.`,
      },
      checkScatter(
        [1, 0.25].map((scale) => ({
          label: scale === 1 ? 'all of the change' : 'a quarter of it',
          points: itemPoints(results, scale),
        })),
      ),
      tokenMaps(
        {
          id: 'downstream-rules',
          title: 'Downstream scores, strict and non-strict',
          caption: `The strict score counts only what a component passes on, with its old weights, of its changed inputs; the non-strict one counts the change of its own weights too. ${over}`,
        },
        [
          { title: 'MLP, strict', map: map('downstream.mlp') },
          { title: 'MLP, non-strict', map: map('downstream_nonstrict.mlp') },
          { title: 'Attention, strict', map: map('downstream.attn') },
          { title: 'Attention, non-strict', map: map('downstream_nonstrict.attn') },
        ],
        tokens,
      ),
      tokenMaps(
        {
          id: 'informative-as-published',
          title: 'Informative scores of MLPs, ours and as published',
          caption: `The published code counts the MLP’s last map twice and its first maps not at all; that sum is shown only to compare with published figures. ${over}`,
        },
        [
          { title: 'All maps of the MLP', map: map('informative.mlp') },
          { title: 'As published', map: map('informative.mlp_as_published') },
        ],
        tokens,
      ),
    ];
    return figures;
  },
};

function summaryOf(checks: readonly FirstOrderCheck[]): CheckSummary {
  const { scales } = checks[0]!;
  const over = (of: (entry: FirstOrderCheck['gap'][number]) => number) =>
    scales.map((_, index) => estimate(checks.map(({ gap }) => of(gap[index]!))));
  return {
    scales,
    change: over(({ change }) => change),
    predicted: over(({ maps }) => maps),
    predicted_by_all: over(({ all }) => all),
    distance: over(({ meanAbsoluteGap }) => meanAbsoluteGap),
  };
}

function itemPoints({ seeds }: ExtractiveResults, scale: number): { x: number; y: number; label: string }[] {
  return seeds.flatMap(({ seed, first_order: { scales, change, predictedByMaps } }) =>
    predictedByMaps.map((predicted, item) => ({
      x: scale * predicted,
      y: change[scales.indexOf(scale)]![item]!,
      label: `implication ${item + 1}, seed ${seed}`,
    })),
  );
}

const percent = ({ mean: share }: Estimate) => `${Math.round(100 * share)} %`;
