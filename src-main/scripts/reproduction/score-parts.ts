/**
 * Parts of the reproduction about components and their origin: extractive scores, localization, emergence and ablation. There are no published
 * numbers for them here; what is looked for is the paper's hypothesis, or this project's own question.
 */
import type { Estimate } from '../../shared/figures.ts';
import { type Comparison, type Hop, hops, type Part, quantity } from './part.ts';

// Results as far as they are read here

interface ScoreResults {
  seeds: unknown[];
  by_layer: Record<string, Estimate[]>;
}

interface LocalizationResults {
  seeds: { correlation: Record<'mlp' | 'attn', number> }[];
}

interface EmergenceResults {
  checkpoints: { fact: Estimate; implication: Estimate }[];
}

interface AblationResults {
  lists: { test: { sets: Record<'top' | 'random', { k: number; effect: Estimate }[]> } };
}

/** Mean layer of a score, weighted by its positive part; of one seed. */
function centre(estimates: readonly Estimate[], seed: number): number {
  let [weighted, total] = [0, 0];
  for (const [layer, { values }] of estimates.entries()) {
    const positive = Math.max(0, values[seed]!);
    weighted += layer * positive;
    total += positive;
  }
  return weighted / total;
}

function scores({ dataset, name }: Hop): Part {
  return {
    title: `Extractive scores, ${name}`,
    spec: { experiment: 'extractive-scores', dataset },
    quantities(results) {
      const { by_layer, seeds } = results as ScoreResults;
      return (['mlp', 'attn'] as const).flatMap((component) => {
        const components = component === 'mlp' ? 'MLPs' : 'attention';
        const overSeeds = (of: (seed: number) => number) => seeds.map((_, seed) => of(seed));
        return [
          ...['informative', 'downstream'].map((kind) =>
            quantity(
              `mean layer of ${kind} ${components}, ${name}`,
              overSeeds((seed) => centre(by_layer[`${kind}.${component}`]!, seed)),
            ),
          ),
          // Upstream scores have both signs, so that a mean layer would say nothing
          quantity(
            `sum of upstream scores, ${components}, ${name}`,
            overSeeds((seed) => by_layer[`upstream.${component}`]!.reduce((sum, { values }) => sum + values[seed]!, 0)),
          ),
        ];
      });
    },
    comparisons: [
      {
        claim: 'downstream structures come after the MLPs that hold the fact',
        smaller: `mean layer of informative MLPs, ${name}`,
        larger: `mean layer of downstream MLPs, ${name}`,
        source: 'hypothesis',
      },
      ...(dataset === 'second-hop' ? [laterFacts] : []),
    ],
  };
}

const laterFacts: Comparison = {
  claim: 'second-hop facts are held later than first-hop facts',
  smaller: 'mean layer of informative MLPs, first hop',
  larger: 'mean layer of informative MLPs, second hop',
  source: 'hypothesis',
};

const localization: Part = {
  title: 'Localization',
  spec: { experiment: 'localization', dataset: 'daxwug' },
  quantities: (results) =>
    (['mlp', 'attn'] as const).map((component) =>
      quantity(
        `correlation of ${component === 'mlp' ? 'MLPs' : 'attention heads'}`,
        (results as LocalizationResults).seeds.map(({ correlation }) => correlation[component]),
      ),
    ),
  comparisons: ['MLPs', 'attention heads'].map((component) => ({
    claim: `what learning implications changed is what later facts use, ${component}`,
    smaller: '0',
    larger: `correlation of ${component}`,
    source: 'hypothesis',
  })),
};

function emergence({ dataset, name }: Hop): Part {
  return {
    title: `Emergence, ${name}`,
    spec: { experiment: 'emergence', dataset },
    quantities: (results) =>
      (results as EmergenceResults).checkpoints.flatMap(({ fact, implication }, index, checkpoints) => {
        const when = index === 0 ? 'first checkpoint' : index === checkpoints.length - 1 ? 'last checkpoint' : null;
        if (when === null) return [];
        return [quantity(`facts, ${when}`, fact.values), quantity(`implications, ${when}`, implication.values)];
      }),
    comparisons: [
      {
        claim: 'pretraining builds what implications need',
        smaller: 'implications, last checkpoint',
        larger: 'implications, first checkpoint',
        source: 'hypothesis',
      },
    ],
  };
}

/** How many components x tokens are replaced in the quoted numbers. */
const replaced = 8;

function ablation({ dataset, name }: Hop): Part {
  return {
    title: `Ablation, ${name}`,
    spec: { experiment: 'ablation', dataset },
    quantities: (results) =>
      (['top', 'random'] as const).map((set) =>
        quantity(
          `change of L, ${set} ${replaced}`,
          (results as AblationResults).lists.test.sets[set].find(({ k }) => k === replaced)!.effect.values,
        ),
      ),
    comparisons: [
      {
        claim: `the ${replaced} components with the highest downstream scores matter more than random ones`,
        smaller: `change of L, random ${replaced}`,
        larger: `change of L, top ${replaced}`,
        source: 'ours',
      },
    ],
  };
}

export const scoreParts: readonly Part[] = [...hops.map(scores), localization, ...hops.map(emergence), ...hops.map(ablation)];
