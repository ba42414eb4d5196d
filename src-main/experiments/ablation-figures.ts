/**
 * What an ablation run shows: effects of the top components against random ones, maps of single components, and predicted against measured
 * effects. The numbers come from the seeds' results; nothing is measured here.
 */
import { nameOf } from '../engine/execution/interventions.ts';
import { estimate, mean } from '../scores/statistics.ts';
import type { Estimate, Figure, LinesFigure, ScatterFigure } from '../shared/figures.ts';
import { type ChosenInList, chosenTable } from './ablation-chosen.ts';
import type { ListAblation } from './ablation-measure.ts';
import { type ListName, listNames, settingsOf } from './ablation-settings.ts';
import { headNote, howReplaced, replacementIn } from './ablation-words.ts';
import { type Calibration, calibrate, meanEffects } from './calibration.ts';
import type { ExperimentContext } from './experiment.ts';
import { chanceOf, rankAxis } from './figures.ts';

const kinds = ['mlp', 'heads'] as const;
type Kind = (typeof kinds)[number];

/** One list over all seeds. Estimates of `top` are over seeds, those of `random` over seeds and draws. */
interface ListSummary {
  /** Of the accumulation prompt. */
  tokens: string[];
  /** Where components were chosen. */
  chosen?: ChosenInList;
  loss: Estimate;
  mean_rank: Estimate;
  loss_old: Estimate;
  mean_rank_old: Estimate;
  everything: { effect: Estimate; mean_rank: Estimate };
  sets: Record<'top' | 'random', { k: number; effect: Estimate; mean_rank: Estimate }[]>;
  maps: Record<Kind, { measured: number[][]; predicted: number[][] }>;
  calibration: Record<Kind, Calibration>;
}

export interface AblationResults {
  lists: Record<ListName, ListSummary>;
  seeds: { seed: number; lists: Record<ListName, ListAblation> }[];
}

/** `shown`: what is known of each list without measuring it. */
export function summarize(
  seeds: AblationResults['seeds'],
  shown: Record<ListName, Pick<ListSummary, 'tokens' | 'chosen'>>,
): AblationResults {
  const lists = Object.fromEntries(
    listNames.map((list) => [
      list,
      summaryOf(
        seeds.map((seed) => seed.lists[list]),
        shown[list],
      ),
    ]),
  );
  return { lists: lists as AblationResults['lists'], seeds };
}

function summaryOf(seeds: readonly ListAblation[], shown: Pick<ListSummary, 'tokens' | 'chosen'>): ListSummary {
  const over = (of: (seed: ListAblation) => number) => estimate(seeds.map(of));
  const sets = (key: 'top' | 'random') =>
    seeds[0]!.top.map(({ k }) => {
      const members = seeds.flatMap((seed) => seed[key].filter((each) => each.k === k));
      return {
        k,
        effect: estimate(members.map(({ effect }) => effect)),
        mean_rank: estimate(members.map(({ mean_rank }) => mean_rank)),
      };
    });
  const ofKinds = <T>(make: (kind: Kind) => T) => Object.fromEntries(kinds.map((kind) => [kind, make(kind)])) as Record<Kind, T>;
  return {
    ...shown,
    loss: over(({ loss }) => loss),
    mean_rank: over(({ mean_rank }) => mean_rank),
    loss_old: over(({ loss_old }) => loss_old),
    mean_rank_old: over(({ mean_rank_old }) => mean_rank_old),
    everything: {
      effect: over(({ everything }) => everything.effect),
      mean_rank: over(({ everything }) => everything.mean_rank),
    },
    sets: { top: sets('top'), random: sets('random') },
    maps: ofKinds((kind) => ({
      measured: meanMap(seeds.map(({ maps }) => maps[kind].measured)),
      predicted: meanMap(seeds.map(({ maps }) => maps[kind].predicted)),
    })),
    calibration: ofKinds((kind) => calibrate(seeds.flatMap(({ effects }) => effects[kind]))),
  };
}

const meanMap = (maps: readonly number[][][]): number[][] =>
  maps[0]!.map((row, layer) => row.map((_, column) => mean(maps.map((map) => map[layer]![column]!))));

const titles: Record<ListName, string> = { test: 'Implications', train: 'Facts' };

export function ablationFigures(results: AblationResults, context: ExperimentContext): Figure[] {
  const shown = ['test', 'train'] as const;
  // Of chosen components a list may have none
  const replaced = shown.filter((list) => results.lists[list].sets.top.length > 0);
  return [
    ...replaced.map((list) => effectLines(results.lists[list], list, context)),
    ...replaced.map((list) => rankLines(results.lists[list], list, context)),
    ...chosenTable(results.lists),
    ...shown.map((list) => tokenMap(results.lists[list], list, context)),
    headMap(results, context),
    ...shown.map((list) => predictions(results, list, context)),
    calibrationTable(results),
  ];
}

function setLines(
  { sets, chosen, mean_rank }: ListSummary,
  value: 'effect' | 'mean_rank',
  { spec }: ExperimentContext,
): Pick<LinesFigure, 'kind' | 'x' | 'series' | 'noun'> {
  const { control, by } = settingsOf(spec);
  const number = chosen ? 'ones' : 'k';
  const labels = {
    top: chosen ? 'the first k chosen' : `top k by ${by} ${by === 'single' || by === 'predicted' ? 'effect' : 'score'}`,
    random: `random ${number}${control === 'same-kind' ? ', as many MLPs and heads' : ''}`,
  };
  // One point is no line: the model as it was trained is where it comes from
  const isLone = sets.top.length === 1;
  const nothing = value === 'mean_rank' ? mean_rank : estimate(mean_rank.values.map(() => 0));
  return {
    kind: 'lines',
    // Of the random ones, each is a seed's draw
    noun: 'value',
    x: { label: chosen ? 'k: chosen components replaced' : 'k: components x tokens replaced', kind: 'number' },
    series: (['top', 'random'] as const).map((key) => ({
      label: labels[key],
      x: [...(isLone ? [0] : []), ...sets[key].map(({ k }) => k)],
      y: [...(isLone ? [nothing] : []), ...sets[key].map((each) => each[value])],
    })),
  };
}

function effectLines(summary: ListSummary, list: ListName, context: ExperimentContext): Figure {
  return {
    ...setLines(summary, 'effect', context),
    id: `effect-${list}`,
    title: `${titles[list]}: change of L when k components are replaced`,
    caption: `${howReplaced(context, summary.chosen)} L is the mean logit of the options less the right answer’s, so an increase means that the answer loses. ${summary.chosen ? 'Components that matter lift' : 'A score that finds the components that matter lifts'} the top line above the random one, which is the mean over ${settingsOf(context.spec).draws} draws per seed.`,
    y: { label: 'Change of L', kind: 'score' },
    references: [
      { label: 'every component replaced', value: summary.everything.effect.mean },
      { label: 'the model before finetuning', value: summary.loss_old.mean - summary.loss.mean },
    ],
  };
}

function rankLines(summary: ListSummary, list: ListName, context: ExperimentContext): Figure {
  return {
    ...setLines(summary, 'mean_rank', context),
    id: `rank-${list}`,
    title: `${titles[list]}: mean rank when k components are replaced`,
    caption: `${howReplaced(context, summary.chosen)} Mean rank of the right answer among ${context.sets[list]!.items.candidates.length} options; without a replacement it is ${summary.mean_rank.mean.toFixed(2)}, in the model before finetuning ${summary.mean_rank_old.mean.toFixed(2)}.`,
    y: rankAxis,
    references: [
      { label: 'chance', value: chanceOf(context.sets[list]!) },
      { label: 'nothing replaced', value: summary.mean_rank.mean },
    ],
  };
}

const layerNames = (map: readonly number[][]) => map.map((_, layer) => `${layer}`);

function tokenMap({ maps: { mlp }, tokens }: ListSummary, list: ListName, context: ExperimentContext): Figure {
  return {
    id: `map-mlp-${list}`,
    kind: 'map',
    title: `${titles[list]}: effect of each MLP at each token`,
    caption: `Change of L when one MLP’s output at one token is replaced by ${replacementIn(context)}; mean over prompts and seeds; positive where the answer depends on it. Tokens in braces differ between prompts. Predicted: gradient times the change of the value.`,
    rows: { label: 'Layer', names: layerNames(mlp.measured) },
    columns: { label: 'Token', names: tokens },
    panels: [
      { title: 'measured', values: mlp.measured },
      { title: 'predicted to first order', values: mlp.predicted },
    ],
  };
}

function headMap({ lists }: AblationResults, context: ExperimentContext): Figure {
  const { measured } = lists.test.maps.heads;
  return {
    id: 'map-heads',
    kind: 'map',
    title: 'Effect of each head',
    caption: `Change of L when one head’s output is replaced, at all tokens of the prompt at once, by ${replacementIn(context)}; mean over prompts and seeds.${headNote(context)}`,
    rows: { label: 'Layer', names: layerNames(measured) },
    columns: { label: 'Head', names: measured[0]!.map((_, head) => `${head}`) },
    panels: [
      { title: 'implications', values: measured },
      { title: 'facts', values: lists.train.maps.heads.measured },
    ],
  };
}

const kindLabels: Record<Kind, string> = { mlp: 'MLPs, one token', heads: 'heads, all tokens' };

function predictions({ lists, seeds }: AblationResults, list: ListName, context: ExperimentContext): ScatterFigure {
  const { tokens, calibration } = lists[list];
  const series = kinds.map((kind) => {
    const { predicted, measured } = meanEffects(seeds.flatMap((seed) => seed.lists[list].effects[kind]));
    const columns = lists[list].maps[kind].measured[0]!.length;
    const label = (index: number) => {
      const [layer, column] = [Math.floor(index / columns), index % columns];
      return kind === 'mlp' ? `${nameOf({ layer, head: null })} at ${tokens[column]}` : nameOf({ layer, head: column });
    };
    return {
      label: kindLabels[kind],
      points: predicted.map((x, index) => ({ x, y: measured[index]!, label: label(index) })),
    };
  });
  const slopes = kinds.map((kind) => {
    const { slope, intercept } = calibration[kind];
    return `${kindLabels[kind]}: measured = ${signed(intercept.value)} + ${signed(slope.value)} x predicted, slope [${signed(slope.low)}, ${signed(slope.high)}]`;
  });
  return {
    id: `predicted-${list}`,
    kind: 'scatter',
    title: `${titles[list]}: predicted against measured effects`,
    caption: `One point per component, mean over prompts and seeds; replaced by ${replacementIn(context)}. On the diagonal first order tells the whole effect. ${slopes.join('. ')}. Intervals: 95 %, prompts drawn again.`,
    x: { label: 'Predicted change of L', kind: 'score' },
    y: { label: 'Measured change of L', kind: 'score' },
    series,
    correlations: kinds.map((kind) => {
      const { value, low, high } = calibration[kind].r;
      return { r: value, low, high };
    }),
    fits: kinds.map((kind) => {
      const { slope, intercept } = calibration[kind];
      return Number.isFinite(slope.value) ? { slope: slope.value, intercept: intercept.value } : null;
    }),
    diagonal: true,
  };
}

function calibrationTable({ lists }: AblationResults): Figure {
  return {
    id: 'calibration',
    kind: 'table',
    title: 'Calibration of first-order predictions',
    caption:
      'The least-squares line of components’ measured on their predicted effects, and their correlation, with 95 % bootstrap intervals over prompts of all seeds. A slope below 1: effects are smaller than predicted.',
    columns: ['List', 'Components', 'Slope', 'Slope from', 'Slope to', 'Intercept', 'Correlation', 'from', 'to'],
    rows: listNames.toReversed().flatMap((list) =>
      kinds.map((kind) => {
        const { slope, intercept, r } = lists[list].calibration[kind];
        return [titles[list], kindLabels[kind], slope.value, slope.low, slope.high, intercept.value, r.value, r.low, r.high];
      }),
    ),
  };
}

const signed = (value: number): string => (Math.abs(value) < 0.005 ? '0.00' : value.toFixed(2).replace('-', '−'));
