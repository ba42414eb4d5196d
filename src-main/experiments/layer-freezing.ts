/**
 * Layer freezing (PAPER.md, experiment 3): which layers have to learn a fact for its implications to follow. Freezes early or late layers while
 * training, and, after training everything, keeps only part of what was learned.
 */

import { type ParameterList, type Trainable, trainableNames } from '../engine/models/parameters.ts';
import { drawOrder, type Order } from '../engine/training/finetune.ts';
import type { Weights } from '../engine/weights.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { estimate } from '../scores/statistics.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Estimate } from '../shared/figures.ts';
import { publishedFreezingRanks } from '../shared/published.ts';
import type { ExperimentSpec, Json } from '../shared/records.ts';
import { Continuations, continuationWork } from './continuations.ts';
import { deltaNorms, keptWeights } from './deltas.ts';
import type { Experiment, ExperimentContext } from './experiment.ts';
import { chancesOf, publishedNote, rankAxis } from './figures.ts';
import {
  freeSets,
  freeSetsFigure,
  freeSetsParameter,
  measureFreeSets,
  type SetResults,
  type SetSummary,
  summarizeSets,
} from './freeze-sets.ts';
import {
  measureTriangle,
  overSeeds,
  type SeedTriangle,
  type Triangle,
  triangleFigure,
  triangleParameters,
  triangleWork,
} from './freeze-triangle.ts';
import { factLists, factsOf } from './lists.ts';
import { commonParameters } from './parameters.ts';
import {
  type Detail,
  finetuningWork,
  measureLists,
  oneByOne,
  runStage,
  type StageLog,
  seedsOf,
  trainableWithin,
  trainerOn,
  WorkCounter,
} from './stage.ts';

/** What is frozen; the layers that are then free to change. */
const frozenParts = ['none', 'early', 'late', 'all'] as const;
type Frozen = (typeof frozenParts)[number];

interface SeedResult {
  seed: number;
  ocr: StageLog;
  during_training: Record<
    'early' | 'late',
    { log: StageLog; result: Record<string, Detail>; delta_norms: Record<string, number> }
  >;
  after_training: Record<Frozen, Record<string, Detail>>;
  delta_norms: Record<string, number>;
  /** Where they were asked for. */
  free_sets?: SetResults;
  triangle?: SeedTriangle;
}

export const layerFreezing: Experiment = {
  description: {
    id: 'layer-freezing',
    title: 'Layer freezing',
    question: 'Which layers must learn a fact so that its implications follow?',
    explanation:
      'The model is finetuned once with all layers free, once with the early and once with the late layers frozen. After the free training, only the early or only the late layers keep what they learned. If implications of first-hop facts need early layers and those of second-hop facts late ones, the fact is stored where the implication looks for it.',
    parameters: [
      ...commonParameters,
      {
        name: 'split',
        label: 'First late layer',
        help: 'Layers below it are early, the others late. Left out: three quarters of the depth, as the paper splits 32 layers at 24.',
        kind: 'integer',
        optional: true,
        minimum: 1,
      },
      freeSetsParameter,
      ...triangleParameters,
    ],
  },

  datasetKind: 'facts',

  lists: factLists,

  work(spec, dataset, model) {
    const { early, late } = freeLayers({ spec, model });
    const { steps, batchSize, epochs, seeds } = finetuningWork(spec, factsOf(dataset).train.length);
    const sets = freeSets(spec);
    // Adapters may lie in some layers only
    const single = spec.triangle === 'during' ? [...early, ...late].map((layer) => [layer]) : [];
    const free: Trainable[] = [early, late, ...single].map((layers) => ({ layers }));
    for (const set of [...free, ...sets.map(([, set]) => set)]) trainableWithin(spec, model, set);
    const triangle = triangleWork(spec, model.configuration.layers, steps / seeds, seeds);
    return {
      steps: (3 + sets.length) * steps + triangle.steps,
      batchSize,
      evaluations:
        ((3 + sets.length) * (epochs + 1) + frozenParts.length + sets.length) * seeds +
        triangle.evaluations +
        continuationWork(spec, seeds),
      trainedSets: 2,
      keptTrainings: 3 * seeds,
    };
  },

  async run(context) {
    const free = freeLayers(context);
    const counter = new WorkCounter(context);
    const continuations = new Continuations(context, counter);
    const perSeed: SeedResult[] = [];
    const seeds = seedsOf(context.spec);
    let triangleSeconds = context.spec.triangle_seconds as number;
    for await (const [index, seed] of oneByOne(context, [...seeds.entries()])) {
      // What a seed leaves of its share of the time goes to the next ones
      const { result, seconds } = await runSeed(
        context,
        counter,
        continuations,
        seed,
        free,
        triangleSeconds / (seeds.length - index),
      );
      triangleSeconds -= seconds;
      perSeed.push(result);
    }
    const { seed: _, triangle: __, ...first } = perSeed[0]!;
    const sets = perSeed.flatMap(({ free_sets }) => (free_sets ? [free_sets] : []));
    const triangles = perSeed.flatMap(({ triangle }) => triangle ?? []);
    const when = context.spec.triangle as Triangle['when'];
    return {
      free_layers: free,
      ...first,
      seeds: perSeed,
      summary: summary(perSeed),
      ...(sets.length > 0 ? { free_sets_summary: summarizeSets(sets) } : {}),
      ...(triangles.length > 0 ? { triangle: overSeeds(when, triangles) } : {}),
    } as unknown as Json;
  },

  figures(results, { sets, spec }) {
    const {
      summary: kept,
      seeds,
      free_layers: free,
      triangle,
      free_sets_summary: setRows,
    } = results as unknown as {
      summary: SummaryRow[];
      seeds: Pick<SeedResult, 'ocr'>[];
      free_layers: Record<Frozen, number[]>;
      triangle?: Triangle;
      free_sets_summary?: SetSummary[];
    };
    const whole = wholeTraining(seeds);
    // Trained embeddings and norms are in the end of the training and not in what its layers keep
    const isWholeKept = isSame(whole, kept[0]!);
    const rows = isWholeKept ? kept : [whole, ...kept];
    const label = (row: SummaryRow, index: number) => {
      const { when, frozen } = row;
      if (index === 0) return 'nothing frozen';
      return frozen === 'none'
        ? 'all layers kept'
        : frozen === 'all'
          ? 'everything frozen'
          : `${frozen} frozen ${when === 'after' ? 'after' : 'while'} training`;
    };
    const known = publishedFreezingRanks[spec.dataset as string];
    // Beside the training itself, the layers of it alone have no value in the paper, which trains nothing else
    const published = known && {
      of: (list: 0 | 1) =>
        rows.map((row) =>
          row.frozen === 'none' && row !== rows[0] ? null : (known[`${row.when} ${row.frozen}`]?.[list] ?? null),
        ),
    };
    const apart = isWholeKept
      ? ''
      : ' Embeddings and norms were trained too: “all layers kept” leaves them as they were before, which “nothing frozen” does not.';
    const late = free.early;
    return [
      {
        id: 'ranks',
        kind: 'bars',
        title: 'Final ranks by what was frozen',
        caption: `Mean rank after training, facts and implications. Late layers are ${late[0]} to ${late.at(-1)}. “After training” keeps only what the MLP and attention matrices of the free layers learned with nothing frozen.${apart}${known ? publishedNote(sets) : ''}`,
        y: rankAxis,
        groups: rows.map(label),
        series: [
          {
            label: 'facts',
            values: rows.map(({ fact_rank }) => fact_rank),
            ...(published ? { published: published.of(0) } : {}),
          },
          {
            label: 'implications',
            values: rows.map(({ implication_rank }) => implication_rank),
            ...(published ? { published: published.of(1) } : {}),
          },
        ],
        references: chancesOf(sets),
      },
      ...(setRows ? [freeSetsFigure(setRows, sets)] : []),
      ...(triangle ? [triangleFigure(triangle)] : []),
    ];
  },
};

interface SummaryRow {
  when: 'after' | 'during';
  frozen: Frozen;
  fact_rank: Estimate;
  implication_rank: Estimate;
}

/** Where the training that froze nothing ended, with all that it changed. */
function wholeTraining(seeds: readonly Pick<SeedResult, 'ocr'>[]): SummaryRow {
  const ends = seeds.map(({ ocr }) => ocr.epochs.at(-1)!);
  return {
    when: 'after',
    frozen: 'none',
    fact_rank: estimate(ends.map(({ train }) => train!.mean_rank)),
    implication_rank: estimate(ends.map(({ test }) => test!.mean_rank)),
  };
}

const isSame = (one: SummaryRow, other: SummaryRow): boolean =>
  one.fact_rank.mean === other.fact_rank.mean && one.implication_rank.mean === other.implication_rank.mean;

/** Errors: `SplitOutsideLayers`. */
function freeLayers({ spec, model }: Pick<ExperimentContext, 'spec' | 'model'>): Record<Frozen, number[]> {
  const { layers } = model.configuration;
  const split = splitOf(spec, layers);
  const all = Array.from({ length: layers }, (_, layer) => layer);
  return { none: all, early: all.slice(split), late: all.slice(0, split), all: [] };
}

export function splitOf(spec: ExperimentSpec, layers: number): number {
  const split = (spec.split as number | undefined) ?? Math.floor((3 * layers) / 4);
  if (split < 1 || split >= layers) {
    throw new HopscopeError(
      'SplitOutsideLayers',
      `split: ${split} leaves no early or no late layers; the model has layers 0 to ${layers - 1}, so choose 1 to ${layers - 1}.`,
    );
  }
  return split;
}

async function runSeed(
  context: ExperimentContext,
  counter: WorkCounter,
  continuations: Continuations,
  seed: number,
  free: Record<Frozen, number[]>,
  triangleSeconds: number,
): Promise<{ result: SeedResult; seconds: number }> {
  const { spec, weights, model } = context;
  const watched = context.sets as { train: EncodedSet; test: EncodedSet };
  const { examples } = watched.train;
  const order =
    (spec.orders as Order | undefined) ?? drawOrder(examples.length, spec.batch_size as number, spec.epochs as number, seed);

  const trainer = await trainerOn(context, weights);
  const ocr = await runStage(context, counter, { seed, name: 'nothing frozen', trainer, examples, order, watched });
  await continuations.emit({ seed, stage: 'nothing frozen' }, trainer.weights, [watched.train, watched.test]);
  const delta = trainer.delta();

  const during = {} as SeedResult['during_training'];
  for (const frozen of ['early', 'late'] as const) {
    const part = await trainerOn(context, weights, { layers: free[frozen] });
    const log = await runStage(context, counter, {
      seed,
      name: `${frozen} layers frozen`,
      trainer: part,
      examples,
      order,
      watched,
    });
    during[frozen] = { log, result: log.epochs.at(-1)!, delta_norms: await deltaNorms(part.delta()) };
    await part.state.remove();
  }

  const after = {} as SeedResult['after_training'];
  for (const frozen of frozenParts) {
    const kept = keptLayers(weights, trainer.weights, model.parameters, free[frozen]);
    const stage = `only free layers kept: ${frozen} frozen`;
    after[frozen] = await measureLists(context, kept, watched, { seed, stage, epoch: order.length });
    counter.advance(`seed ${seed}, ${frozen} frozen after training`);
  }
  const result: SeedResult = { seed, ocr, during_training: during, after_training: after, delta_norms: await deltaNorms(delta) };
  if (freeSets(spec).length > 0) {
    result.free_sets = await measureFreeSets(context, counter, { seed, order, trained: trainer.weights });
  }
  if (spec.triangle === 'no') return { result, seconds: 0 };
  const started = performance.now();
  result.triangle = await measureTriangle(context, counter, {
    seed,
    when: spec.triangle as Triangle['when'],
    order,
    seconds: triangleSeconds,
    kept: (layers) => keptLayers(weights, trainer.weights, model.parameters, layers),
  });
  return { result, seconds: (performance.now() - started) / 1000 };
}

/** The base with the trained MLP and attention matrices of these layers in place of its own. */
function keptLayers(base: Weights, trained: Weights, parameters: ParameterList, layers: readonly number[]): Weights {
  return keptWeights(base, trained, layers.length === 0 ? new Set() : trainableNames(parameters, { layers: [...layers] }));
}

/** Final mean ranks by what was frozen and when, over seeds. */
function summary(perSeed: readonly SeedResult[]): Json {
  const rows = [
    ...frozenParts.map((frozen) => ({ when: 'after', frozen, of: (result: SeedResult) => result.after_training[frozen] })),
    ...(['early', 'late'] as const).map((frozen) => ({
      when: 'during',
      frozen,
      of: (result: SeedResult) => result.during_training[frozen].result,
    })),
  ];
  return rows.map(({ when, frozen, of }) => ({
    when,
    frozen,
    fact_rank: estimate(perSeed.map((result) => of(result).train!.mean_rank)),
    implication_rank: estimate(perSeed.map((result) => of(result).test!.mean_rank)),
  })) as unknown as Json;
}
