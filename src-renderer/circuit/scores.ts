/**
 * Stored rows of scores as tables by name: cut to the prompt, averaged over seeds, subtracted from another run's.
 * It draws nothing and asks for nothing; what a table looks like as a map is in grids.ts.
 */
import type { ScoreRow } from '../../src-main/shared/records.ts';

export const kinds = ['informative', 'upstream', 'downstream'] as const;
export type Kind = (typeof kinds)[number];

/** Kinds of components: MLPs by their output, attention by its heads. */
export const parts = ['mlp', 'attn'] as const;
export type Part = (typeof parts)[number];

/** Whether a downstream score leaves the change of a component's own weights out (`strict`) or counts it. */
export type DownstreamRule = 'strict' | 'nonstrict';

/** One score: [layers, tokens] where `heads` is null, else [layers, heads, tokens]; row-major. */
export interface ScoreTable {
  layers: number;
  heads: number | null;
  tokens: number;
  values: ArrayLike<number>;
}

/** By the name under which they are stored. */
export type ScoreTables = ReadonlyMap<string, ScoreTable>;

export function scoreName(kind: Kind, part: Part, rule: DownstreamRule): string {
  return `${kind === 'downstream' && rule === 'nonstrict' ? 'downstream_nonstrict' : kind}.${part}`;
}

/** Every name that the explorer shows as a map. */
export const shownNames: readonly string[] = parts.flatMap((part) => [
  ...kinds.map((kind) => scoreName(kind, part, 'strict')),
  scoreName('downstream', part, 'nonstrict'),
]);

/** Tables of rows of one item. Columns behind the prompt, where every score is 0, are left out: `tokens` of them remain, or as many as are not. */
export function tablesOf(rows: readonly ScoreRow[], tokens?: number): ScoreTables {
  const kept = tokens ?? promptTokens(rows);
  return new Map(rows.map((row) => [row.name, cut(row, kept)]));
}

/** How many tokens the prompt behind these rows has: scores behind it are all 0. */
export function promptTokens(rows: readonly ScoreRow[]): number {
  return Math.max(1, ...rows.map(usedTokens));
}

/** The number of columns up to the last one with a value other than 0. */
function usedTokens({ shape, values }: ScoreRow): number {
  const width = shape.at(-1)!;
  let used = 0;
  for (let index = 0; index < values.length; index++) if (values[index] !== 0) used = Math.max(used, (index % width) + 1);
  return used;
}

function cut({ shape, values }: ScoreRow, kept: number): ScoreTable {
  const width = shape.at(-1)!;
  const tokens = Math.min(kept, width);
  const rows = values.length / width;
  const result = new Float64Array(rows * tokens);
  for (let row = 0; row < rows; row++) {
    for (let token = 0; token < tokens; token++) result[row * tokens + token] = values[row * width + token]!;
  }
  return { layers: shape[0]!, heads: shape.length === 3 ? shape[1]! : null, tokens, values: result };
}

const sameShape = (a: ScoreTable, b: ScoreTable) => a.layers === b.layers && a.heads === b.heads && a.tokens === b.tokens;

/** Means of the tables that all have in one shape. */
export function meanOf(all: readonly ScoreTables[]): ScoreTables {
  const [first, ...others] = all;
  if (first === undefined) return new Map();
  if (others.length === 0) return first;
  const means = new Map<string, ScoreTable>();
  for (const [name, table] of first) {
    const rest = others.flatMap((tables) => tables.get(name) ?? []).filter((other) => sameShape(table, other));
    if (rest.length < others.length) continue;
    const values = Float64Array.from(table.values);
    for (const { values: more } of rest) for (let index = 0; index < values.length; index++) values[index]! += more[index]!;
    for (let index = 0; index < values.length; index++) values[index]! /= all.length;
    means.set(name, { ...table, values });
  }
  return means;
}

/** a - b for every name that both have, or why the two cannot be subtracted. */
export function differenceOf(a: ScoreTables, b: ScoreTables): { tables: ScoreTables } | { problem: string } {
  const tables = new Map<string, ScoreTable>();
  for (const [name, table] of a) {
    const other = b.get(name);
    if (other === undefined) continue;
    if (!sameShape(table, other)) return { problem: shapesDiffer(table, other) };
    tables.set(name, { ...table, values: Float64Array.from(table.values, (value, index) => value - other.values[index]!) });
  }
  return tables.size > 0 ? { tables } : { problem: 'The other run stored none of these scores.' };
}

function shapesDiffer(a: ScoreTable, b: ScoreTable): string {
  if (a.tokens !== b.tokens) {
    return `The prompts have ${a.tokens} and ${b.tokens} tokens, so that columns do not match: choose runs with the same accumulation prompt, or another item.`;
  }
  return `The models differ (${shapeText(a)}; ${shapeText(b)}): scores can be subtracted component by component only for one shape of model.`;
}

const shapeText = ({ layers, heads }: ScoreTable) => `${layers} layers${heads === null ? '' : ` of ${heads} heads`}`;
