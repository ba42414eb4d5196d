/**
 * Seeds as people read them, in titles and captions. It holds nothing else.
 */

/** `seed 3`, `seeds 0 to 4`, `seeds 1, 5`. */
export function seedWords(seeds: readonly number[]): string {
  const run = seeds.every((seed, index) => index === 0 || seed === seeds[index - 1]! + 1);
  if (seeds.length === 1) return `seed ${seeds[0]}`;
  return `seeds ${run && seeds.length > 2 ? `${seeds[0]} to ${seeds.at(-1)}` : seeds.join(', ')}`;
}
