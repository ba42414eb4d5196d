/**
 * What a file's table is while it is imported: columns, cells as they were found, and problems by the line or row they are in.
 * Text is read by import-text.ts, Parquet by parquet.ts; what becomes of the cells is import-rows.ts's.
 */
import type { DatasetContent } from '../../src-main/shared/contract-datasets.ts';

/** A text, a list of texts, or what is there instead, in words. */
export type Cell = string | readonly string[] | { readonly unreadable: string };

/** `line` counts from 1, in lines or rows as the table says; `column` is '' where the line as a whole is meant. */
export interface ImportProblem {
  line: number;
  column: string;
  code: string;
  message: string;
}

export interface ImportTable {
  columns: string[];
  rows: { line: number; cells: Cell[] }[];
  problems: ImportProblem[];
  /** What was read otherwise than it is written, though it can be taken. */
  notes: string[];
  /** What `line` counts: a list in JSON and Parquet have no lines. */
  unit: 'line' | 'row';
  /** Where the file is a whole data set and no table. */
  content: { kind: 'facts' | 'daxwug'; content: DatasetContent } | null;
}

/** Objects with the line or row of each, before anything is made of them. */
export interface RecordList {
  records: { line: number; value: unknown }[];
  problems: ImportProblem[];
  unit: 'line' | 'row';
}

/** Problems named at most. */
export const mostProblems = 100;

/** Records as a table; their keys become columns in order of appearance. */
export function tableOf({ records, problems: earlier, unit }: RecordList): ImportTable {
  const problems = [...earlier];
  const columns = [...new Set(records.flatMap(({ value }) => (isRecord(value) ? Object.keys(value) : [])))];
  const rows = records.flatMap(({ line, value }) => {
    if (isRecord(value))
      return [{ line, cells: columns.map((column) => cellOf(Object.hasOwn(value, column) ? value[column] : null)) }];
    problems.push({ line, column: '', code: 'BadRow', message: 'The row is no object with a text for each column.' });
    return [];
  });
  return finished({ columns, rows, problems, notes: numberNotes(records, unit), unit, content: null });
}

/** Values that are no texts and become some, by column. */
function numberNotes(records: RecordList['records'], unit: RecordList['unit']): string[] {
  const found = new Map<string, { count: number; line: number }>();
  for (const { line, value } of records) {
    if (!isRecord(value)) continue;
    for (const [column, cell] of Object.entries(value)) {
      const isOther = (entry: unknown) => typeof entry === 'number' || typeof entry === 'bigint' || typeof entry === 'boolean';
      if (!(Array.isArray(cell) ? cell.some(isOther) : isOther(cell))) continue;
      const known = found.get(column);
      if (known) known.count++;
      else found.set(column, { count: 1, line });
    }
  }
  return [...found].map(
    ([column, { count, line }]) =>
      `${column}: ${count === 1 ? '1 cell holds' : `${count} cells hold`} numbers or true and false, first in ${unit} ${line}; they are taken as texts.`,
  );
}

/** The table with as many problems as are named; one without any row has the problem that it is empty. */
export function finished(table: ImportTable): ImportTable {
  if (table.rows.length === 0 && table.problems.length === 0)
    return { ...table, problems: [{ line: 1, column: '', code: 'EmptyFile', message: 'The file has no rows.' }] };
  return { ...table, problems: table.problems.slice(0, mostProblems) };
}

/** What a value is as a cell; nothing at all is an empty text. */
export function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return '';
  const text = textOf(value);
  if (text !== null) return text;
  if (value instanceof Uint8Array) return { unreadable: 'bytes that are no UTF-8 text' };
  if (!Array.isArray(value)) return { unreadable: 'an object' };
  const texts = value.map(textOf);
  return texts.includes(null) ? { unreadable: 'a list of other things than texts' } : (texts as string[]);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? '' : value.toISOString();
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : null;
}
