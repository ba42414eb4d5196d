/** How long the rest of a run takes: nothing while it is a guess, then close to the truth, however slow the beginning was. */
import { describe, expect, test } from 'vitest';
import { TimeLeft } from '../../src-main/experiments/time-left.ts';

/** What is said after each unit of a run whose units end at these seconds. */
function said(ends: readonly number[]): (number | null)[] {
  const timeLeft = new TimeLeft(ends.length);
  return ends.map((elapsed, index) => timeLeft.after(index + 1, elapsed));
}

const evenly = (count: number, each: number, begin: number) => Array.from({ length: count }, (_, index) => begin + each * index);

describe('time left', () => {
  test('nothing is said before two seconds of work and three hundredths of it', () => {
    const quick = said(evenly(100, 0.1, 0.5));
    expect(quick.slice(0, 20).every((left) => left === null)).toBe(true);
    expect(quick[21]).toBeCloseTo(0.1 * 78, 6);
    const slow = said(evenly(1000, 0.5, 0));
    expect(slow.findIndex((left) => left !== null)).toBe(29);
  });

  test('of work that takes hours something is said after twenty seconds', () => {
    expect(said(evenly(10_000, 1, 0)).findIndex((left) => left !== null)).toBe(20);
  });

  test('a beginning that takes longer than all the rest is not taken for the rule', () => {
    // 5 seconds until the first measurement, then 200 units in 19 seconds
    for (const [index, left] of said(evenly(200, 0.1, 5)).entries())
      if (left !== null) expect(left).toBeCloseTo(0.1 * (199 - index), 6);
  });

  test('a sudden slow unit moves it by less than its share would', () => {
    const timeLeft = new TimeLeft(100);
    for (let unit = 1; unit <= 40; unit++) timeLeft.after(unit, 0.1 * unit);
    const before = timeLeft.after(41, 4.1)!;
    const after = timeLeft.after(42, 6.1)!;
    const plain = (6 / 41) * 58;
    expect(before).toBeCloseTo(5.9, 6);
    expect(after).toBeGreaterThan(before - 2);
    expect(after).toBeLessThan(plain);
  });

  test('it ends at nothing', () => {
    expect(said(evenly(100, 0.1, 0)).at(-1)).toBeCloseTo(0, 6);
  });
});
