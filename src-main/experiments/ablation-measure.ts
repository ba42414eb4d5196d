/**
 * Ablates one list of prompts under one set of trained weights: every MLP at every token, every head, the top k of an order and random ones.
 * What the numbers are drawn as, and how they spread over seeds, is told elsewhere.
 */

import type { Interventions, Site } from '../engine/execution/interventions.ts';
import type { Observer } from '../engine/execution/observer.ts';
import type { Example } from '../engine/training/batch.ts';
import type { Weights } from '../engine/weights.ts';
import {
  alignedSites,
  allSites,
  type InterventionSet,
  measureInterventions,
  ordered,
  predictedEffect,
  randomOrder,
  scoreIn,
} from '../scores/ablation.ts';
import { align } from '../scores/alignment.ts';
import { counterfactualsOf } from '../scores/counterfactuals.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import { extractiveScores } from '../scores/extractive-scores.ts';
import {
  alignedValues,
  meanValues,
  type PromptReading,
  type PromptValues,
  readPrompts,
  zeroValues,
} from '../scores/replacements.ts';
import { mean } from '../scores/statistics.ts';
import { chosenFirst, sitesOf } from './ablation-chosen.ts';
import type { AblationSettings } from './ablation-settings.ts';
import type { PromptEffects } from './calibration.ts';

/** Means over the list's prompts. */
export interface SetOutcome {
  /** Sites replaced; of chosen components, how many of them. */
  k: number;
  /** Change of L. */
  effect: number;
  mean_rank: number;
}

export interface ListAblation {
  /** L and mean rank without an intervention, under the new and the old weights. */
  loss: number;
  mean_rank: number;
  loss_old: number;
  mean_rank_old: number;
  /** Every component at every token at once. */
  everything: SetOutcome;
  top: (SetOutcome & { items: { effect: number; rank: number }[] })[];
  random: (SetOutcome & { draw: number })[];
  /** The first components of the order, as far as the largest k; tokens are the accumulation prompt's. */
  order: Site[];
  /** Change of L by layer and token, by layer and head (at all tokens), measured and predicted to first order. */
  maps: Record<'mlp' | 'heads', { measured: number[][]; predicted: number[][] }>;
  /** The same by prompt, in the maps' order. */
  effects: Record<'mlp' | 'heads', PromptEffects[]>;
}

export interface ListRequest {
  observer: Observer;
  interventions: Interventions;
  old: Weights;
  new: Weights;
  set: EncodedSet;
  /** The prompt over whose tokens sites are counted; the items' tokens that stand for its own are meant. */
  reference: Example;
  settings: AblationSettings;
  seed: number;
  /** Called with the number of interventions measured since the last call. */
  progress(measured: number): void;
  signal: AbortSignal | undefined;
}

/** Interventions on one prompt: those of both maps, the top k with their controls, and everything at once. */
export function interventionsPerPrompt(settings: AblationSettings, layers: number, heads: number, tokens: number): number {
  const single = settings.by === 'single' ? layers * heads * tokens : 0;
  const sets = layers * tokens + layers * heads + single + settings.k.length * (1 + settings.draws) + 1;
  return sets * (settings.method === 'counterfactual' ? settings.counterfactuals : 1);
}

/** What each prompt's interventions did and what was predicted of them, [intervention][prompt], means over a prompt's replacements. */
interface Measured {
  effects: number[][];
  ranks: number[][];
  predicted: number[][];
}

/** A request with what all of its interventions share. */
interface Prepared extends ListRequest {
  readings: PromptReading[];
  /** By prompt; several where there are several counterfactuals. */
  replacements: PromptValues[][];
  /** By prompt, the tokens that stand for the accumulation prompt's. */
  alignments: number[][];
  /** Every component at every token of the accumulation prompt. */
  sites: Site[];
}

/** Sites of each prompt, by its index. */
type SitesOf = (item: number) => Site[];

export async function ablateList(request: ListRequest): Promise<ListAblation> {
  const { observer, set, reference, settings, seed, signal } = request;
  const { layers, heads } = observer.outline.configuration;
  const tokensOf = (item: number) => set.examples[item]!.questionEnd + 1;
  const readings = await readPrompts(observer, request.new, set, signal);
  const oldReadings = await readPrompts(observer, request.old, set, signal);
  const prepared: Prepared = {
    ...request,
    readings,
    replacements: replacementsOf(request, readings, oldReadings),
    alignments: set.examples.map((example) => align(reference, example)),
    sites: allSites(observer.outline, reference.questionEnd + 1),
  };
  const { sites } = prepared;
  const mlps = sites.filter(({ head }) => head === null);
  const units = Array.from({ length: layers * heads }, (_, index) => ({ layer: Math.floor(index / heads), head: index % heads }));
  const atAllTokens = units.map(
    (unit) => (item: number) => Array.from({ length: tokensOf(item) }, (_, token) => ({ ...unit, token })),
  );
  const ofMlps = await measureGroups(
    prepared,
    mlps.map((site) => atSites(prepared, [site])),
  );
  const ofHeads = await measureGroups(prepared, atAllTokens);

  const { components } = settings;
  const order = components
    ? chosenFirst(sites, sitesOf(components, heads))
    : ordered(sites, await scoresOf(prepared, mlps, ofMlps));
  // A chosen component may be several sites
  const sizes = settings.k.map((k) => (components ? sitesOf(components.slice(0, k), heads).length : k));
  const randoms = Array.from({ length: settings.draws }, (_, draw) =>
    randomOrder(order, settings.control, `ablation ${seed} ${set.items.set} ${draw}`),
  );
  const counts = [order, ...randoms].flatMap((each) => sizes.map((size) => atSites(prepared, each.slice(0, size))));
  const ofSets = await measureGroups(prepared, [...counts, (item) => allSites(observer.outline, tokensOf(item))]);
  const outcome = (index: number, k: number): SetOutcome => ({
    k,
    effect: mean(ofSets.effects[index]!),
    mean_rank: mean(ofSets.ranks[index]!),
  });
  return {
    loss: mean(readings.map(({ loss }) => loss)),
    mean_rank: mean(readings.map(({ rank }) => rank)),
    loss_old: mean(oldReadings.map(({ loss }) => loss)),
    mean_rank_old: mean(oldReadings.map(({ rank }) => rank)),
    everything: outcome(counts.length, sites.length),
    top: settings.k.map((k, index) => ({
      ...outcome(index, k),
      items: readings.map((_, item) => ({ effect: ofSets.effects[index]![item]!, rank: ofSets.ranks[index]![item]! })),
    })),
    random: randoms.flatMap((_, draw) =>
      settings.k.map((k, index) => ({ draw, ...outcome((draw + 1) * settings.k.length + index, k) })),
    ),
    order: order.slice(0, Math.max(0, ...sizes)),
    maps: { mlp: mapOf(ofMlps, reference.questionEnd + 1), heads: mapOf(ofHeads, heads) },
    effects: { mlp: byPrompt(ofMlps), heads: byPrompt(ofHeads) },
  };
}

const atSites =
  ({ alignments }: Prepared, sites: readonly Site[]): SitesOf =>
  (item) =>
    alignedSites(sites, alignments[item]!);

/** What takes the place of every prompt's values; several for several counterfactuals. */
function replacementsOf(
  { set, settings, seed }: ListRequest,
  readings: readonly PromptReading[],
  oldReadings: readonly PromptReading[],
): PromptValues[][] {
  const references = readings.map(({ values }, item) => ({ tokens: set.examples[item]!, values }));
  switch (settings.method) {
    case 'zero':
      return readings.map(({ values }) => [zeroValues(values)]);
    case 'mean':
      return set.examples.map((example) => [meanValues(example, references, settings.mean_over)]);
    case 'patch-old':
      return oldReadings.map(({ values }) => [values]);
    case 'counterfactual':
      return counterfactualsOf({ count: settings.counterfactuals, seed }, set.items.pairs).map((others, item) =>
        others.map((other) => alignedValues(set.examples[item]!, set.examples[other]!, readings[other]!.values)),
      );
  }
}

/** The score that components are ordered by: the higher, the more their loss should raise L. */
async function scoresOf(prepared: Prepared, mlps: readonly Site[], ofMlps: Measured): Promise<(site: Site) => number> {
  const { observer, set, settings, sites, readings, replacements } = prepared;
  if (settings.by === 'predicted') {
    const predicted = (site: Site, item: number) =>
      mean(
        replacements[item]!.map((replacement) =>
          predictedEffect(observer.outline, readings[item]!, { sites: atSites(prepared, [site])(item), replacement }),
        ),
      );
    return (site) => mean(readings.map((_, item) => predicted(site, item)));
  }
  if (settings.by === 'single') {
    const heads = sites.filter(({ head }) => head !== null);
    const ofHeads = await measureGroups(
      prepared,
      heads.map((site) => atSites(prepared, [site])),
    );
    const effects = [...ofMlps.effects, ...ofHeads.effects];
    const measured = new Map([...mlps, ...heads].map((site, index) => [site, mean(effects[index]!)]));
    return (site) => measured.get(site)!;
  }
  const { average } = await extractiveScores({
    observer,
    old: prepared.old,
    new: prepared.new,
    set,
    counterfactuals: counterfactualsOf('all', set.items.pairs),
    accumulation: prepared.reference,
    signal: prepared.signal,
  });
  return scoreIn(average, settings.by);
}

async function measureGroups(
  { observer, interventions, new: weights, set, progress, signal, readings, replacements }: Prepared,
  groups: readonly SitesOf[],
): Promise<Measured> {
  const sets = groups.flatMap((sitesOf) =>
    replacements.flatMap((ofItem, item) =>
      ofItem.map((replacement): InterventionSet => ({ item, sites: sitesOf(item), replacement })),
    ),
  );
  const outcomes = await measureInterventions({ interventions, weights, set, sets, progress, signal });
  let next = 0;
  const measured: Measured = { effects: [], ranks: [], predicted: [] };
  for (const _ of groups) {
    const rows = replacements.map((ofItem, item) => {
      const members = ofItem.map(() => ({ outcome: outcomes[next]!, set: sets[next++]! }));
      const reading = readings[item]!;
      return {
        effect: mean(members.map(({ outcome }) => outcome.loss)) - reading.loss,
        rank: mean(members.map(({ outcome }) => outcome.rank)),
        predicted: mean(members.map((member) => predictedEffect(observer.outline, reading, member.set))),
      };
    });
    measured.effects.push(rows.map(({ effect }) => effect));
    measured.ranks.push(rows.map(({ rank }) => rank));
    measured.predicted.push(rows.map(({ predicted }) => predicted));
  }
  return measured;
}

function mapOf({ effects, predicted }: Measured, columns: number): { measured: number[][]; predicted: number[][] } {
  const rows = (of: readonly number[][]) =>
    Array.from({ length: of.length / columns }, (_, row) => of.slice(row * columns, (row + 1) * columns).map(mean));
  return { measured: rows(effects), predicted: rows(predicted) };
}

function byPrompt({ effects, predicted }: Measured): PromptEffects[] {
  return effects[0]!.map((_, item) => ({
    predicted: predicted.map((ofSite) => ofSite[item]!),
    measured: effects.map((ofSite) => ofSite[item]!),
  }));
}
