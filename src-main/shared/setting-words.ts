/**
 * Settings as people read them, the same in titles, captions and forms: seeds, small numbers, and which settings tell runs apart.
 * What a setting may be is parameter-values.ts's.
 */

/** Settings that change no measurement: how much memory is taken and what is kept beside the results. */
export const settingsWithoutEffect: readonly string[] = ['memory', 'keep', 'continuation_tokens'];

/** `seed 3`, `seeds 0 to 4`, `seeds 1, 5`. */
export function seedWords(seeds: readonly number[]): string {
  const run = seeds.every((seed, index) => index === 0 || seed === seeds[index - 1]! + 1);
  if (seeds.length === 1) return `seed ${seeds[0]}`;
  return `seeds ${run && seeds.length > 2 ? `${seeds[0]} to ${seeds.at(-1)}` : seeds.join(', ')}`;
}

/** Below this size numbers are powers of ten, as learning rates are in papers: 3e-4 and 1e-3 side by side. */
const smallNumber = 1e-2;

/** A number with all its digits. */
export function numberWords(value: number): string {
  return value !== 0 && Math.abs(value) < smallNumber ? value.toExponential() : String(value);
}
