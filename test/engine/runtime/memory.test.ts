/**
 * Arenas: alignment, limits, and kernels working on the pieces handed out.
 * What the kernels compute is tested in kernels.test.ts.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Arena, arenaLimit, arenaSize } from '../../../src-main/engine/runtime/memory.ts';
import { HopscopeError } from '../../../src-main/shared/errors.ts';

function codeOf(use: () => unknown): string {
  try {
    use();
  } catch (error) {
    if (error instanceof HopscopeError) return `${error.code} ${error.kind}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

// The suite may be run with the variable set; these tests set it themselves.
const around = process.env.HOPSCOPE_PLAIN_KERNELS ?? '0';
beforeEach(() => {
  process.env.HOPSCOPE_PLAIN_KERNELS = '0';
});
afterEach(() => {
  process.env.HOPSCOPE_PLAIN_KERNELS = around;
});

describe('Arena', () => {
  test('hands out aligned, zeroed, separate pieces', () => {
    const arena = new Arena(arenaSize(5 * 4) + arenaSize(3 * 2) + arenaSize(7 * 4));
    const floats = arena.floats(5);
    const words = arena.words16(3);
    const integers = arena.int32s(7);
    floats.fill(1);
    words.fill(2);
    integers.fill(3);
    expect([...floats, ...words, ...integers]).toEqual([...Array(5).fill(1), ...Array(3).fill(2), ...Array(7).fill(3)]);
    expect([floats, words, integers].map((view) => arena.address(view) % 64)).toEqual([0, 0, 0]);
    expect(arena.used).toBe(64 * 3);
    expect(arena.capacity).toBe(65536);
  });

  test('names the sizes when a piece does not fit or the arena is too large', () => {
    const arena = new Arena(65536);
    arena.floats(16000);
    expect(codeOf(() => arena.floats(1000))).toMatch(/^OutOfMemory failure: 3.91 KiB do not fit: 62.5 KiB of the arena's 64 KiB/);
    expect(arena.floats(100).length).toBe(100);
    expect(codeOf(() => new Arena(arenaLimit + 1))).toMatch(/^OutOfMemory failure: An arena of 4 GiB is over the limit/);
    expect(codeOf(() => new Arena(Number.NaN))).toMatch(/^OutOfMemory/);
  });

  test('has addresses up to its end, also beyond 2 GiB', () => {
    const arena = new Arena(arenaLimit);
    arena.floats((arenaLimit - 65536) / 4);
    for (const plain of [false, true]) {
      if (plain) process.env.HOPSCOPE_PLAIN_KERNELS = '1';
      const { kernels } = plain ? new Arena(1) : arena;
      expect(kernels.form).toBe(plain ? 'plain' : 'simd');
    }
    const last = arena.floats(16384);
    expect(arena.used).toBe(arena.capacity);
    arena.kernels.fill(arena.address(last), 1.5, 16384);
    expect(last.every((value) => value === 1.5)).toBe(true);
    expect(arena.kernels.sumOfSquares(arena.address(last), 16384)).toBe(16384 * 2.25);
  });

  test('refuses the address of a view that lies elsewhere', () => {
    expect(() => new Arena(64).address(new Float32Array(4))).toThrow(TypeError);
  });
});
