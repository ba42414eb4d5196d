/**
 * One run of extractive scores made of random numbers for heavy-project.ts: every component of a deep model over every token, by item and averaged,
 * with the results and figures that such a run has. Nothing in it was measured.
 */
import { storeEmissions } from '../../src-main/database/measurements.ts';
import type { Database } from '../../src-main/database/open.ts';
import { createRun, markEnded, markRunning } from '../../src-main/database/runs.ts';
import { components, type ExtractiveResults, extractiveFigures, kinds } from '../../src-main/experiments/extractive-figures.ts';
import { layerEstimates, type ScoreMap } from '../../src-main/experiments/score-maps.ts';
import { checkedScales, type FirstOrderCheck } from '../../src-main/scores/first-order-check.ts';
import { titleOf } from '../../src-main/service/title.ts';
import type { Random } from '../../src-main/shared/random.ts';
import type { Emission, ExperimentSpec, Json, ScoreRow } from '../../src-main/shared/records.ts';
import { estimate } from '../../src-main/shared/statistics.ts';
import { heavyOwner, randomProvenance, randomSets, runName, trainingEmissions } from './heavy-runs.ts';

/** As many as the published 7 to 9 billion parameter models have, about. */
export const depth = { layers: 32, heads: 32, tokens: 20 } as const;
const seeds = [0, 1];
const scoredKinds = [...kinds, 'downstream_nonstrict'] as const;

/** Stores the run and returns its name. `model`: its folder. */
export function storeRandomScores(
  database: Database,
  { project, model, created, random }: { project: number; model: string; created: Date; random: Random },
): string {
  const spec: ExperimentSpec = {
    experiment: 'extractive-scores',
    model,
    dataset: 'first-hop',
    lr: 3e-6,
    epochs: 4,
    batch_size: 8,
    seeds,
    trainable: 'all',
  };
  const run = runName(created, 9999);
  const sets = randomSets(random);
  const items = sets[1]!.pairs.length;
  createRun(database, {
    run,
    owner: heavyOwner,
    project,
    experiment: spec.experiment,
    spec,
    ...titleOf(spec),
    created: created.toISOString(),
  });
  markRunning(database, run, created.toISOString());
  const average = randomMaps(random);
  storeEmissions(
    database,
    run,
    [
      { kind: 'provenance', provenance: randomProvenance(model) },
      ...sets.map((set): Emission => ({ kind: 'items', items: set })),
      ...trainingEmissions(spec, ['finetune'], sets, random),
    ],
    60,
  );
  for (const seed of seeds) {
    for (let point = -1; point < items; point++) {
      const maps = point < 0 ? average : randomMaps(random);
      const rows = Object.entries(maps).map(
        ([name, { shape, values }]): ScoreRow => ({ seed, stage: 'finetune', set: 'implications', point, name, shape, values }),
      );
      storeEmissions(database, run, [{ kind: 'scores', rows }], 60);
    }
  }
  const results = randomResults(average, items, random);
  storeEmissions(database, run, [{ kind: 'figures', figures: extractiveFigures(results) }], 60);
  markEnded(database, run, {
    state: 'finished',
    finished: new Date(created.getTime() + 60_000).toISOString(),
    seconds: 60,
    error: null,
    results: results as unknown as Json,
  });
  return run;
}

/** Mostly near 0 with a few large ones, as scores are. */
function randomMaps(random: Random): { [name: string]: ScoreMap } {
  const { layers, heads, tokens } = depth;
  const map = (shape: number[]): ScoreMap => ({
    shape,
    values: Array.from({ length: shape.reduce((product, size) => product * size) }, () =>
      Math.fround((0.01 * random.normal() ** 3) / (shape.length === 3 ? heads ** 0.5 : 1)),
    ),
  });
  return Object.fromEntries([
    ...scoredKinds.flatMap((kind) =>
      components.map((component) => [
        `${kind}.${component}`,
        map(component === 'mlp' ? [layers, tokens] : [layers, heads, tokens]),
      ]),
    ),
    ['informative.mlp_as_published', map([layers, tokens])],
  ]);
}

function randomResults(average: { [name: string]: ScoreMap }, items: number, random: Random): ExtractiveResults {
  const tokens = Array.from({ length: depth.tokens }, (_, token) => `token${token + 1}`);
  const rank = () => 7 * random.next();
  const checks = seeds.map(() => randomCheck(items, random));
  const over = (of: (entry: FirstOrderCheck['gap'][number]) => number) =>
    checkedScales.map((_, index) => estimate(checks.map(({ gap }) => of(gap[index]!))));
  return {
    seeds: seeds.map((seed, place) => ({
      seed,
      fact_rank: rank(),
      implication_rank: rank(),
      implication_rank_before: rank(),
      first_order: checks[place]!,
      gap: random.next(),
    })),
    fact_rank: estimate(seeds.map(rank)),
    implication_rank: estimate(seeds.map(rank)),
    accumulation: { prompt: tokens.join(' '), answer: 'option1', tokens },
    counterfactuals: Array.from({ length: items }, (_, item) => [(item + 1) % items]),
    item_tokens: Array.from({ length: items }, () => [...tokens, 'option1']),
    average,
    by_layer: Object.fromEntries(
      kinds.flatMap((kind) =>
        components.map((component) => {
          const name = `${kind}.${component}`;
          return [
            name,
            layerEstimates(
              seeds.map(() => average[name]!),
              depth.tokens,
            ),
          ];
        }),
      ),
    ),
    first_order: {
      scales: [...checkedScales],
      change: over(({ change }) => change),
      predicted: over(({ maps }) => maps),
      predicted_by_all: over(({ all }) => all),
      distance: over(({ meanAbsoluteGap }) => meanAbsoluteGap),
    },
    gap: estimate(seeds.map(() => random.next())),
  };
}

function randomCheck(items: number, random: Random): FirstOrderCheck {
  const predicted = () => Array.from({ length: items }, () => -3 * random.next());
  return {
    scales: [...checkedScales],
    change: checkedScales.map((scale) => Array.from({ length: items }, () => -2 * scale * random.next())),
    predictedByMaps: predicted(),
    predictedByAll: predicted(),
    gap: checkedScales.map((scale) => ({
      scale,
      change: -scale,
      maps: -scale * random.next(),
      all: -scale * random.next(),
      meanAbsoluteGap: scale * random.next(),
    })),
  };
}
