/**
 * Plain conversions from 16-bit floats to float32: the reference that faster kernels are checked against.
 * They allocate nothing and know nothing about files.
 */

/** Converts 16-bit patterns to float32; `source` and `target` have the same length. */
export type Widen = (type: 'bfloat16' | 'float16', source: Uint16Array, target: Float32Array) => void;

/** The plain `Widen`. */
export function widenPlainly(type: 'bfloat16' | 'float16', source: Uint16Array, target: Float32Array): void {
  if (type === 'bfloat16') widenBfloat16(source, target);
  else widenFloat16(source, target);
}

/** bfloat16 is the upper half of a float32. */
export function widenBfloat16(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < source.length; index++) bits[index] = source[index]! << 16;
}

/** IEEE 754 binary16 to binary32, exact, subnormals, infinities and NaN payloads included. */
export function widenFloat16(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < source.length; index++) {
    const half = source[index]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      // Zero or subnormal: fraction x 2^-24, which float32 holds exactly.
      target[index] = fraction * 2 ** -24;
      bits[index] = bits[index]! | sign;
    } else {
      // The exponent's bias changes from 15 to 127; all ones stay all ones.
      const wide = exponent === 0x1f ? 0xff : exponent + 112;
      bits[index] = sign | (wide << 23) | (fraction << 13);
    }
  }
}
