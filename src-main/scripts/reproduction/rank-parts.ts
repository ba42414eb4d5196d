/**
 * Parts of the reproduction about ranks: out-of-context reasoning, layer freezing, data ordering and weight grafting, beside the paper's numbers.
 * Ranks are mean ranks, 0 is best.
 */

import type { Estimate } from '../../shared/figures.ts';
import { publishedFreezingRanks, publishedGraftingRanks } from '../../shared/published.ts';
import { type Hop, hops, type Part, quantity } from './part.ts';

// Results as far as they are read here

interface OcrResults {
  epochs: { per_seed: { fact_rank: number; implication_rank: number }[] }[];
  chance: { facts: number; implications: number };
}

interface FreezingResults {
  summary: { when: string; frozen: string; fact_rank: Estimate; implication_rank: Estimate }[];
}

interface OrderingResults {
  summary: { ordering: 'joint' | 'left_first' | 'both_first'; both_rank_before: Estimate; both_rank: Estimate }[];
}

interface GraftingResults {
  summary: ({ weights: keyof typeof publishedGraftingRanks } & Record<'left_1' | 'both_1' | 'left_2' | 'both_2', Estimate>)[];
}

function ocr({ dataset, name }: Hop): Part {
  const published = publishedFreezingRanks[dataset]!;
  return {
    title: `Out-of-context reasoning, ${name}`,
    spec: { experiment: 'ocr', dataset },
    quantities(results) {
      const { epochs, chance } = results as OcrResults;
      return (['before', 'after'] as const).flatMap((when) => {
        const { per_seed } = when === 'before' ? epochs[0]! : epochs.at(-1)!;
        const [facts, implications] = published[when === 'before' ? 'after all' : 'after none']!;
        return [
          quantity(
            `facts ${when}`,
            per_seed.map(({ fact_rank }) => fact_rank),
            facts,
            chance.facts,
          ),
          quantity(
            `implications ${when}`,
            per_seed.map(({ implication_rank }) => implication_rank),
            implications,
            chance.implications,
          ),
        ];
      });
    },
    comparisons: [
      { claim: 'facts are learned', smaller: 'facts after', larger: 'facts before', source: 'paper' },
      {
        claim: 'implications follow, never trained on',
        smaller: 'implications after',
        larger: 'implications before',
        source: 'paper',
      },
    ],
  };
}

function freezing({ dataset, name }: Hop): Part {
  // What is frozen where the implications of this hop come out worse
  const [harmful, harmless] = dataset === 'first-hop' ? ['early', 'late'] : ['late', 'early'];
  return {
    title: `Layer freezing, ${name}`,
    spec: { experiment: 'layer-freezing', dataset },
    quantities: (results) =>
      (results as FreezingResults).summary.flatMap(({ when, frozen, fact_rank, implication_rank }) => {
        const label = frozen === 'none' ? 'nothing frozen' : frozen === 'all' ? 'all frozen' : `${frozen} frozen ${when}`;
        const [facts, implications] = publishedFreezingRanks[dataset]![`${when} ${frozen}`]!;
        return [
          quantity(`facts, ${label}`, fact_rank.values, facts),
          quantity(`implications, ${label}`, implication_rank.values, implications),
        ];
      }),
    comparisons: [
      ...(['after', 'during'] as const).map((when) => ({
        claim: `implications need the ${harmful} layers (${when === 'after' ? 'delta kept in part' : 'trained in part'})`,
        smaller: `implications, ${harmless} frozen ${when}`,
        larger: `implications, ${harmful} frozen ${when}`,
        source: 'paper' as const,
      })),
      {
        claim: 'facts are recalled from the early layers more than from the late ones',
        smaller: 'facts, late frozen after',
        larger: 'facts, early frozen after',
        source: 'paper',
      },
    ],
  };
}

const ordering: Part = {
  title: 'Data ordering',
  spec: { experiment: 'data-ordering', dataset: 'daxwug' },
  quantities: (results) =>
    (results as OrderingResults).summary.flatMap(({ ordering: order, both_rank_before, both_rank }) => {
      const name = { joint: 'joint', left_first: 'facts first', both_first: 'implications first' }[order];
      return [
        quantity(`implications before, ${name}`, both_rank_before.values),
        quantity(`implications, ${name}`, both_rank.values),
      ];
    }),
  comparisons: [
    {
      claim: 'facts with implications teach to generalize, implications first do not',
      smaller: 'implications, joint',
      larger: 'implications, implications first',
      source: 'hypothesis',
    },
    {
      claim: 'facts before implications teach to generalize, the other order does not',
      smaller: 'implications, facts first',
      larger: 'implications, implications first',
      source: 'hypothesis',
    },
  ],
};

const grafting: Part = {
  title: 'Weight grafting',
  spec: { experiment: 'weight-grafting', dataset: 'daxwug' },
  quantities: (results) =>
    (results as GraftingResults).summary.flatMap(({ weights, ...ranks }) => {
      const name = { left_2: 'facts 2 only', left_2_graft: 'graft', left_2_graft_bad: 'control' }[weights];
      return (['left_1', 'both_1', 'left_2', 'both_2'] as const).map((list, index) =>
        quantity(`${list}, ${name}`, ranks[list].values, publishedGraftingRanks[weights][index]),
      );
    }),
  comparisons: [
    {
      claim: 'the graft makes implications right that were never trained on',
      smaller: 'both_2, graft',
      larger: 'both_2, control',
      source: 'paper',
    },
    { claim: 'the same against no graft', smaller: 'both_2, graft', larger: 'both_2, facts 2 only', source: 'paper' },
    {
      claim: 'the control recites the implications it was trained on',
      smaller: 'both_1, control',
      larger: 'both_1, graft',
      source: 'paper',
    },
  ],
};

export const rankParts: readonly Part[] = [...hops.map(ocr), ...hops.map(freezing), ordering, grafting];
