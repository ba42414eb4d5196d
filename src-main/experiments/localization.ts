/**
 * Localization (PAPER.md, experiment 6): are the weights that changed by learning implications the downstream structures that later facts use?
 * Compares two maps of scores of one model, component by component; it changes no component itself.
 */
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import type { Estimate, Figure } from '../shared/figures.ts';
import type { Json, Pair } from '../shared/records.ts';
import { Continuations, continuationWork } from './continuations.ts';
import { dataOrdering, orderOf } from './data-ordering.ts';
import { testLists, trainLists } from './daxwug-lists.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { daxwugOf } from './lists.ts';
import { correlationOf, headMaps, tokenMaps } from './score-figures.ts';
import { cellsOf, meanMap, type ScoreMap } from './score-maps.ts';
import {
  type Accumulation,
  accumulationOf,
  accumulationParameter,
  observerOf,
  relativeGap,
  scoreAndEmit,
  scoringUnits,
  tokenTexts,
  warnOfGap,
} from './scoring.ts';
import { oneByOne, runStage, seedsOf, trainerOn, WorkCounter } from './stage.ts';

type Lists = Record<'left_1' | 'both_1' | 'left' | 'both' | 'scored', EncodedSet>;

const components = ['mlp', 'attn'] as const;
type ComponentKind = (typeof components)[number];

const componentNames: Record<ComponentKind, string> = { mlp: 'MLPs', attn: 'Attention heads' };

/** How many train-slice prompts the informative scores are averaged over, as in the paper. */
const scoredPrompts = 20;

interface Correlation {
  r: number;
  low: number;
  high: number;
}

interface LocalizationResults {
  seeds: {
    seed: number;
    /** Mean ranks of the later facts and their implications, before and after the last finetuning. */
    left_rank: number;
    both_rank: number;
    both_rank_before: number;
    correlation: Record<ComponentKind, number>;
    /** Mean distance of the true change of L from its first-order prediction, as a share of the true change, for both scorings. */
    gap: { informative: number; downstream: number };
  }[];
  both_rank: Estimate;
  /** Of the maps averaged over seeds, over components and tokens, with the interval from resampling those. */
  correlation: Record<ComponentKind, Correlation>;
  accumulation: { prompt: string; answer: string; tokens: string[] };
  /** Every item's tokens, by the list that scores are of. */
  item_tokens: Record<string, string[][]>;
  /** `informative.mlp`, `downstream.mlp`, `informative.attn`, `downstream.attn`: means over items and seeds. */
  maps: Record<string, ScoreMap>;
  gap: { informative: Estimate; downstream: Estimate };
}

/** One seed's two averaged maps of each kind. */
type SeedMaps = Record<string, ScoreMap>;

export const localization: Experiment = {
  description: {
    id: 'localization',
    title: 'Localization',
    question: 'Are the weights that change while implications are learned the downstream structures that later facts use?',
    explanation:
      'The model learns facts with nonce words, then their implications on top. The informative score of that second change says which components it is stored in. Then facts of new names are finetuned, and the downstream score says which components turn those into their implications. If both scores agree component by component, learning implications built the structure that later facts are extracted with.',
    parameters: [...dataOrdering.description.parameters, accumulationParameter],
  },

  datasetKind: 'daxwug',

  lists(dataset) {
    const { left_1, both_1 } = trainLists(dataset);
    return {
      left_1,
      both_1,
      ...testLists(dataset),
      scored: { ...both_1, set: 'both, scored', pairs: both_1.pairs.slice(0, scoredPrompts) },
    };
  },

  work(spec, dataset) {
    const { train_slice, test_slice } = daxwugOf(dataset);
    const batch = spec.batch_size as number;
    const epochs = spec.epochs as number;
    const seeds = seedsOf(spec).length;
    const perEpoch =
      2 * Math.ceil((train_slice[1] - train_slice[0]) / batch) + Math.ceil((test_slice[1] - test_slice[0]) / batch);
    return {
      steps: perEpoch * epochs * seeds,
      batchSize: batch,
      evaluations: (3 * (epochs + 1) + 2 * scoringUnits) * seeds + continuationWork(spec, seeds),
      trainedSets: 3,
      keptTrainings: 3 * seeds,
    };
  },

  async run(context) {
    const { spec, model } = context;
    const { both, scored } = context.sets as Lists;
    const accumulation = accumulationOf(model.tokenizer, spec.accumulation, both);
    const counter = new WorkCounter(context);
    const continuations = new Continuations(context, counter);
    const maps: SeedMaps[] = [];
    const seeds: LocalizationResults['seeds'] = [];
    for await (const seed of oneByOne(context, seedsOf(spec))) {
      const one = await runSeed(context, counter, continuations, seed, accumulation);
      maps.push(one.maps);
      const correlation = (kind: ComponentKind) => correlationOf(pointsOf(one.maps, kind, accumulation.tokens)).r;
      seeds.push({ seed, ...one.row, correlation: { mlp: correlation('mlp'), attn: correlation('attn') } });
    }
    const average = Object.fromEntries(
      Object.keys(maps[0]!).map((name) => [
        name,
        meanMap(maps.map((ofSeed) => ({ shape: ofSeed[name]!.shape, data: ofSeed[name]!.values }))),
      ]),
    );
    for (const [kind, what] of [
      ['informative', 'Scores of learning implications'],
      ['downstream', 'Scores of later facts'],
    ] as const) {
      warnOfGap(
        context,
        what,
        seeds.map(({ gap }) => gap[kind]),
      );
    }
    const { prompt, answer, tokens } = accumulation;
    const results: LocalizationResults = {
      seeds,
      both_rank: estimate(seeds.map(({ both_rank }) => both_rank)),
      correlation: {
        mlp: correlationOf(pointsOf(average, 'mlp', accumulation.tokens)),
        attn: correlationOf(pointsOf(average, 'attn', accumulation.tokens)),
      },
      accumulation: { prompt, answer, tokens },
      item_tokens: Object.fromEntries(
        [scored, both].map(({ items, examples }) => [items.set, examples.map(({ ids }) => tokenTexts(model.tokenizer, ids))]),
      ),
      maps: average,
      gap: {
        informative: estimate(seeds.map(({ gap }) => gap.informative)),
        downstream: estimate(seeds.map(({ gap }) => gap.downstream)),
      },
    };
    return results as unknown as Json;
  },

  figures(given) {
    const { maps, correlation, accumulation } = given as unknown as LocalizationResults;
    const { tokens, prompt } = accumulation;
    const panels = (kind: ComponentKind) => [
      { title: 'Informative: learning implications', map: maps[`informative.${kind}`]! },
      { title: 'Downstream: later facts', map: maps[`downstream.${kind}`]! },
    ];
    const over = `Averaged over prompts and seeds, on the tokens of “${prompt}”.`;
    const figures: Figure[] = [
      {
        id: 'agreement',
        kind: 'scatter',
        title: 'Where implications were learned, and what later facts use',
        caption:
          'One point per component and token: the informative score of the change made by learning implications, and the downstream score when later facts are finetuned. Correlations have 95 % intervals from resampling the points.',
        x: { label: 'Informative score of learning implications', kind: 'score' },
        y: { label: 'Downstream score of later facts', kind: 'score' },
        series: components.map((kind) => ({ label: componentNames[kind], points: pointsOf(maps, kind, tokens) })),
        correlations: components.map((kind) => correlation[kind]),
      },
      tokenMaps({ id: 'mlp', title: 'MLPs by layer and token', caption: `Both scores of MLPs. ${over}` }, panels('mlp'), tokens),
      tokenMaps(
        {
          id: 'attention',
          title: 'Attention by layer and token',
          caption: `Both scores of attention, summed over heads. ${over}`,
        },
        panels('attn'),
        tokens,
      ),
      headMaps(
        { id: 'heads', title: 'Attention heads', caption: `Both scores of every head, summed over tokens. ${over}` },
        panels('attn'),
        tokens,
      ),
    ];
    return figures;
  },
};

/** Base, then facts (dL), then implications on top (dLB): scored; then facts of new names: scored. */
async function runSeed(
  context: ExperimentContext,
  counter: WorkCounter,
  continuations: Continuations,
  seed: number,
  accumulation: Accumulation,
) {
  const { spec } = context;
  const { left_1, both_1, left, both, scored } = context.sets as Lists;
  const train = async (
    name: string,
    label: string,
    weights: ExperimentContext['weights'],
    set: EncodedSet,
    watched: Record<'left' | 'both', EncodedSet>,
  ) => {
    const trainer = await trainerOn(context, weights);
    const order = orderOf(spec, name, set.examples.length, seed);
    const log = await runStage(context, counter, { seed, name, label, trainer, examples: set.examples, order, watched });
    return { weights: trainer.weights, epochs: log.epochs };
  };
  const ofTrain = { left: left_1, both: both_1 };
  const facts = await train('left', 'training facts', context.weights, left_1, ofTrain);
  const implications = await train('left_both', 'training implications', facts.weights, both_1, ofTrain);
  const later = await train('finetune', 'finetuning later facts', implications.weights, left, { left, both });
  await continuations.emit({ seed, stage: 'finetune' }, later.weights, [left, both]);
  const observer = observerOf(context);
  try {
    const score = (kind: 'informative' | 'downstream', old: typeof facts, after: typeof facts, set: EncodedSet) =>
      scoreAndEmit(context, counter, {
        seed,
        stage: kind,
        label: `seed ${seed}, ${kind}`,
        observer,
        old: old.weights,
        new: after.weights,
        set,
        // Upstream scores are not looked at here, so that any other item will do
        counterfactuals: neighbours(set.items.pairs),
        accumulation,
        stored: (name) => name.startsWith(kind),
      });
    const informative = await score('informative', facts, implications, scored);
    const downstream = await score('downstream', implications, later, both);
    const maps: SeedMaps = {};
    for (const kind of components) {
      maps[`informative.${kind}`] = meanMap([informative.scores.average.get(`informative.${kind}`)!]);
      maps[`downstream.${kind}`] = meanMap([downstream.scores.average.get(`downstream.${kind}`)!]);
    }
    return {
      maps,
      row: {
        left_rank: later.epochs.at(-1)!.left!.mean_rank,
        both_rank: later.epochs.at(-1)!.both!.mean_rank,
        both_rank_before: later.epochs[0]!.both!.mean_rank,
        gap: { informative: relativeGap(informative.check), downstream: relativeGap(downstream.check) },
      },
    };
  } finally {
    observer.release();
  }
}

const neighbours = (pairs: readonly Pair[]): number[][] => pairs.map((_, item) => [(item + 1) % pairs.length]);

/** Every component at every token of the prompt: informative against downstream. */
function pointsOf(maps: SeedMaps, kind: ComponentKind, tokens: readonly string[]): { x: number; y: number; label: string }[] {
  const downstream = cellsOf(maps[`downstream.${kind}`]!, tokens.length);
  return cellsOf(maps[`informative.${kind}`]!, tokens.length).map(({ layer, head, token, value }, index) => ({
    x: value,
    y: downstream[index]!.value,
    label: `${head === null ? `MLP of layer ${layer}` : `head ${head} of layer ${layer}`} at “${tokens[token]}”`,
  }));
}
