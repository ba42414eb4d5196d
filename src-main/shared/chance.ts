/**
 * What guessing gives: the mean rank of a random order of the options, and how it stands as levels in figures.
 * Which options a list has is its owner's to say.
 */
import type { Reference } from './figures.ts';

/** Mean rank of a random order of `candidates` options. */
export function chanceLevel(candidates: number): number {
  return (candidates - 1) / 2;
}

/** Chance as levels of a figure: one where it is the same for all lists, else one for each value with the lists that it is of. */
export function chanceReferences(lists: readonly { set: string; chance: number }[]): Reference[] {
  const levels = new Map<number, string[]>();
  for (const { set, chance } of lists) levels.set(chance, [...(levels.get(chance) ?? []), set]);
  return [...levels].map(([value, sets]) => ({ label: levels.size === 1 ? 'chance' : `chance, ${sets.join(', ')}`, value }));
}
