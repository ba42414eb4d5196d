/**
 * One component's stored scores put together for reading: every score by seed, its course over the prompt's tokens, and the items where it
 * scores highest. It takes what the host gave and computes sums and means only.
 */
import type { ComponentScores, ScoreListing } from '../../src-main/shared/contract-circuits.ts';
import type { Part } from './scores.ts';

/** Names stored of a part's components: its scores of every kind, and of MLPs the informative scores of their maps. */
export function namesOfPart(listings: readonly ScoreListing[], part: Part): string[] {
  const names = new Set(listings.flatMap((listing) => listing.names));
  const ofMaps = part === 'mlp' ? ['informative.ff_proj', 'informative.ff_out'] : [];
  return [...names].filter((name) => name.endsWith(`.${part}`) || ofMaps.includes(name));
}

export interface SeedValue {
  seed: number;
  value: number;
}

/** A score by its name for one item and token (null: added over all tokens), by seed in ascending order. */
export function bySeed(
  scores: readonly ComponentScores[],
  point: number,
  token: number | null,
): { name: string; mean: number; seeds: SeedValue[] }[] {
  const names = [...new Set(scores.map(({ name }) => name))];
  return names.flatMap((name) => {
    const seeds = scores
      .filter((entry) => entry.name === name && entry.point === point)
      .map(({ seed, values }) => ({ seed, value: token === null ? sum(values) : (values[token] ?? 0) }))
      .sort((a, b) => a.seed - b.seed);
    return seeds.length === 0 ? [] : [{ name, mean: sum(seeds.map(({ value }) => value)) / seeds.length, seeds }];
  });
}

/** A score's values by token for one item, of one seed or as the mean over seeds (null); empty where it is not stored. */
export function byToken(scores: readonly ComponentScores[], name: string, point: number, seed: number | null): number[] {
  const rows = scores.filter((entry) => entry.name === name && entry.point === point && (seed === null || entry.seed === seed));
  const [first] = rows;
  return first ? first.values.map((_, token) => sum(rows.map(({ values }) => values[token] ?? 0)) / rows.length) : [];
}

/** Items by a score added over their tokens, of one seed or as the mean over seeds, the highest first. */
export function topItems(
  scores: readonly ComponentScores[],
  name: string,
  seed: number | null,
  count: number,
): { point: number; value: number }[] {
  const items = new Map<number, number[]>();
  for (const entry of scores) {
    if (entry.name !== name || entry.point < 0 || (seed !== null && entry.seed !== seed)) continue;
    items.set(entry.point, [...(items.get(entry.point) ?? []), sum(entry.values)]);
  }
  return [...items]
    .map(([point, values]) => ({ point, value: sum(values) / values.length }))
    .sort((a, b) => b.value - a.value || a.point - b.point)
    .slice(0, count);
}

const words: Record<string, string> = {
  informative: 'Informative',
  upstream: 'Upstream',
  downstream: 'Downstream, strict',
  downstream_nonstrict: 'Downstream, non-strict',
};

/** A stored name as people read it. */
export function scoreTitle(name: string): string {
  const [kind = '', part = ''] = name.split('.');
  const title = words[kind] ?? name;
  if (part === 'ff_proj') return `${title}, its first maps`;
  return part === 'ff_out' ? `${title}, its last map` : title;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
