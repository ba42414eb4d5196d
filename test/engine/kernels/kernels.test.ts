/**
 * The SIMD kernels against their plain twin, bit for bit, and both against values that do not come from either.
 * It measures no speed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AdamStep, createKernels, type Kernels } from '../../../src-main/engine/kernels/kernels.ts';
import { createPlainKernels } from '../../../src-main/engine/kernels/plain.ts';

const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 1001];
const forms = ['simd', 'plain'] as const;

/** 256 KiB of memory with noise in it and one form of the kernels over it. */
function bench(form: 'simd' | 'plain', seed = 1): { memory: WebAssembly.Memory; kernels: Kernels; bytes: Uint8Array } {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4 });
  const floats = new Float32Array(memory.buffer);
  const random = mulberry(seed);
  for (let i = 0; i < floats.length; i++) floats[i] = (random() - 0.5) * 10 ** (random() * 8 - 4);
  const kernels = form === 'simd' ? createKernels(memory) : createPlainKernels(memory);
  return { memory, kernels, bytes: new Uint8Array(memory.buffer) };
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs `use` on both forms from the same bytes and expects the same bytes (and result) afterwards. */
function expectSame(use: (kernels: Kernels, memory: WebAssembly.Memory) => unknown): void {
  const [simd, plain] = forms.map((form) => {
    const { memory, kernels, bytes } = bench(form);
    return { result: use(kernels, memory), bytes };
  });
  expect(simd!.result).toEqual(plain!.result);
  expect(Buffer.compare(simd!.bytes, plain!.bytes)).toBe(0);
}

const step: AdamStep = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  correction1: 1 - 0.9 ** 3,
  correction2: 1 - 0.999 ** 3,
  decay: 0.1,
  gradientScale: 0.37,
};

describe('SIMD and plain give the same bits, at any length and at addresses off 16', () => {
  test.each(lengths)('%i elements', (count) => {
    for (const start of [0, 4, 12, 2052]) {
      expectSame((kernels, memory) => {
        const v = new Float32Array(memory.buffer, start + 16384, count);
        v.forEach((value, index) => {
          v[index] = Math.abs(value);
        });
        kernels.adam(start, start + 8192, start + 16384, start + 24576, count, step);
      });
      expectSame((kernels) => kernels.sumOfSquares(start, count));
      expectSame((kernels) => kernels.widenBfloat16(start + 2, start + 65536, count));
      expectSame((kernels) => kernels.narrowToBfloat16(start, start + 65536 + 2, count));
      expectSame((kernels) => kernels.narrowToFloat16(start, start + 65536 + 2, count));
      expectSame((kernels) => kernels.scaledAdd(start, start + 8192, -0.3, count));
      expectSame((kernels) => kernels.fill(start, 0.1, count));
      expectSame((kernels, memory) => {
        new Int32Array(memory.buffer, 131072, 5).set([3, 0, 3, 7, 1]);
        kernels.addRows(start, 65536 + start, 131072, 5, count);
      });
    }
  });
});

describe.each(forms)('%s', (form) => {
  test('touches nothing outside its ranges', () => {
    const uses: [name: string, written: [number, number][], use: (kernels: Kernels) => void][] = [
      [
        'adam',
        [
          [4100, 4],
          [8200, 4],
          [12300, 4],
        ],
        (kernels) => kernels.adam(4100, 8200, 12300, 16400, 7, step),
      ],
      ['widenBfloat16', [[4100, 4]], (kernels) => kernels.widenBfloat16(8200, 4100, 7)],
      ['widenFloat16', [[4100, 4]], (kernels) => kernels.widenFloat16(8200, 4100, 7)],
      ['narrowToBfloat16', [[4102, 2]], (kernels) => kernels.narrowToBfloat16(8200, 4102, 7)],
      ['narrowToFloat16', [[4102, 2]], (kernels) => kernels.narrowToFloat16(8200, 4102, 7)],
      ['scaledAdd', [[4100, 4]], (kernels) => kernels.scaledAdd(4100, 8200, 2, 7)],
      ['fill', [[4100, 4]], (kernels) => kernels.fill(4100, 3, 7)],
    ]; // prettier-ignore
    for (const [name, written, use] of uses) {
      const { bytes, kernels } = bench(form);
      const before = bytes.slice();
      use(kernels);
      const changed = [...bytes.keys()].filter((at) => bytes[at] !== before[at]);
      expect(changed.length, name).toBeGreaterThan(0);
      for (const at of changed) {
        expect(
          written.some(([start, size]) => at >= start && at < start + 7 * size),
          `${name} wrote byte ${at}`,
        ).toBe(true);
      }
    }
  });

  test('all 65536 bfloat16 patterns widen to the float32 with those upper bits, and narrow back', () => {
    const { memory, kernels } = bench(form);
    for (const offset of [0, 16384, 32768, 49152]) {
      const { source, wide, back } = patterns(memory, offset);
      kernels.widenBfloat16(0, 131072, 16384);
      kernels.narrowToBfloat16(131072, 196608, 16384);
      for (let i = 0; i < 16384; i++) {
        const bits = source[i]!;
        const narrowed = (bits & 0x7fff) > 0x7f80 ? bits | 0x40 : bits;
        if (wide[i] !== (bits << 16) >>> 0 || back[i] !== narrowed) expect.fail(`0x${bits.toString(16)}: ${wide[i]}, ${back[i]}`);
      }
    }
  });

  test('all 65536 float16 patterns widen to sign * 2^(e-15) * 1.f (subnormals 2^-14 * 0.f), and narrow back', () => {
    const { memory, kernels } = bench(form);
    for (const offset of [0, 16384, 32768, 49152]) {
      const { source, wide, back } = patterns(memory, offset);
      const values = new Float32Array(wide.buffer, wide.byteOffset, wide.length);
      kernels.widenFloat16(0, 131072, 16384);
      kernels.narrowToFloat16(131072, 196608, 16384);
      for (let i = 0; i < 16384; i++) {
        const bits = source[i]!;
        const expected = float16Value(bits);
        if (!Object.is(values[i], expected)) expect.fail(`0x${bits.toString(16)} became ${values[i]}, not ${expected}`);
        const narrowed = Number.isNaN(expected) ? (bits & 0x8000) | 0x7e00 : bits;
        if (back[i] !== narrowed) expect.fail(`0x${bits.toString(16)} came back as 0x${back[i]!.toString(16)}`);
      }
    }
  });

  test('narrowing rounds to nearest, ties to even', () => {
    const { memory, kernels } = bench(form);
    const floats = new Float32Array(memory.buffer, 0, 16);
    const halves = new Uint16Array(memory.buffer, 1024, 16);
    const cases16: [number, number][] = [
      [1 + 2 ** -11, 0x3c00], // halfway, even below
      [1 + 3 * 2 ** -11, 0x3c02], // halfway, even above
      [1 + 2 ** -11 + 2 ** -23, 0x3c01],
      [65519.996, 0x7bff],
      [65520, 0x7c00],
      [-1e30, 0xfc00],
      [2 ** -24, 0x0001],
      [2 ** -25, 0x0000], // halfway to the smallest subnormal, even is zero
      [2 ** -25 * 1.0001, 0x0001],
      [3 * 2 ** -25, 0x0002],
      [2 ** -14 - 2 ** -25, 0x0400], // halfway between the last subnormal and the first normal
      [-0, 0x8000],
      [2 ** -140, 0x0000],
      [Infinity, 0x7c00],
      [-Infinity, 0xfc00],
    ];
    floats.set(cases16.map(([value]) => value));
    kernels.narrowToFloat16(0, 1024, cases16.length);
    expect([...halves.subarray(0, cases16.length)]).toEqual(cases16.map(([, bits]) => bits));

    const casesBrain: [number, number][] = [
      [1 + 2 ** -8, 0x3f80],
      [1 + 3 * 2 ** -8, 0x3f82],
      [1 + 2 ** -8 + 2 ** -23, 0x3f81],
      [3.4028234663852886e38, 0x7f80], // the largest float32 rounds to infinity
      [-Infinity, 0xff80],
      [-0, 0x8000],
      [2 ** -149, 0x0000],
    ];
    floats.set(casesBrain.map(([value]) => value));
    kernels.narrowToBfloat16(0, 1024, casesBrain.length);
    expect([...halves.subarray(0, casesBrain.length)]).toEqual(casesBrain.map(([, bits]) => bits));
  });

  test('sumOfSquares accumulates in float64', () => {
    const { memory, kernels } = bench(form);
    const values = new Float32Array(memory.buffer, 0, 1003).fill(1);
    values[0] = 1e4; // in float32 1e8 + 1 is 1e8
    expect(kernels.sumOfSquares(0, 1003)).toBe(1e8 + 1002);
  });

  test('addRows adds repeated rows twice', () => {
    const { memory, kernels } = bench(form);
    const target = new Float32Array(memory.buffer, 0, 3 * 5).fill(1);
    const source = new Float32Array(memory.buffer, 1024, 3 * 5).map((_, index) => index);
    new Float32Array(memory.buffer, 1024, 15).set(source);
    new Int32Array(memory.buffer, 2048, 3).set([2, 0, 2]);
    kernels.addRows(0, 1024, 2048, 3, 5);
    expect([...target]).toEqual([6, 7, 8, 9, 10, 1, 1, 1, 1, 1, 11, 13, 15, 17, 19]);
  });

  test.each(adamCases())('Adam equals PyTorch: $name', ({ settings, maxNorm, weight, steps }) => {
    const { memory, kernels } = bench(form);
    const count = weight.length;
    const at = (index: number) => new Float32Array(memory.buffer, index * 4096, count);
    let before = { weight, m: weight.map(() => 0), v: weight.map(() => 0) };
    steps.forEach((expected, index) => {
      // Each step starts from PyTorch's own state, so that the allowance is that of one step.
      at(0).set(before.weight);
      at(1).set(before.m);
      at(2).set(before.v);
      at(3).set(expected.gradient);
      let gradientScale = 1;
      if (maxNorm !== null) {
        const norm = Math.sqrt(kernels.sumOfSquares(3 * 4096, count));
        expect(Math.abs(norm / expected.norm! - 1)).toBeLessThan(1e-6);
        gradientScale = Math.min(1, maxNorm / (norm + 1e-6));
      }
      kernels.adam(0, 4096, 2 * 4096, 3 * 4096, count, {
        learningRate: settings.lr,
        beta1: settings.betas[0],
        beta2: settings.betas[1],
        epsilon: settings.eps,
        correction1: 1 - settings.betas[0] ** (index + 1),
        correction2: 1 - settings.betas[1] ** (index + 1),
        decay: settings.weight_decay ?? 0,
        gradientScale,
      });
      // PyTorch may fuse a multiplication and an addition, and rounds a clipped gradient and its norm first.
      const allowed = maxNorm === null ? 2 : 4;
      const added = expected.gradient.map((gradient) => gradient * gradientScale * (1 - settings.betas[0]));
      expectClose(at(0), expected.weight, before.weight, allowed, 'weight');
      expectClose(at(1), expected.m, added, allowed, 'm');
      expectClose(at(2), expected.v, before.v, allowed, 'v');
      before = expected;
    });
  });
});

interface AdamCase {
  name: string;
  settings: { lr: number; betas: [number, number]; eps: number; weight_decay?: number };
  maxNorm: number | null;
  weight: number[];
  steps: { gradient: number[]; norm?: number; weight: number[]; m: number[]; v: number[] }[];
}

function adamCases(): AdamCase[] {
  const file = join(import.meta.dirname, '../../fixtures/kernels/adam.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { cases: AdamCase[] }).cases;
}

/** Expects every element within `units` units in the last place of the larger of the expected value and the summand it came from. */
function expectClose(actual: Float32Array, expected: number[], summand: number[], units: number, what: string): void {
  expected.forEach((value, index) => {
    const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(value), Math.abs(summand[index]!), 2 ** -126))) - 23);
    const distance = Math.abs(actual[index]! - value) / unit;
    if (!(distance <= units)) expect.fail(`${what}[${index}] is ${actual[index]}, not ${value}: ${distance} units`);
  });
}

function patterns(memory: WebAssembly.Memory, offset = 0): { source: Uint16Array; wide: Uint32Array; back: Uint16Array } {
  const source = new Uint16Array(memory.buffer, 0, 16384);
  for (let i = 0; i < 16384; i++) source[i] = i + offset;
  return { source, wide: new Uint32Array(memory.buffer, 131072, 16384), back: new Uint16Array(memory.buffer, 196608, 16384) };
}

function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? 2 ** -14 * fraction : 2 ** (exponent - 15) * (1 + fraction));
}
