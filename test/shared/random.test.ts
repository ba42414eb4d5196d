/**
 * The generator against published values, and its promises: no bias, forks, states that survive JSON.
 * It does not test statistical quality beyond gross errors.
 */
import { describe, expect, test } from 'vitest';
import { Random, splitMix64 } from '../../src-main/shared/random.ts';

describe('Random', () => {
  test('gives the published sequences of xoshiro128** and SplitMix64', () => {
    const random = Random.restore({ key: 'vector', words: [1, 2, 3, 4] });
    const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    expect(expected.map(() => random.bits())).toEqual(expected);
    expect(splitMix64(1234567n, 3)).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
  });

  test('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number | string) => Array.from({ length: 5 }, () => new Random(seed).next());
    expect(draw(3)).toEqual(draw(3));
    expect(new Set([1, 2, -1, 'a', '1'].map((seed) => new Random(seed).next())).size).toBe(5);
  });

  test('goes on from a state that went through JSON', () => {
    const random = new Random('state');
    for (let i = 0; i < 1000; i++) random.normal();
    const copy = Random.restore(JSON.parse(JSON.stringify(random.state())));
    for (let i = 0; i < 100; i++) expect(copy.next()).toBe(random.next());
    expect(copy.fork('x').next()).toBe(random.fork('x').next());
  });

  test('forks do not depend on what was drawn, and differ by label', () => {
    const drawn = new Random(5);
    drawn.next();
    expect(drawn.fork('a').next()).toBe(new Random(5).fork('a').next());
    expect(drawn.fork('a').next()).not.toBe(drawn.fork('b').next());
  });

  test('integer covers its range evenly', () => {
    const random = new Random(11);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70000; i++) counts[random.integer(7)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10000)).toBeLessThan(500);
    expect(random.integer(1)).toBe(0);
    expect(() => random.integer(0)).toThrow('limit');
    expect(() => new Random(0.5)).toThrow('whole number');
  });

  test('normal has mean 0 and deviation 1', () => {
    const random = new Random(13);
    const values = Array.from({ length: 40000 }, () => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
  });

  test('permutation and sample hold every element once', () => {
    const random = new Random(17);
    expect(random.permutation(50).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(new Set(random.sample(['a', 'b', 'c', 'd'], 3)).size).toBe(3);
  });
});
