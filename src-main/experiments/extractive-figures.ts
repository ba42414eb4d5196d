/**
 * The results of extractive scores and what is drawn of them: maps, sums by layer, and the first-order check.
 * How they come about is in extractive-scores.ts.
 */
import type { FirstOrderCheck } from '../scores/first-order-check.ts';
import type { Estimate, Figure } from '../shared/figures.ts';
import { type CheckSummary, checkLines, checkScatter, headMaps, layerLines, tokenMaps } from './score-figures.ts';
import type { ScoreMap } from './score-maps.ts';

/** One seed's finetuning, and its scores averaged over the implications. */
export interface SeedScores {
  seed: number;
  fact_rank: number;
  implication_rank: number;
  implication_rank_before: number;
  /** The first-order check of every item, and its distance as a share of the true change. */
  first_order: FirstOrderCheck;
  gap: number;
}

/** Layer sums are kept for these, by seed. */
export const kinds = ['informative', 'upstream', 'downstream'] as const;
export const components = ['mlp', 'attn'] as const;

/** The result object of extractive scores. */
export interface ExtractiveResults {
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

export function extractiveFigures(results: ExtractiveResults): Figure[] {
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
