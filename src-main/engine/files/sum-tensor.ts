/**
 * The sum of tensors with factors, formed when it is read: finetuned weights from a base and a change, a change from two sets of weights.
 * Nothing is kept but the terms.
 */
import { elementCount, type FloatTensor } from '../tensor.ts';
import { type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';
import { valuesOf } from './values.ts';

export interface Term {
  tensor: WeightTensor;
  factor: 1 | -1;
}

export class SumTensor implements StoredTensor {
  readonly type = 'stored';
  readonly storedType = 'float32';
  readonly shape: readonly number[];
  readonly #terms: readonly Term[];

  /** At least one term; all of one shape. They are added in their order, each sum rounded to float32. */
  constructor(terms: readonly Term[]) {
    this.#terms = terms;
    this.shape = terms[0]!.tensor.shape;
  }

  async fetch(target: Uint8Array): Promise<void> {
    const values = new Float32Array(target.buffer, target.byteOffset, elementCount(this.shape));
    for (const [index, { tensor, factor }] of this.#terms.entries())
      accumulate(values, (await valuesOf(tensor)).data, factor, index === 0);
  }

  rows(rows: Int32Array): Float32Array {
    const values = new Float32Array(rows.length * this.shape[1]!);
    for (const [index, { tensor, factor }] of this.#terms.entries())
      accumulate(values, takeRows(tensor, rows), factor, index === 0);
    return values;
  }

  slice(first: number, count: number): SumTensor {
    return new SumTensor(this.#terms.map(({ tensor, factor }) => ({ tensor: sliceRows(tensor, first, count), factor })));
  }
}

/** The sum of tensors in memory, else one that is formed when it is read. */
export function sumOf(terms: readonly Term[]): WeightTensor {
  const present = terms.flatMap(({ tensor, factor }) => (tensor.type === 'float32' ? [{ tensor, factor }] : []));
  if (present.length < terms.length) return new SumTensor(terms);
  const { shape, type } = present[0]!.tensor;
  const sum: FloatTensor = { type, shape, data: new Float32Array(elementCount(shape)) };
  for (const [index, { tensor, factor }] of present.entries()) accumulate(sum.data, tensor.data, factor, index === 0);
  return sum;
}

function accumulate(target: Float32Array, values: Float32Array, factor: 1 | -1, isFirst: boolean): void {
  if (isFirst && factor === 1) target.set(values);
  else if (isFirst) for (let index = 0; index < target.length; index++) target[index] = -values[index]!;
  else for (let index = 0; index < target.length; index++) target[index]! += factor * values[index]!;
}
