/**
 * A run as text for people: what it was, how it ended, and its curves as a table. It asks for nothing.
 */
import type { EvaluationRow, Json, RunDetail } from '../shared/records.ts';
import { duration, facts, table } from './text.ts';

/** Facts about a run and its results, nested ones as compact JSON. */
export function runFacts(detail: RunDetail): string {
  const { run, title, state, created, seconds, results, error } = detail;
  const lines = facts([
    ['run', run],
    ['title', title],
    ['state', state],
    ['created', created],
    ['time', duration(seconds)],
    ...(error ? [['error', `${error.code}: ${error.message}`] as const] : []),
  ]);
  return results === null ? lines : `${lines}\n\n${resultText(results)}`;
}

function resultText(results: Json): string {
  if (typeof results !== 'object' || results === null || Array.isArray(results)) return JSON.stringify(results);
  const parts = Object.entries(results).map(([name, value]) => {
    const rows = Array.isArray(value) ? value.filter((row) => isRecord(row)) : [];
    if (rows.length === 0 || !Array.isArray(value) || rows.length < value.length) return `${name}: ${JSON.stringify(value)}`;
    // Numbers only: what each seed or item measured is in the JSON
    const columns = Object.keys(rows[0]!).filter((key) => typeof rows[0]![key] !== 'object');
    return table([columns, ...columnsAsText(rows.map((row) => columns.map((column) => row[column] ?? null)))]);
  });
  return parts.join('\n');
}

/** The means by epoch over the seeds, one line per stage, set and epoch. */
export function evaluationTable(rows: readonly EvaluationRow[]): string {
  const groups = new Map<string, EvaluationRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.stage, row.set, row.epoch]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const mean = (group: EvaluationRow[], of: (row: EvaluationRow) => number) =>
    group.reduce((sum, row) => sum + of(row), 0) / group.length;
  const lines = [...groups.values()].map((group) => {
    const { stage, set, epoch } = group[0]!;
    return [
      stage,
      set,
      epoch,
      group.length,
      mean(group, ({ meanRank }) => meanRank).toFixed(3),
      mean(group, ({ loss }) => loss).toFixed(4),
    ];
  });
  return table([['stage', 'set', 'epoch', 'seeds', 'mean rank', 'loss'], ...lines]);
}

/** Whole numbers stay whole where all of a column are; others get four decimals. */
function columnsAsText(rows: readonly (readonly Json[])[]): string[][] {
  const isWhole = (column: number) => rows.every((row) => Number.isInteger(row[column]));
  return rows.map((row) =>
    row.map((value, column) => {
      if (typeof value === 'number') return isWhole(column) ? String(value) : value.toFixed(4);
      return value === null ? '-' : String(value);
    }),
  );
}

function isRecord(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
