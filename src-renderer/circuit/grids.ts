/**
 * Tables of scores as maps: layer by token or layer by head, the ends of a colour scale, and how one cell stands among the others.
 * It knows numbers only; the drawing is the components'.
 */
import type { MapChoice } from './map-choice.ts';
import { type Kind, kinds, type ScoreTable, type ScoreTables, scoreName } from './scores.ts';

/** values[row * columns + column]; rows are layers. */
export interface Grid {
  rows: number;
  columns: number;
  values: ArrayLike<number>;
}

/** [layer][token], heads added. */
export function tokenGrid({ layers, heads, tokens, values }: ScoreTable): Grid {
  if (heads === null) return { rows: layers, columns: tokens, values };
  const sums = new Float64Array(layers * tokens);
  for (let row = 0; row < layers * heads; row++) {
    const target = Math.floor(row / heads) * tokens;
    for (let token = 0; token < tokens; token++) sums[target + token]! += values[row * tokens + token]!;
  }
  return { rows: layers, columns: tokens, values: sums };
}

/** [layer][head] at one token, or added over all of them (null). An MLP's table has one column. */
export function headGrid({ layers, heads, tokens, values }: ScoreTable, token: number | null): Grid {
  const columns = heads ?? 1;
  const result = new Float64Array(layers * columns);
  for (let row = 0; row < result.length; row++) {
    if (token !== null) result[row] = values[row * tokens + token] ?? 0;
    else for (let each = 0; each < tokens; each++) result[row]! += values[row * tokens + each]!;
  }
  return { rows: layers, columns, values: result };
}

/** The map of each kind; null where it is not stored. */
export type KindGrids = Readonly<Record<Kind, Grid | null>>;

export function gridsOf(tables: ScoreTables, { view, rule, token }: Pick<MapChoice, 'view' | 'rule' | 'token'>): KindGrids {
  return byKind((kind) => {
    const table = tables.get(scoreName(kind, view === 'mlp' ? 'mlp' : 'attn', rule));
    if (table === undefined) return null;
    return view === 'heads' ? headGrid(table, token) : tokenGrid(table);
  });
}

/**
 * The end of each kind's colour scale over `all`: the maps that are shown, or those of every checkpoint of a course. Of shared scales it is one
 * end for all kinds.
 */
export function scaleEnds(
  all: readonly KindGrids[],
  { scale, percentile }: Pick<MapChoice, 'scale' | 'percentile'>,
): Readonly<Record<Kind, number>> {
  const of = (kind: Kind) => all.flatMap((grids) => grids[kind] ?? []);
  if (scale === 'own') return byKind((kind) => limitOf(of(kind), percentile));
  const end = limitOf(kinds.flatMap(of), percentile);
  return byKind(() => end);
}

const byKind = <T>(make: (kind: Kind) => T): Record<Kind, T> => ({
  informative: make('informative'),
  upstream: make('upstream'),
  downstream: make('downstream'),
});

/** Each row added over its columns. */
export function rowSums({ rows, columns, values }: Grid): Float64Array {
  const sums = new Float64Array(rows);
  for (let index = 0; index < values.length; index++) sums[Math.floor(index / columns)]! += values[index]!;
  return sums;
}

/**
 * The end of a colour scale around zero: the `percentile` (0 to 1) of absolute values of all cells that are not 0, so that one outlier does
 * not pale the rest; 1 is the largest. 0 where every cell is 0.
 */
export function limitOf(grids: readonly Grid[], percentile = 1): number {
  const sizes: number[] = [];
  for (const { values } of grids) {
    for (let index = 0; index < values.length; index++) if (values[index] !== 0) sizes.push(Math.abs(values[index]!));
  }
  if (sizes.length === 0) return 0;
  if (percentile >= 1) return sizes.reduce((largest, size) => Math.max(largest, size), 0);
  const sorted = Float64Array.from(sizes).sort();
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(percentile * sorted.length) - 1))]!;
}

/** How one value stands among all of a table or grid. */
export interface Standing {
  value: number;
  /** Of the sum of absolute values; 0 where all are 0. */
  share: number;
  /** 1 is the largest absolute value; equal ones share the better rank. */
  rank: number;
  of: number;
}

export function standingOf(values: ArrayLike<number>, value: number): Standing {
  const size = Math.abs(value);
  let [total, larger] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    const other = Math.abs(values[index]!);
    total += other;
    if (other > size) larger++;
  }
  return { value, share: total === 0 ? 0 : size / total, rank: larger + 1, of: values.length };
}

/** The number of the cell beside one when a key is pressed, row by row; null for other keys and at the edge. */
export function cellBeside(grid: Pick<Grid, 'rows' | 'columns'>, cell: number, key: string): number | null {
  const [row, column] = [Math.floor(cell / grid.columns), cell % grid.columns];
  const at = (r: number, c: number) => (r >= 0 && r < grid.rows && c >= 0 && c < grid.columns ? r * grid.columns + c : null);
  switch (key) {
    case 'ArrowUp':
      return at(row - 1, column);
    case 'ArrowDown':
      return at(row + 1, column);
    case 'ArrowLeft':
      return at(row, column - 1);
    case 'ArrowRight':
      return at(row, column + 1);
    case 'Home':
      return at(row, 0);
    case 'End':
      return at(row, grid.columns - 1);
    case 'PageUp':
      return at(0, column);
    case 'PageDown':
      return at(grid.rows - 1, column);
    default:
      return null;
  }
}
