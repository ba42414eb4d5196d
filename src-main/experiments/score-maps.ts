/**
 * Tables of scores as experiments sum, average and show them: layer by token, layer by head, by layer. It draws nothing and scores nothing.
 * The tables are averages over items on the accumulation prompt's tokens; `tokens` counts those of its prompt, and what follows is left out.
 */

import { estimate, mean } from '../scores/statistics.ts';
import type { Estimate } from '../shared/figures.ts';

/** [layers, tokens] or [layers, heads, tokens], row-major. */
export interface ScoreMap {
  shape: number[];
  values: number[];
}

/** One component at one token. */
export interface Cell {
  layer: number;
  /** null for an MLP. */
  head: number | null;
  token: number;
  value: number;
}

/** The mean over seeds of maps of one shape. */
export function meanMap(maps: readonly { shape: readonly number[]; data: ArrayLike<number> }[]): ScoreMap {
  const [{ shape, data }] = maps as [(typeof maps)[number]];
  return {
    shape: [...shape],
    values: Array.from({ length: data.length }, (_, index) => mean(maps.map((map) => map.data[index]!))),
  };
}

/** Every component at every token of the prompt, layer by layer, head by head. */
export function cellsOf({ shape, values }: ScoreMap, tokens: number): Cell[] {
  const width = shape.at(-1)!;
  const heads = shape.length === 3 ? shape[1]! : null;
  const rows = values.length / width;
  return Array.from({ length: rows }, (_, row) => row).flatMap((row) =>
    values.slice(row * width, row * width + tokens).map((value, token) => ({
      layer: Math.floor(row / (heads ?? 1)),
      head: heads === null ? null : row % heads,
      token,
      value,
    })),
  );
}

/** [layer][token], summed over heads. */
export const layerByToken = (map: ScoreMap, tokens: number): number[][] =>
  summed(map, tokens, map.shape[0]!, tokens, ({ token }) => token);

/** [layer][head], summed over tokens. */
export const layerByHead = (map: ScoreMap, tokens: number): number[][] =>
  summed(map, tokens, map.shape[0]!, map.shape[1]!, ({ head }) => head!);

/** The sum over heads and tokens of each layer. */
export const byLayer = (map: ScoreMap, tokens: number): number[] =>
  summed(map, tokens, map.shape[0]!, 1, () => 0).map(([sum]) => sum!);

/** `byLayer` of every seed's map, as estimates over seeds. */
export function layerEstimates(maps: readonly ScoreMap[], tokens: number): Estimate[] {
  const sums = maps.map((map) => byLayer(map, tokens));
  return sums[0]!.map((_, layer) => estimate(sums.map((ofSeed) => ofSeed[layer]!)));
}

/** All of a map: what lowers L, and the balance of what lowers and raises it. */
export function totalsOf(map: ScoreMap, tokens: number): { positive: number; net: number } {
  let [positive, net] = [0, 0];
  for (const { value } of cellsOf(map, tokens)) {
    positive += Math.max(value, 0);
    net += value;
  }
  return { positive, net };
}

function summed(map: ScoreMap, tokens: number, rows: number, columns: number, columnOf: (cell: Cell) => number): number[][] {
  const sums = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  for (const cell of cellsOf(map, tokens)) sums[cell.layer]![columnOf(cell)]! += cell.value;
  return sums;
}
