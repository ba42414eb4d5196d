/**
 * The kernels in plain TypeScript over the same memory: the oracle of the SIMD form, and what runs where it cannot.
 * It is not a reference for speed. Math.fround after every operation gives float32 arithmetic exactly, because float64 has more
 * than twice float32's digits: rounding twice is the same as rounding once for + - * / and the square root.
 */
import type { AdamStep, Kernels } from './kernels.ts';

const round = Math.fround;

/** The plain kernels over `memory`, which must not grow afterwards. */
export function createPlainKernels(memory: WebAssembly.Memory): Kernels {
  const bytes = memory.buffer;
  const floats = (address: number, count: number) => new Float32Array(bytes, address >>> 0, count);
  const words = (address: number, count: number) => new Uint32Array(bytes, address >>> 0, count);
  const halves = (address: number, count: number) => new Uint16Array(bytes, address >>> 0, count);
  return {
    form: 'plain',
    adam(weight, m, v, gradient, count, step) {
      adam(floats(weight, count), floats(m, count), floats(v, count), floats(gradient, count), step);
    },
    sumOfSquares(address, count) {
      return sumOfSquares(floats(address, count));
    },
    widenBfloat16(source, target, count) {
      const to = words(target, count);
      halves(source, count).forEach((bits, index) => {
        to[index] = bits << 16;
      });
    },
    widenFloat16(source, target, count) {
      const to = words(target, count);
      halves(source, count).forEach((bits, index) => {
        to[index] = widenedFloat16(bits);
      });
    },
    narrowToBfloat16(source, target, count) {
      const to = halves(target, count);
      words(source, count).forEach((bits, index) => {
        const isNotANumber = (bits & 0x7fffffff) > 0x7f800000;
        to[index] = isNotANumber ? (bits >>> 16) | 0x40 : (bits + ((bits >>> 16) & 1) + 0x7fff) >>> 16;
      });
    },
    narrowToFloat16(source, target, count) {
      const to = halves(target, count);
      words(source, count).forEach((bits, index) => {
        to[index] = narrowedFloat16(bits);
      });
    },
    addRows(target, source, rowIndices, rows, width) {
      const indices = new Int32Array(bytes, rowIndices >>> 0, rows);
      indices.forEach((index, row) => {
        addScaled(floats(target + index * width * 4, width), floats(source + row * width * 4, width), 1);
      });
    },
    scaledAdd(target, source, scale, count) {
      addScaled(floats(target, count), floats(source, count), round(scale));
    },
    fill(target, value, count) {
      floats(target, count).fill(value);
    },
  };
}

function adam(weight: Float32Array, m: Float32Array, v: Float32Array, gradient: Float32Array, step: AdamStep): void {
  const keep = round(1 - step.learningRate * step.decay);
  const scale = round(step.gradientScale);
  const towards = round(1 - step.beta1);
  const beta2 = round(step.beta2);
  const share = round(1 - step.beta2);
  const root = round(Math.sqrt(step.correction2));
  const epsilon = round(step.epsilon);
  const change = round(-step.learningRate / step.correction1);
  for (let i = 0; i < weight.length; i++) {
    const g = round(gradient[i]! * scale);
    const m1 = round(m[i]! + round(round(g - m[i]!) * towards));
    const v1 = round(round(v[i]! * beta2) + round(share * round(g * g)));
    const denominator = round(round(round(Math.sqrt(v1)) / root) + epsilon);
    m[i] = m1;
    v[i] = v1;
    weight[i] = round(weight[i]! * keep) + round(change * round(m1 / denominator));
  }
}

/** Four partial sums as in the SIMD form, so that the result is the same to the last bit. */
function sumOfSquares(values: Float32Array): number {
  const partial = [0, 0, 0, 0];
  const bulk = values.length & ~3;
  for (let i = 0; i < bulk; i++) partial[i & 3]! += values[i]! * values[i]!;
  let sum = partial[0]! + partial[2]! + (partial[1]! + partial[3]!);
  for (let i = bulk; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

function addScaled(target: Float32Array, source: Float32Array, scale: number): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + round(scale * source[i]!);
}

/** The float32 bits of a float16's bits, from the definition: sign, exponent (bias 15 to bias 127), 10 bits of fraction. */
function widenedFloat16(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  const shift = Math.clz32(fraction) - 21; // brings the highest set bit to bit 10
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
}

/** The float16 bits nearest to a float32's bits, ties to even: cut off the low bits, then look at what was cut. */
function narrowedFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  const exponent = (magnitude >>> 23) - 112;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent < -10) return sign;
  // In units of the result's last place: normal numbers keep 10 fraction bits, subnormal ones fewer and the leading bit explicit.
  const significand = exponent > 0 ? magnitude - (112 << 23) : (magnitude & 0x7fffff) | 0x800000;
  const cut = exponent > 0 ? 13 : 14 - exponent;
  const kept = significand >>> cut;
  const rest = significand & ((1 << cut) - 1);
  const half = 1 << (cut - 1);
  return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
}
