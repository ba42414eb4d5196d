/**
 * The sum of tensors with factors, formed when it is read: finetuned weights from a base and a change or a part of it, a change from two sets of weights.
 * Nothing is kept but the terms.
 */
import { floatsOf } from '../tensor.ts';
import { generationOf, type StoredTensor, sliceRows, takeRows, type WeightTensor } from '../weights.ts';
import { readInto, valuesOf } from './values.ts';

export interface Term {
  tensor: WeightTensor;
  factor: number;
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

  get generation(): number {
    return this.#terms.reduce((sum, { tensor }) => sum + generationOf(tensor), 0);
  }

  async fetch(target: Uint8Array): Promise<void> {
    const values = floatsOf(target);
    const [first, ...others] = this.#terms as [Term, ...Term[]];
    await readInto(first.tensor, values);
    scale(values, first.factor);
    for (const { tensor, factor } of others) accumulate(values, (await valuesOf(tensor)).data, factor);
  }

  rows(rows: Int32Array): Float32Array {
    return total(this.#terms.map(({ tensor, factor }) => ({ data: takeRows(tensor, rows), factor })));
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
  return { type, shape, data: total(present.map(({ tensor: { data }, factor }) => ({ data, factor }))) };
}

/** The sum of values in memory, in a buffer of its own. */
function total(terms: readonly { data: Float32Array; factor: number }[]): Float32Array {
  const [first, ...others] = terms as [(typeof terms)[number], ...typeof terms];
  const sum = first.data.slice();
  scale(sum, first.factor);
  for (const { data, factor } of others) accumulate(sum, data, factor);
  return sum;
}

function scale(values: Float32Array, factor: number): void {
  if (factor === 1) return;
  for (let index = 0; index < values.length; index++) values[index]! *= factor;
}

function accumulate(target: Float32Array, values: Float32Array, factor: number): void {
  for (let index = 0; index < target.length; index++) target[index]! += factor * values[index]!;
}
