/**
 * What a model's weights are to everything that computes with them: values in memory, or values kept elsewhere and read when a layer needs them.
 * Sets of weights are maps, so grafting, freezing and replacing move no data; where values are kept is decided in execution/load-weights.ts.
 */
import type { FloatTensor, FloatType } from './tensor.ts';

/** A tensor that is kept as 16 bits in memory, in a file, or as a sum of others. */
export interface StoredTensor {
  readonly type: 'stored';
  readonly shape: readonly number[];
  /** What `fetch` delivers. */
  readonly storedType: FloatType;
  /** Reads all elements as `storedType` into `target`, exactly as long; where it can it goes on while programs compute. */
  fetch(target: Uint8Array): Promise<void>;
  /** Some rows of a matrix, at once: [rows, width] as float32. */
  rows(rows: Int32Array): Float32Array;
  /** `count` rows from `first` on. */
  slice(first: number, count: number): WeightTensor;
  /** The values where they happen to lie in memory as float32 just now. */
  values?(): Float32Array | null;
  /** Grows whenever the values change, as those of parameters in training do; absent where they never do. */
  readonly generation?: number;
}

export type WeightTensor = FloatTensor | StoredTensor;

/** A full set of parameters by file name. */
export type Weights = ReadonlyMap<string, WeightTensor>;

/** The set as tensors in memory, for those who made sure that it is. Throws a TypeError where one is kept elsewhere. */
export function inMemory(weights: Weights): Map<string, FloatTensor> {
  return new Map(
    [...weights].map(([name, tensor]) => {
      if (tensor.type === 'stored') throw new TypeError(`${name} is not in memory.`);
      return [name, tensor];
    }),
  );
}

/** Grows whenever a tensor's values change; 0 for one whose values never do, or that lies in memory for everyone to see. */
export function generationOf(tensor: WeightTensor): number {
  return tensor.type === 'stored' ? (tensor.generation ?? 0) : 0;
}

/** Rows of a matrix [rows, width], wherever it is kept. */
export function takeRows(tensor: WeightTensor, rows: Int32Array): Float32Array {
  if (tensor.type === 'stored') return tensor.rows(rows);
  const width = tensor.shape[1]!;
  const taken = new Float32Array(rows.length * width);
  rows.forEach((row, index) => {
    taken.set(tensor.data.subarray(row * width, (row + 1) * width), index * width);
  });
  return taken;
}

/** A stretch of a matrix's rows; of values in memory a view. */
export function sliceRows(tensor: WeightTensor, first: number, count: number): WeightTensor {
  if (tensor.type === 'stored') return tensor.slice(first, count);
  const width = tensor.shape[1]!;
  return { ...tensor, shape: [count, width], data: tensor.data.subarray(first * width, (first + count) * width) };
}

/** Whether two tensors are the same one, wherever it is kept; equal values alone do not make them so. */
export function areSame(left: WeightTensor | undefined, right: WeightTensor | undefined): boolean {
  if (left === right) return true;
  return left?.type === 'float32' && right?.type === 'float32' && left.data === right.data;
}
