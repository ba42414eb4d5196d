/**
 * Which weights a device may hold as float16: those whose file's 16 bits float16 expresses exactly, so that numbers are those of float32.
 * It reads them and moves nothing.
 */
import { elementCount, type Tensor } from '../tensor.ts';
import type { StoredTensor, WeightTensor } from '../weights.ts';

/** Tensors found to have values that float16 does not express; they need not be looked at again. */
const wide = new WeakSet<StoredTensor>();

/**
 * The weight as float16, or null where it is to be float32: in memory as such, in training, with values that float16 rounds, or on a device that
 * does not take float16 (`hasHalves`, asked only when it matters). Errors: those of `fetch`.
 */
export async function halvesOf(tensor: WeightTensor, hasHalves: () => Promise<boolean>): Promise<Tensor<'float16'> | null> {
  if (tensor.type !== 'stored' || tensor.storedType === 'float32' || tensor.generation !== undefined) return null;
  if (wide.has(tensor) || tensor.values?.() || !(await hasHalves())) return null;
  const bits = new Uint16Array(elementCount(tensor.shape));
  await tensor.fetch(new Uint8Array(bits.buffer));
  if (tensor.storedType === 'bfloat16' && !toFloat16(bits)) {
    wide.add(tensor);
    return null;
  }
  return { type: 'float16', shape: tensor.shape, data: bits };
}

/**
 * bfloat16 bit patterns in place to float16's; false, and the rest left as it was, at the first value that float16 does not express.
 * bfloat16 has 8 bits of exponent (bias 127) and 7 of fraction, float16 5 (bias 15) and 10; below 2^-14 float16's fraction has fewer.
 */
export function toFloat16(bits: Uint16Array): boolean {
  for (let index = 0; index < bits.length; index++) {
    const value = bits[index]!;
    const sign = value & 0x8000;
    const magnitude = value & 0x7fff;
    const exponent = (magnitude >> 7) - 127;
    if (magnitude === 0) bits[index] = sign;
    else if (exponent >= -14 && exponent <= 15) bits[index] = sign | ((exponent + 15) << 10) | ((magnitude & 0x7f) << 3);
    else {
      // In units of 2^-24: 1.fraction is 128 + fraction of 2^(exponent - 7)
      const significand = 128 + (magnitude & 0x7f);
      const places = exponent + 17;
      const isWhole = places >= 0 || (places >= -7 && significand % 2 ** -places === 0);
      if (exponent > 15 || !isWhole) return false;
      bits[index] = sign | (significand * 2 ** places);
    }
  }
  return true;
}
