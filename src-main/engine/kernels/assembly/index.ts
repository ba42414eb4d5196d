/**
 * The float32 kernels as WebAssembly SIMD, in AssemblyScript (not TypeScript: `usize`, `v128` and the like are its own).
 * No kernel allocates, checks or keeps anything: each touches exactly the bytes at the addresses given, and plain.ts is its twin.
 *
 * Compiled by ../build.mjs without stack, data segment or runtime, so that every byte of the imported memory is the caller's.
 * Addresses are bytes, counts are elements; a range must end below 4 GiB - 64 KiB. The four-wide loop does the bulk, the
 * scalar loop after it the last 0-3 elements with the same operations in the same order, so lanes and tails agree bit for bit.
 * Scalars arrive as f64 and are rounded to f32 once, as PyTorch does with Python numbers.
 */

/** Bytes that the four-wide (or eight-wide) loop covers: `count` rounded down to `lanes`, times `size`. */
function bulk(count: usize, lanes: usize, size: usize): usize {
  return (count & ~(lanes - 1)) * size;
}

/** One Adam step; the formulas and the argument meanings are in kernels.ts. */
export function adam(
  weight: usize,
  m: usize,
  v: usize,
  gradient: usize,
  count: usize,
  learningRate: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  correction1: f64,
  correction2: f64,
  decay: f64,
  gradientScale: f64,
): void {
  const keep = <f32>(1 - learningRate * decay);
  const scale = <f32>gradientScale;
  const towards = <f32>(1 - beta1);
  const beta2Single = <f32>beta2;
  const share = <f32>(1 - beta2);
  const root = <f32>Math.sqrt(correction2);
  const small = <f32>epsilon;
  const step = <f32>(-learningRate / correction1);

  const keep4 = f32x4.splat(keep);
  const scale4 = f32x4.splat(scale);
  const towards4 = f32x4.splat(towards);
  const beta4 = f32x4.splat(beta2Single);
  const share4 = f32x4.splat(share);
  const root4 = f32x4.splat(root);
  const small4 = f32x4.splat(small);
  const step4 = f32x4.splat(step);

  const wide = bulk(count, 4, 4);
  const end = count * 4;
  let at: usize = 0;
  for (; at < wide; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), scale4);
    const m0 = v128.load(m + at);
    const m1 = f32x4.add(m0, f32x4.mul(f32x4.sub(g, m0), towards4));
    const v1 = f32x4.add(f32x4.mul(v128.load(v + at), beta4), f32x4.mul(share4, f32x4.mul(g, g)));
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v1), root4), small4);
    const w = f32x4.mul(v128.load(weight + at), keep4);
    v128.store(m + at, m1);
    v128.store(v + at, v1);
    v128.store(weight + at, f32x4.add(w, f32x4.mul(step4, f32x4.div(m1, denominator))));
  }
  for (; at < end; at += 4) {
    const g = load<f32>(gradient + at) * scale;
    const m0 = load<f32>(m + at);
    const m1 = m0 + (g - m0) * towards;
    const v1 = load<f32>(v + at) * beta2Single + share * (g * g);
    const denominator = sqrt<f32>(v1) / root + small;
    const w = load<f32>(weight + at) * keep;
    store<f32>(m + at, m1);
    store<f32>(v + at, v1);
    store<f32>(weight + at, w + step * (m1 / denominator));
  }
}

/** Sum of squares in f64: element i goes to partial sum i mod 4; the four are added as (0 + 2) + (1 + 3), then the tail. */
export function sumOfSquares(address: usize, count: usize): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const wide = bulk(count, 4, 4);
  let at: usize = 0;
  for (; at < wide; at += 16) {
    const four = v128.load(address + at);
    const first = f64x2.promote_low_f32x4(four);
    const second = f64x2.promote_low_f32x4(i8x16.shuffle(four, four, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const both = f64x2.add(low, high);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (const end = count * 4; at < end; at += 4) {
    const value = <f64>load<f32>(address + at);
    sum += value * value;
  }
  return sum;
}

/** bfloat16 is the upper half of a float32. */
export function widenBfloat16(source: usize, target: usize, count: usize): void {
  const wide = bulk(count, 4, 2);
  let at: usize = 0;
  for (; at < wide; at += 8) {
    v128.store(target + at * 2, i32x4.shl(v128.load16x4_u(source + at), 16));
  }
  for (const end = count * 2; at < end; at += 2) {
    store<u32>(target + at * 2, <u32>load<u16>(source + at) << 16);
  }
}

/**
 * float16 to float32, exactly: the 15 bits below the sign, moved to float32's place, are the value times 2^-112 (which also
 * makes subnormals right, float32 having the room); the largest exponent is set by hand for infinities and NaNs.
 */
export function widenFloat16(source: usize, target: usize, count: usize): void {
  const power = f32x4.splat(reinterpret<f32>(239 << 23)); // 2^112
  const magnitudeMask = i32x4.splat(0x7fff);
  const lastFinite = i32x4.splat(0x7bff);
  const topExponent = i32x4.splat(0x7f800000);
  const signMask = i32x4.splat(0x8000);
  const wide = bulk(count, 4, 2);
  let at: usize = 0;
  for (; at < wide; at += 8) {
    const bits = v128.load16x4_u(source + at);
    const magnitude = v128.and(bits, magnitudeMask);
    const value = f32x4.mul(i32x4.shl(magnitude, 13), power);
    const special = v128.and(i32x4.gt_s(magnitude, lastFinite), topExponent);
    const sign = i32x4.shl(v128.and(bits, signMask), 16);
    v128.store(target + at * 2, v128.or(v128.or(value, special), sign));
  }
  for (const end = count * 2; at < end; at += 2) {
    const bits = <u32>load<u16>(source + at);
    const magnitude = bits & 0x7fff;
    const value = reinterpret<u32>(reinterpret<f32>(magnitude << 13) * reinterpret<f32>(239 << 23));
    const special: u32 = magnitude > 0x7bff ? 0x7f800000 : 0;
    store<u32>(target + at * 2, value | special | ((bits & 0x8000) << 16));
  }
}

/** float32 to bfloat16, to the nearest, ties to even; a NaN keeps its upper payload and becomes quiet. */
export function narrowToBfloat16(source: usize, target: usize, count: usize): void {
  const wide = bulk(count, 4, 4);
  let at: usize = 0;
  for (; at < wide; at += 16) {
    const bits = v128.load(source + at);
    const odd = v128.and(i32x4.shr_u(bits, 16), i32x4.splat(1));
    const rounded = i32x4.shr_u(i32x4.add(bits, i32x4.add(odd, i32x4.splat(0x7fff))), 16);
    const quiet = v128.or(i32x4.shr_u(bits, 16), i32x4.splat(0x40));
    const words = v128.bitselect(quiet, rounded, f32x4.ne(bits, bits));
    v128.store64_lane(target + at / 2, i16x8.narrow_i32x4_u(words, words), 0);
  }
  for (const end = count * 4; at < end; at += 4) {
    const bits = load<u32>(source + at);
    const isNotANumber = (bits & 0x7fffffff) > 0x7f800000;
    store<u16>(target + at / 2, <u16>(isNotANumber ? (bits >> 16) | 0x40 : (bits + ((bits >> 16) & 1) + 0x7fff) >> 16));
  }
}

/**
 * float32 to float16, to the nearest, ties to even. Normal results: rebias the exponent and round in integers. Subnormal
 * results: adding 0.5 lines up the last kept bit with float32's last bit, so the addition itself rounds. From 2^16 on: infinity.
 */
export function narrowToFloat16(source: usize, target: usize, count: usize): void {
  const half4 = f32x4.splat(0.5);
  const rebias4 = i32x4.splat(0xfff - (112 << 23));
  const wide = bulk(count, 4, 4);
  let at: usize = 0;
  for (; at < wide; at += 16) {
    const bits = v128.load(source + at);
    const magnitude = v128.and(bits, i32x4.splat(0x7fffffff));
    const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
    const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, rebias4), odd), 13);
    const subnormal = i32x4.sub(f32x4.add(magnitude, half4), half4);
    const special = v128.bitselect(i32x4.splat(0x7e00), i32x4.splat(0x7c00), i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)));
    const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(113 << 23)));
    const value = v128.bitselect(special, finite, i32x4.ge_s(magnitude, i32x4.splat(143 << 23)));
    const sign = v128.and(i32x4.shr_u(bits, 16), i32x4.splat(0x8000));
    const words = v128.or(value, sign);
    v128.store64_lane(target + at / 2, i16x8.narrow_i32x4_u(words, words), 0);
  }
  for (const end = count * 4; at < end; at += 4) {
    const bits = load<u32>(source + at);
    const magnitude = bits & 0x7fffffff;
    let value: u32;
    if (magnitude >= 143 << 23) value = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
    else if (magnitude < 113 << 23) value = reinterpret<u32>(reinterpret<f32>(magnitude) + <f32>0.5) - 0x3f000000;
    else value = (magnitude - (112 << 23) + 0xfff + ((magnitude >> 13) & 1)) >> 13;
    store<u16>(target + at / 2, <u16>(value | ((bits >> 16) & 0x8000)));
  }
}

/** target[rowIndices[r]] += source[r] for rows of `width` elements, in the order of r (an index may repeat). */
export function addRows(target: usize, source: usize, rowIndices: usize, rows: usize, width: usize): void {
  for (let row: usize = 0; row < rows; row++) {
    const index = <usize>load<i32>(rowIndices + row * 4);
    addScaled(target + index * width * 4, source + row * width * 4, 1, width);
  }
}

/** target += scale * source. */
export function scaledAdd(target: usize, source: usize, scale: f64, count: usize): void {
  addScaled(target, source, <f32>scale, count);
}

/** target += scale * source; the body of addRows and scaledAdd. */
function addScaled(target: usize, source: usize, scale: f32, count: usize): void {
  const scale4 = f32x4.splat(scale);
  const wide = bulk(count, 4, 4);
  let at: usize = 0;
  for (; at < wide; at += 16) {
    v128.store(target + at, f32x4.add(v128.load(target + at), f32x4.mul(scale4, v128.load(source + at))));
  }
  for (const end = count * 4; at < end; at += 4) {
    store<f32>(target + at, load<f32>(target + at) + scale * load<f32>(source + at));
  }
}

/** Sets `count` float32 elements to `value`. */
export function fill(target: usize, value: f64, count: usize): void {
  const single = <f32>value;
  const four = f32x4.splat(single);
  const wide = bulk(count, 4, 4);
  let at: usize = 0;
  for (; at < wide; at += 16) v128.store(target + at, four);
  for (const end = count * 4; at < end; at += 4) store<f32>(target + at, single);
}
