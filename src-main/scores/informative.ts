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
  const score = (map: ScoredMap, part: number, token: number) =>
    readings.get(map.role)!.data[(start + token) * (map.parts ?? 1) + part]!;
  for (const map of maps) {
    table.fill(`informative.${map.name}`, map.parts, layer, tokens, (part, token) => score(map, part, token));
  }
  const linear = maps.filter(({ isBias }) => !isBias);
  const sum = (of: readonly ScoredMap[], token: number) => of.reduce((total, map) => total + score(map, 0, token), 0);
  const mlp = linear.filter(({ group }) => group === 'mlp');
  const output = mlp.filter(({ role }) => role === 'mlp.down');
  const projections = mlp.filter(({ role }) => role !== 'mlp.down');
  table.fill('informative.ff_proj', null, layer, tokens, (_, token) => sum(projections, token));
  table.fill('informative.ff_out', null, layer, tokens, (_, token) => sum(output, token));
  table.fill('informative.mlp', null, layer, tokens, (_, token) => sum(mlp, token));
  table.fill('informative.mlp_as_published', null, layer, tokens, (_, token) => 2 * sum(output, token));
  const attention = linear.filter(({ group }) => group === 'attention');
  table.fill('informative.attn', configuration.heads, layer, tokens, (head, token) => {
    let total = 0;
    for (const map of attention) {
      for (const { part, sharedBy } of headParts(map, head, configuration)) total += score(map, part, token) / sharedBy;
    }
    return total;
  });
}
