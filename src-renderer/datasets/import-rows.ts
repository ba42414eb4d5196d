/**
 * A table's columns as the cells of a data set: which column is what, and the rows and options that follow. Problems name their line.
 * How the table came about is import-text.ts's and parquet.ts's; records of model editing are edit-records.ts's.
 */
import { mostRows } from '../../src-main/shared/dataset-limits.ts';
import { factsOf } from './facts-table.ts';
import { type Cell, type ImportProblem, type ImportTable, mostProblems } from './import-table.ts';

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

export interface ImportedRows {
  /** Cells of the grid. */
  rows: string[][];
  options: { train: string[]; test: string[] };
  problems: ImportProblem[];
}

const synonyms: Record<Target, RegExp> = {
  fact_prompt: /^(fact|train)?(prompt|question|sentence|fact)$/,
  fact_continuation: /^(fact|train)?(continuation|answer|completion|target|targetnew)$/,
  implication_prompt: /^(implication|test)(prompt|question|sentence)?$/,
  implication_continuation: /^(implication|test)(continuation|answer|completion|target)$/,
  fact_option: /^(fact|train)?(options?|choices|candidates)$/,
  implication_option: /^(implication|test)(options?|choices|candidates)$/,
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

/** The grid's rows of a table. Options are those of their columns; where none are mapped, the different answers. */
export function importRows(table: ImportTable, mapping: Mapping): ImportedRows {
  const problems = missingColumns(mapping);
  const kept = table.rows
    .map(({ line, cells }) => ({
      line,
      cells: targets
        .slice(0, 4)
        .map((target) => textOf(table, cells[mapping[target]] ?? '', { line, target, mapping }, problems)),
    }))
    .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const rows = kept.map(({ cells }) => cells);
  const found = factsOf(rows, { train: [], test: [] });
  for (const { row, column } of found.problems) {
    const target = targets[column]!;
    const { line } = kept[row]!;
    // What could not be read is named already.
    if (problems.some((problem) => problem.line === line && problem.code === 'BadCell')) continue;
    const name = table.columns[mapping[target]] ?? '';
    problems.push({ line, column: name, code: 'MissingCell', message: `The ${target.replace('_', ' ')} is missing.` });
  }
  if (rows.length > mostRows) {
    const message = `The file has ${rows.length} rows; at most ${mostRows} are kept in one data set.`;
    problems.push({ line: kept[mostRows]!.line, column: '', code: 'TooManyRows', message });
  }
  const options = {
    train: mapping.fact_option >= 0 ? optionsOf(table, 'fact_option', mapping, problems) : answersOf(found.content.train),
    test:
      mapping.implication_option >= 0 ? optionsOf(table, 'implication_option', mapping, problems) : answersOf(found.content.test),
  };
  return { rows, options, problems: problems.slice(0, mostProblems) };
}

/** The different continuations of pairs, in order of appearance. */
export function answersOf(pairs: readonly (readonly string[])[]): string[] {
  return [...new Set(pairs.map((pair) => pair[1]!))];
}

function missingColumns(mapping: Mapping): ImportProblem[] {
  const wanted = [
    ['fact_prompt', 'fact_continuation'],
    ['implication_prompt', 'implication_continuation'],
  ] as const;
  const missing = wanted.flatMap(([prompt, continuation]): Target[] => {
    if (mapping[prompt] >= 0 === mapping[continuation] >= 0) return [];
    return [mapping[prompt] < 0 ? prompt : continuation];
  });
  if (mapping.fact_prompt < 0 && mapping.implication_prompt < 0 && missing.length === 0) missing.push('fact_prompt');
  return missing.map((target) => ({
    line: 1,
    column: target,
    code: 'MissingColumn',
    message: `No column is chosen for the ${target.replace('_', ' ')}.`,
  }));
}

/** The text of a cell that must be one; what is none is named, and is empty. */
function textOf(
  table: ImportTable,
  cell: Cell,
  { line, target, mapping }: { line: number; target: Target; mapping: Mapping },
  problems: ImportProblem[],
): string {
  if (typeof cell === 'string') return cell;
  const holds = 'unreadable' in cell ? cell.unreadable : 'a list';
  const column = table.columns[mapping[target]] ?? '';
  problems.push({ line, column, code: 'BadCell', message: `The cell holds ${holds}, not a text.` });
  return '';
}

/**
 * The options of a column, from the first row down as exports write them. Where rows hold lists, as in `["Oslo", "Rome"]`, every option
 * of any row once; a column with the export's own name holds one text in each cell, whatever that looks like.
 */
function optionsOf(table: ImportTable, target: Target, mapping: Mapping, problems: ImportProblem[]): string[] {
  const isOurs = table.columns[mapping[target]] === target;
  let hasLists = false;
  const options = table.rows.flatMap(({ line, cells }) => {
    const cell = cells[mapping[target]] ?? '';
    const list = typeof cell === 'string' ? (isOurs ? null : listIn(cell)) : 'unreadable' in cell ? null : cell;
    if (list === null) return [textOf(table, cell, { line, target, mapping }, problems)];
    hasLists = true;
    return list;
  });
  const filled = options.filter((option) => option.trim() !== '');
  return hasLists ? [...new Set(filled)] : filled;
}

/** The texts of a JSON list written into one cell; null where it is none. */
function listIn(text: string): string[] | null {
  if (!/^\s*\[/.test(text)) return null;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((entry) => typeof entry === 'string') ? list : null;
  } catch {
    return null;
  }
}
