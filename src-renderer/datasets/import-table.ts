/**
 * A file's text as a table with line numbers, and the table's columns as the cells of a data set. Every problem names its line.
 * It reads CSV, JSON and JSON lines; bytes are decode.ts's.
 */
import type { DatasetContent } from '../../src-main/shared/contract-datasets.ts';
import { type Delimiter, detectDelimiter, parseCsv } from './csv.ts';
import { factsOf } from './facts-table.ts';

export type ImportFormat = 'csv' | 'jsonl' | 'json';

/** `line` counts from 1; `column` is '' where the line as a whole is meant. */
export interface ImportProblem {
  line: number;
  column: string;
  code: string;
  message: string;
}

export interface ImportTable {
  columns: string[];
  rows: { line: number; cells: string[] }[];
  problems: ImportProblem[];
  /** Where the file is a whole data set and no table. */
  content: { kind: 'facts' | 'daxwug'; content: DatasetContent } | null;
}

/** What columns of a file can become, by the names that exports give them. */
export const targets = [
  'fact_prompt',
  'fact_continuation',
  'implication_prompt',
  'implication_continuation',
  'fact_option',
  'implication_option',
] as const;
export type Target = (typeof targets)[number];

/** The column of the file for each target, -1: none. */
export type Mapping = Record<Target, number>;

/** Most rows of a data set. */
export const mostRows = 50_000;
/** Problems named at most. */
export const mostProblems = 100;

/** By the file's ending, else by how the text begins. */
export function formatOf(name: string, text: string): ImportFormat {
  if (/\.(jsonl|ndjson)$/i.test(name)) return 'jsonl';
  if (/\.json$/i.test(name)) return 'json';
  if (/\.(csv|tsv|txt)$/i.test(name)) return 'csv';
  const begin = text.trimStart();
  if (begin.startsWith('[')) return 'json';
  return begin.startsWith('{') ? (/^\{.*\}\s*[\r\n]+\s*\{/.test(begin) ? 'jsonl' : 'json') : 'csv';
}

/** Without `delimiter` it is found out. */
export function readCsv(text: string, { delimiter, header }: { delimiter?: Delimiter; header: boolean }): ImportTable {
  const { records, problem } = parseCsv(text, delimiter ?? detectDelimiter(text));
  const problems: ImportProblem[] = problem === null ? [] : [{ ...problem, column: '' }];
  const width = records[0]?.fields.length ?? 0;
  const columns = Array.from(
    { length: width },
    (_, index) => (header ? records[0]!.fields[index]!.trim() : '') || `Column ${index + 1}`,
  );
  for (const { line, fields } of records) {
    if (fields.length === width) continue;
    const message = `The line has ${fields.length} cells, the first one has ${width}.`;
    problems.push({ line, column: '', code: 'WrongCellCount', message });
  }
  const rows = (header ? records.slice(1) : records).map(({ line, fields }) => ({
    line,
    cells: columns.map((_, index) => fields[index] ?? ''),
  }));
  return finished({ columns, rows, problems, content: null });
}

/** Objects, one on each line; keys become columns in order of appearance. */
export function readJsonLines(text: string): ImportTable {
  const problems: ImportProblem[] = [];
  const objects: { line: number; value: unknown }[] = [];
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line.trim() === '') continue;
    try {
      objects.push({ line: index + 1, value: JSON.parse(line) });
    } catch (error) {
      problems.push({ line: index + 1, column: '', code: 'BadJson', message: `This is not JSON: ${messageOf(error)}.` });
    }
  }
  return tableOf(objects, problems);
}

/** A whole data set as `hopscope` reads them, or a list of objects or of lists of texts. */
export function readJson(text: string): ImportTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const line = lineOf(error, text);
    return finished({
      columns: [],
      rows: [],
      content: null,
      problems: [{ line, column: '', code: 'BadJson', message: `This is not JSON: ${messageOf(error)}.` }],
    });
  }
  if (isRecord(value) && 'variant_1' in value) return whole('daxwug', value);
  if (isRecord(value) && 'train' in value && 'test' in value) return whole('facts', value);
  const list = isRecord(value) && Array.isArray(value.pairs) ? value.pairs : value;
  if (!Array.isArray(list)) {
    const message = 'The file is neither a data set (train, test and options) nor a list of rows.';
    return finished({ columns: [], rows: [], content: null, problems: [{ line: 1, column: '', code: 'BadDataset', message }] });
  }
  // A list has no line of its own for each entry: its number stands in.
  return tableOf(
    list.map((entry: unknown, index) => ({
      line: index + 1,
      value: Array.isArray(entry) ? Object.fromEntries(entry.map((cell, place) => [`Column ${place + 1}`, cell])) : entry,
    })),
    [],
  );
}

const synonyms: Record<Target, RegExp> = {
  fact_prompt: /^(fact|train)?(prompt|question|sentence|fact)$/,
  fact_continuation: /^(fact|train)?(continuation|answer|completion|target)$/,
  implication_prompt: /^(implication|test)(prompt|question|sentence)?$/,
  implication_continuation: /^(implication|test)(continuation|answer|completion|target)$/,
  fact_option: /^(fact|train)options?$/,
  implication_option: /^(implication|test)options?$/,
};

/** The targets that columns seem to be, by name; of two columns and two or four in all, by place. */
export function guessMapping(columns: readonly string[]): Mapping {
  const names = columns.map((column) => column.toLowerCase().replaceAll(/[^a-z]/g, ''));
  const taken = new Set<number>();
  const found = targets.map((target) => {
    const index = names.findIndex((name, place) => !taken.has(place) && synonyms[target].test(name));
    if (index >= 0) taken.add(index);
    return [target, index] as const;
  });
  const mapping = Object.fromEntries(found) as Mapping;
  if (taken.size > 0 || columns.length < 2) return mapping;
  return Object.fromEntries(
    targets.map((target, index) => [target, index < 4 && index < columns.length ? index : -1]),
  ) as Mapping;
}

export interface ImportedRows {
  /** Cells of the grid. */
  rows: string[][];
  options: { train: string[]; test: string[] };
  problems: ImportProblem[];
}

/** The grid's rows of a table. Options are those of their columns; where none are mapped, the different answers. */
export function importRows(table: ImportTable, mapping: Mapping): ImportedRows {
  const problems: ImportProblem[] = [];
  const say = (line: number, column: string, code: string, message: string) =>
    void problems.push({ line, column, code, message });
  for (const [prompt, continuation] of [
    ['fact_prompt', 'fact_continuation'],
    ['implication_prompt', 'implication_continuation'],
  ] as const) {
    if (mapping[prompt] >= 0 !== mapping[continuation] >= 0) {
      const missing = mapping[prompt] < 0 ? prompt : continuation;
      say(1, missing, 'MissingColumn', `No column is chosen for the ${missing.replace('_', ' ')}.`);
    }
  }
  if (mapping.fact_prompt < 0 && mapping.implication_prompt < 0)
    say(1, 'fact_prompt', 'MissingColumn', 'No column is chosen for the fact prompt.');
  const cellOf = (cells: readonly string[], target: Target) => cells[mapping[target]] ?? '';
  const kept = table.rows
    .map(({ line, cells }) => ({ line, cells: targets.slice(0, 4).map((target) => cellOf(cells, target)) }))
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const rows = kept.map(({ cells }) => cells);
  const listed = (target: Target) =>
    table.rows.map(({ cells }) => cellOf(cells, target)).filter((option) => option.trim() !== '');
  const found = factsOf(rows, { train: [], test: [] });
  for (const { row, column } of found.problems) {
    const name = table.columns[mapping[targets[column]!]] ?? '';
    say(kept[row]!.line, name, 'MissingCell', `The ${targets[column]!.replace('_', ' ')} is missing.`);
  }
  if (rows.length > mostRows)
    say(
      kept[mostRows]!.line,
      '',
      'TooManyRows',
      `The file has ${rows.length} rows; at most ${mostRows} are kept in one data set.`,
    );
  const answers = (pairs: readonly (readonly string[])[]) => [...new Set(pairs.map((pair) => pair[1]!))];
  const options = {
    train: mapping.fact_option >= 0 ? listed('fact_option') : answers(found.content.train),
    test: mapping.implication_option >= 0 ? listed('implication_option') : answers(found.content.test),
  };
  return { rows, options, problems: problems.slice(0, mostProblems) };
}

function tableOf(objects: readonly { line: number; value: unknown }[], problems: ImportProblem[]): ImportTable {
  const columns = [...new Set(objects.flatMap(({ value }) => (isRecord(value) ? Object.keys(value) : [])))];
  const rows = objects.flatMap(({ line, value }) => {
    if (isRecord(value)) return [{ line, cells: columns.map((column) => cellOf(value, column, line, problems)) }];
    problems.push({ line, column: '', code: 'BadRow', message: 'The row is no object with a text for each column.' });
    return [];
  });
  return finished({ columns, rows, problems, content: null });
}

function cellOf(row: Record<string, unknown>, column: string, line: number, problems: ImportProblem[]): string {
  const value = Object.hasOwn(row, column) ? row[column] : null;
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  problems.push({
    line,
    column,
    code: 'BadCell',
    message: `The cell holds ${Array.isArray(value) ? 'a list' : 'an object'}, not a text.`,
  });
  return '';
}

function whole(kind: 'facts' | 'daxwug', value: object): ImportTable {
  return { columns: [], rows: [], problems: [], content: { kind, content: value as unknown as DatasetContent } };
}

function finished(table: ImportTable): ImportTable {
  if (table.rows.length === 0 && table.problems.length === 0)
    return { ...table, problems: [{ line: 1, column: '', code: 'EmptyFile', message: 'The file has no rows.' }] };
  return { ...table, problems: table.problems.slice(0, mostProblems) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The line that a parser's message points to. */
function lineOf(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(messageOf(error))?.[1];
  return position === undefined ? 1 : text.slice(0, Number(position)).split('\n').length;
}
