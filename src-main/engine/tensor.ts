/**
 * What a tensor is, everywhere in the engine: a type, a shape and row-major data that may lie in any buffer.
 * It has no arithmetic; that is in graphs and kernels.
 */

export type ElementType = 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'uint8' | 'bool';

/** float16 and bfloat16 are held as their bit patterns; bool as one byte each. */
export interface ArrayOf {
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export interface Tensor<T extends ElementType = ElementType> {
  readonly type: T;
  readonly shape: readonly number[];
  readonly data: ArrayOf[T];
}

export type FloatTensor = Tensor<'float32'>;

/** The element types that weights come in. */
export type FloatType = 'float32' | 'bfloat16' | 'float16';

export const bytesPerElement: Record<ElementType, number> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

/** Number of elements of a shape; 1 for a scalar's `[]`. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

/** The bytes that a view covers, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The float32 that bytes are, not copied; they must be aligned to them. */
export function floatsOf({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

/** A float32 tensor over `data`, or zeros. */
export function floatTensor(shape: readonly number[], data?: Float32Array): FloatTensor {
  return { type: 'float32', shape, data: data ?? new Float32Array(elementCount(shape)) };
}
