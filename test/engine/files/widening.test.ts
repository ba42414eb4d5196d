import { describe, expect, it } from 'vitest';
import { widenBfloat16, widenFloat16, widenPlainly } from '../../../src-main/engine/files/widening.ts';

const all = Uint16Array.from({ length: 65_536 }, (_, index) => index);

describe('widening', () => {
  it('widens every float16 as the formula says', () => {
    const target = new Float32Array(all.length);
    widenFloat16(all, target);
    for (const half of all) {
      const sign = half & 0x8000 ? -1 : 1;
      const exponent = (half >> 10) & 0x1f;
      const fraction = half & 0x3ff;
      const expected =
        exponent === 0
          ? sign * fraction * 2 ** -24
          : exponent < 31
            ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
            : fraction
              ? Number.NaN
              : sign * Number.POSITIVE_INFINITY;
      if (!Object.is(target[half], expected)) throw new Error(`${half}: ${target[half]} is not ${expected}`);
    }
  });

  it('widens every bfloat16 to the float32 with the same upper half', () => {
    const target = new Float32Array(all.length);
    widenBfloat16(all, target);
    const bits = new Uint32Array(target.buffer);
    for (const value of all) if (bits[value] !== value * 65_536) throw new Error(`${value}: ${bits[value]}`);
  });

  it('writes into a view and nowhere else', () => {
    const target = new Float32Array(4).fill(9);
    widenPlainly('bfloat16', Uint16Array.of(0x3f80, 0xc000), target.subarray(1, 3));
    expect([...target]).toEqual([9, 1, -2, 9]);
    widenPlainly('float16', Uint16Array.of(0x3c00, 0x8001), target.subarray(1, 3));
    expect([...target]).toEqual([9, 1, -(2 ** -24), 9]);
  });
});
