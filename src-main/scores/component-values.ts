/**
 * Arithmetic on the rows of components' values: dot products by part (head), and tables of scores by layer, part and token.
 * It knows tensors and shapes, no model.
 */
import { type FloatTensor, floatTensor } from '../engine/tensor.ts';

/** Rows of a tensor [rows, width] that belong to one item. */
export interface ItemRows {
  data: Float32Array;
  /** The item's first row. */
  start: number;
}

/** How many rows are taken, and into how many equal parts (heads) each is split. */
export interface RowSize {
  tokens: number;
  width: number;
  parts: number;
}

/** left - right of the first `tokens` rows, into `target`. */
export function subtractRows(target: Float32Array, left: ItemRows, right: ItemRows, { tokens, width }: RowSize): void {
  const [a, b] = [left.data, right.data];
  const [startA, startB] = [left.start * width, right.start * width];
  const count = tokens * width;
  for (let index = 0; index < count; index++) target[index] = a[startA + index]! - b[startB + index]!;
}

/** Adds `times` the rows of `source` at `alignment[token]` to rows `from` to `tokens` of `target`. */
export function addAligned(
  target: Float32Array,
  { data, start }: ItemRows,
  alignment: readonly number[],
  times: number,
  from: number,
  { tokens, width }: RowSize,
): void {
  for (let token = from; token < tokens; token++) {
    const source = (start + alignment[token]!) * width;
    const place = token * width;
    for (let index = 0; index < width; index++) target[place + index]! += times * data[source + index]!;
  }
}

/** result[part * tokens + token] = sum over the part's elements of gradient (left - scale right), at the same row of each, from row `from` on; 0 before. */
export function partDots(
  result: Float64Array,
  gradient: ItemRows,
  left: ItemRows,
  right: ItemRows,
  scale: number,
  from: number,
  { tokens, width, parts }: RowSize,
): void {
  const size = width / parts;
  const [g, a, b] = [gradient.data, left.data, right.data];
  for (let token = 0; token < tokens; token++) {
    for (let part = 0; part < parts; part++) {
      let sum = 0;
      if (token >= from) {
        const offset = token * width + part * size;
        const [startG, startA, startB] = [
          gradient.start * width + offset,
          left.start * width + offset,
          right.start * width + offset,
        ];
        for (let index = 0; index < size; index++) sum += g[startG + index]! * (a[startA + index]! - scale * b[startB + index]!);
      }
      result[part * tokens + token] = sum;
    }
  }
}

/** One item's scores by name, each [layers, tokens] or [layers, parts, tokens], filled value by value. */
export class ScoreTable {
  readonly scores = new Map<string, FloatTensor>();
  readonly #layers: number;
  readonly #tokens: number;

  constructor(layers: number, tokens: number) {
    this.#layers = layers;
    this.#tokens = tokens;
  }

  /** `parts` null: the score has no axis of parts. Tokens never written stay 0. */
  tensor(name: string, parts: number | null): FloatTensor {
    let tensor = this.scores.get(name);
    if (!tensor) {
      tensor = floatTensor(parts === null ? [this.#layers, this.#tokens] : [this.#layers, parts, this.#tokens]);
      this.scores.set(name, tensor);
    }
    return tensor;
  }

  /** Writes one layer's values of the first `tokens` tokens, values[part * tokens + token]. */
  put(name: string, parts: number | null, layer: number, tokens: number, values: ArrayLike<number>): void {
    const { data } = this.tensor(name, parts);
    const count = parts ?? 1;
    for (let part = 0; part < count; part++) {
      const offset = (layer * count + part) * this.#tokens;
      for (let token = 0; token < tokens; token++) data[offset + token] = values[part * tokens + token]!;
    }
  }
}

/** The mean over items after their tokens were aligned: result[..., t] = mean over items of scores[..., alignment[t]]. */
export function averageAligned(items: readonly { tensor: FloatTensor; alignment: readonly number[] }[]): FloatTensor {
  const [{ tensor, alignment }] = items as [(typeof items)[number]];
  const tokens = alignment.length;
  const outer = tensor.shape.slice(0, -1);
  const average = floatTensor([...outer, tokens]);
  const rows = average.data.length / tokens;
  for (let row = 0; row < rows; row++) {
    for (let token = 0; token < tokens; token++) {
      let sum = 0;
      for (const item of items) sum += item.tensor.data[row * item.tensor.shape.at(-1)! + item.alignment[token]!]!;
      average.data[row * tokens + token] = sum / items.length;
    }
  }
  return average;
}
