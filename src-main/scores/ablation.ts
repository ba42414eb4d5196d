/**
 * Ablation and patching of any components at any tokens: what each intervention does to L and to the rank of the right answer, what first-order
 * scores predict of it, and the orders in which components are taken out. How values are replaced in a run is the engine's matter.
 */

import { checkComponent, type Edit, type Interventions, nameOf, type Site } from '../engine/execution/interventions.ts';
import type { ModelOutline } from '../engine/execution/programs.ts';
import { padTokens } from '../engine/training/batch.ts';
import type { Weights } from '../engine/weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';
import type { EncodedSet } from './evaluation.ts';
import type { Scores } from './extractive-scores.ts';
import { logitLoss, rankOf } from './rank.ts';
import { type PromptReading, type PromptValues, valueAt } from './replacements.ts';

/** Sites of one item whose values give way, all at once, to those of `replacement`. */
export interface InterventionSet {
  item: number;
  sites: readonly Site[];
  /** Of the item's own length; only its values at `sites` are used. */
  replacement: PromptValues;
}

/** L and rank with an intervention in place. */
export interface Outcome {
  loss: number;
  rank: number;
}

interface MeasureRequest {
  interventions: Interventions;
  weights: Weights;
  set: EncodedSet;
  sets: readonly InterventionSet[];
  /** Interventions that run together; the outcomes do not depend on it. */
  perPass?: number;
  /** Called after every pass with the number of interventions it measured. */
  progress?: (measured: number) => void;
  signal?: AbortSignal | undefined;
}

/** Tokens of a pass unless said otherwise: enough to keep a matrix product busy, few enough to stay in the caches. */
const tokensPerPass = 1024;

/**
 * Runs every intervention as a row of a batch, many per pass, and one program for all of them.
 * Errors: `EmptyIntervention`, `ComponentOutsideModel`, `TokenOutsidePrompt`, and those of the engine.
 */
export async function measureInterventions(request: MeasureRequest): Promise<Outcome[]> {
  const { interventions, weights, set, sets } = request;
  const { candidates, answers } = set.items;
  for (const each of sets) check(interventions.outline, set, each);
  const positions = Math.max(...sets.map(({ item }) => set.examples[item]!.questionEnd + 1));
  const perPass = Math.min(request.perPass ?? Math.max(1, Math.floor(tokensPerPass / positions)), sets.length);
  const outcomes: Outcome[] = [];
  for (let start = 0; start < sets.length; start += perPass) {
    const members = sets.slice(start, start + perPass);
    // The last pass is filled up with prompts that nothing is done to, so that it uses the same program
    const prompts = Array.from({ length: perPass }, (_, index) => (members[index] ?? members[0]!).item);
    const tokens = prompts.map((item) => {
      const { ids, questionEnd } = set.examples[item]!;
      return [...ids.slice(0, questionEnd + 1), ...new Array<number>(positions - questionEnd - 1).fill(0)];
    });
    const rows = prompts.map((item, index) => index * positions + set.examples[item]!.questionEnd);
    const edits = members.flatMap(({ sites, replacement }, item) =>
      sites.map((site): Edit => ({ ...site, item, value: valueAt(interventions.outline, replacement, site) })),
    );
    const { data } = await interventions.logits(weights, { batch: padTokens(tokens), rows, candidates }, edits);
    members.forEach(({ item }, index) => {
      const logits = data.subarray(index * candidates.length, (index + 1) * candidates.length);
      const answer = candidates[answers[item]!]!;
      outcomes.push({ loss: logitLoss(answer, candidates, logits), rank: rankOf(answer, candidates, logits) });
    });
    request.progress?.(members.length);
    request.signal?.throwIfAborted();
  }
  return outcomes;
}

function check(outline: ModelOutline, set: EncodedSet, { item, sites }: InterventionSet): void {
  if (sites.length === 0) {
    throw new HopscopeError('EmptyIntervention', `The intervention on item ${item} names no component; name at least one.`);
  }
  const tokens = set.examples[item]!.questionEnd + 1;
  for (const site of sites) {
    checkComponent(outline, site);
    if (Number.isInteger(site.token) && site.token >= 0 && site.token < tokens) continue;
    throw new HopscopeError(
      'TokenOutsidePrompt',
      `${nameOf(site)} at token ${site.token}: the prompt ${JSON.stringify(set.items.pairs[item]![0])} has tokens 0 to ${tokens - 1}.`,
    );
  }
}

/** The change of L that an intervention has to first order: the sum over its sites of dL/dvalue . (replacement - value). */
export function predictedEffect(
  outline: ModelOutline,
  { values, gradients }: PromptReading,
  { sites, replacement }: Omit<InterventionSet, 'item'>,
): number {
  let sum = 0;
  for (const site of sites) {
    const gradient = valueAt(outline, gradients, site);
    const value = valueAt(outline, values, site);
    const other = valueAt(outline, replacement, site);
    for (let index = 0; index < gradient.length; index++) sum += gradient[index]! * (other[index]! - value[index]!);
  }
  return sum;
}

/** Every component at every of so many tokens, layer by layer, MLPs before heads. */
export function allSites({ configuration: { layers, heads } }: ModelOutline, tokens: number): Site[] {
  const units = Array.from({ length: layers }, (_, layer) =>
    [null, ...new Array(heads).keys()].map((head) => ({ layer, head })),
  ).flat();
  return units.flatMap((unit) => Array.from({ length: tokens }, (_, token) => ({ ...unit, token })));
}

/** Sites of an accumulation prompt at the tokens of an item that stand for its own; what falls together counts once. */
export function alignedSites(sites: readonly Site[], alignment: readonly number[]): Site[] {
  const moved = sites.map((site) => ({ ...site, token: alignment[site.token]! }));
  return [...new Map(moved.map((site) => [`${site.layer} ${site.head} ${site.token}`, site])).values()];
}

/** Sites by falling score, equal ones in the order given. */
export function ordered(sites: readonly Site[], scoreOf: (site: Site) => number): Site[] {
  const scored = sites.map((site, index) => ({ site, index, score: scoreOf(site) }));
  return scored.sort((a, b) => b.score - a.score || a.index - b.index).map(({ site }) => site);
}

/** A site's score in maps `NAME.mlp` [layers, tokens] and `NAME.attn` [layers, heads, tokens]. */
export function scoreIn(scores: Scores, name: string): (site: Site) => number {
  const [mlp, attention] = [scores.get(`${name}.mlp`)!, scores.get(`${name}.attn`)!];
  const [, heads, tokens] = attention.shape as [number, number, number];
  return ({ layer, head, token }) =>
    head === null ? mlp.data[layer * tokens + token]! : attention.data[(layer * heads + head) * tokens + token]!;
}

/** What a random order keeps of the one it is compared with. */
export type Control = 'same-kind' | 'any';

/**
 * The sites in random order, the same for the same seed. `same-kind`: wherever `order` has an MLP, so has the random order, and a head
 * likewise, because an MLP's output is a far larger change than one head's.
 */
export function randomOrder(order: readonly Site[], control: Control, seed: string): Site[] {
  const random = new Random(seed);
  if (control === 'any') return random.shuffle([...order]);
  const isMlp = ({ head }: Site) => head === null;
  const mlps = random.shuffle(order.filter(isMlp));
  const heads = random.shuffle(order.filter((site) => !isMlp(site)));
  return order.map((site) => (isMlp(site) ? mlps.pop()! : heads.pop()!));
}
