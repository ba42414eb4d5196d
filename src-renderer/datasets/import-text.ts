/**
 * A file's text as a table or as records, with line numbers: CSV, JSON and JSON lines. Every problem names its line.
 * Bytes are decode.ts's, what becomes of the cells import-rows.ts's.
 */
import type { Daxwug } from '../../src-main/shared/records.ts';
import { type Delimiter, detectDelimiter, parseCsv } from './csv.ts';
import { finished, type ImportProblem, type ImportTable, isRecord, type RecordList } from './import-table.ts';
import { readWhole } from './whole-dataset.ts';

export type TextFormat = 'csv' | 'jsonl' | 'json';

/** By the file's ending, else by how the text begins. */
export function formatOf(name: string, text: string): TextFormat {
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
  const { columns, notes } = numbered(
    Array.from({ length: width }, (_, index) => (header ? records[0]!.fields[index]!.trim() : '') || `Column ${index + 1}`),
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
  return finished({ columns, rows, problems, notes, unit: 'line', content: null });
}

/** Names of which each is there once: of equal ones, the later are numbered. */
function numbered(names: readonly string[]): { columns: string[]; notes: string[] } {
  const taken = new Set(names);
  const seen = new Set<string>();
  const notes: string[] = [];
  const columns = names.map((name) => {
    if (!seen.has(name)) {
      seen.add(name);
      return name;
    }
    let number = 2;
    while (taken.has(`${name} (${number})`)) number++;
    const other = `${name} (${number})`;
    taken.add(other);
    notes.push(`Another column is called “${name}” already; this one is “${other}” here.`);
    return other;
  });
  return { columns, notes };
}

/** Values, one on each line. */
export function readJsonLines(text: string): RecordList {
  const problems: ImportProblem[] = [];
  const records: RecordList['records'] = [];
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (line.trim() === '') continue;
    try {
      records.push({ line: index + 1, value: JSON.parse(line) });
    } catch (error) {
      problems.push({ line: index + 1, column: '', code: 'BadJson', message: `This is not JSON: ${messageOf(error)}.` });
    }
  }
  return { records, problems, unit: 'line' };
}

/** A whole data set as `hopscope` reads them, or a list of objects or of lists of texts. */
export function readJson(text: string): RecordList | ImportTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refused(lineOf(error, text), 'BadJson', `This is not JSON: ${messageOf(error)}.`);
  }
  if (isRecord(value) && 'variant_1' in value) return whole({ kind: 'daxwug', content: value as unknown as Daxwug });
  if (isRecord(value) && 'train' in value && 'test' in value) {
    const { content, problems } = readWhole(value);
    return content === null ? { ...whole(null), problems } : whole({ kind: 'facts', content });
  }
  const list = isRecord(value) && Array.isArray(value.pairs) ? value.pairs : value;
  if (!Array.isArray(list))
    return refused(1, 'BadDataset', 'The file is neither a data set (train, test and options) nor a list of rows.');
  const records = list.map((entry: unknown, index) => ({
    line: index + 1,
    value: Array.isArray(entry) ? Object.fromEntries(entry.map((cell, place) => [`Column ${place + 1}`, cell])) : entry,
  }));
  return { records, problems: [], unit: 'row' };
}

function whole(content: ImportTable['content']): ImportTable {
  return { columns: [], rows: [], problems: [], notes: [], unit: 'row', content };
}

function refused(line: number, code: string, message: string): RecordList {
  return { records: [], problems: [{ line, column: '', code, message }], unit: 'line' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The line that a parser's message points to. */
function lineOf(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(messageOf(error))?.[1];
  return position === undefined ? 1 : text.slice(0, Number(position)).split('\n').length;
}
