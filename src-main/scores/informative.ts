/**
 * Informative scores (PAPER.md): how far the change of each linear map's weights lowers L to first order, and their sums by component.
 * The products are computed where the model runs; here they are named and added.
 */
import { headParts, type ScoredMap } from '../engine/execution/scored-maps.ts';
import type { ModelConfiguration } from '../engine/models/family.ts';
import type { FloatTensor } from '../engine/tensor.ts';
import type { ScoreTable } from './component-values.ts';

/** Where one item's scores go and where they come from. */
export interface InformativeSource {
  table: ScoreTable;
  layer: number;
  /** The item's first row in the readings, and its number of prompt tokens. */
  start: number;
  tokens: number;
  configuration: ModelConfiguration;
  maps: readonly ScoredMap[];
  /** By role, [rows, parts]. */
  readings: ReadonlyMap<string, FloatTensor>;
}

/**
 * Fills `informative.NAME` of every linear map and bias, and the sums: `ff_proj` = the MLP's maps that read its input, `ff_out` = its last map,
 * `mlp` = both, `attn` by query head = q + o + (k + v of the head's group) / heads of the group. `mlp_as_published` = 2 ff_out is what the
 * published code reports for the MLP. Biases are not part of the sums.
 */
export function fillInformative({ table, layer, start, tokens, configuration, maps, readings }: InformativeSource): void {
  const { heads } = configuration;
  const sums = {
    ff_proj: new Float64Array(tokens),
    ff_out: new Float64Array(tokens),
    mlp: new Float64Array(tokens),
    mlp_as_published: new Float64Array(tokens),
  };
  const attention = new Float64Array(heads * tokens);
  for (const map of maps) {
    const parts = map.parts ?? 1;
    const { data } = readings.get(map.role)!;
    const values = new Float64Array(parts * tokens);
    for (let token = 0; token < tokens; token++) {
      for (let part = 0; part < parts; part++) values[part * tokens + token] = data[(start + token) * parts + part]!;
    }
    table.put(`informative.${map.name}`, map.parts, layer, tokens, values);
    if (map.isBias) continue;
    if (map.group === 'mlp') {
      const isLast = map.role === 'mlp.down';
      add(isLast ? sums.ff_out : sums.ff_proj, values);
      add(sums.mlp, values);
      if (isLast) add(sums.mlp_as_published, values, 2);
    } else {
      for (let head = 0; head < heads; head++) {
        for (const { part, sharedBy } of headParts(map, head, configuration)) {
          add(attention.subarray(head * tokens, (head + 1) * tokens), values.subarray(part * tokens), 1 / sharedBy);
        }
      }
    }
  }
  for (const [name, values] of Object.entries(sums)) table.put(`informative.${name}`, null, layer, tokens, values);
  table.put('informative.attn', heads, layer, tokens, attention);
}

function add(target: Float64Array, values: Float64Array, times = 1): void {
  for (let index = 0; index < target.length; index++) target[index]! += times * values[index]!;
}
