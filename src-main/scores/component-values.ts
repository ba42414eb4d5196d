/**
 * Arithmetic on the rows of components' values: dot products by part (head), and tables of scores by layer, part and token.
 * It knows tensors and shapes, no model.
 */
import { type FloatTensor, floatTensor } from '../engine/tensor.ts';

/** Rows of a tensor [rows, width] that belong to one item, and into how many parts (heads) a row is split. */
export interface ItemRows {
  data: Float32Array;
  /** The item's first row. */
  start: number;
  width: number;
  parts: number;
}

/** Sum over a part's elements of gradient x value, at a token of each. */
export function partDot(
  gradient: ItemRows,
  tokenOfGradient: number,
  value: ItemRows,
  tokenOfValue: number,
  part: number,
): number {
  const size = gradient.width / gradient.parts;
  const left = (gradient.start + tokenOfGradient) * gradient.width + part * size;
  const right = (value.start + tokenOfValue) * value.width + part * size;
  let sum = 0;
  for (let index = 0; index < size; index++) sum += gradient.data[left + index]! * value.data[right + index]!;
  return sum;
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

  /** Writes `value(part, token)` for one layer and the first `tokens` tokens. */
  fill(name: string, parts: number | null, layer: number, tokens: number, value: (part: number, token: number) => number): void {
    const { data } = this.tensor(name, parts);
    const count = parts ?? 1;
    for (let part = 0; part < count; part++) {
      const offset = (layer * count + part) * this.#tokens;
      for (let token = 0; token < tokens; token++) data[offset + token] = value(part, token);
    }
  }

  /** What was written. */
  at(name: string, parts: number | null, layer: number, part: number, token: number): number {
    return this.tensor(name, parts).data[(layer * (parts ?? 1) + part) * this.#tokens + token]!;
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
