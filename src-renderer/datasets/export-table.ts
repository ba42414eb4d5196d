/**
 * A data set as a file: CSV, JSON lines and Parquet with a line for each row of the grid as it is, JSON as the command line reads it.
 * Each can be imported again without loss; reading is import-text.ts's and parquet.ts's.
 */
import type { DatasetContent } from '../../src-main/shared/contract-datasets.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { toCsv } from '../text/csv.ts';
import type { EditorTexts } from './editor-texts.ts';
import { targets } from './import-rows.ts';

/** Options are two further columns, from the first line down, whatever stands beside them. */
export function exportCsv(texts: EditorTexts): string {
  return toCsv([...targets], tableRows(texts));
}

/** One object on each line; what is empty is left out. */
export function exportJsonLines(texts: EditorTexts): string {
  return tableRows(texts)
    .map((cells) => {
      const held = cells.flatMap((cell, index) => (cell === '' ? [] : [[targets[index]!, cell] as const]));
      return `${JSON.stringify(Object.fromEntries(held))}\n`;
    })
    .join('');
}

/** The columns of the CSV as texts, what is empty null; lists of options are no lists but rows, as there. */
export async function exportParquet(texts: EditorTexts): Promise<Blob> {
  const { writeParquet } = await import('./parquet.ts');
  return new Blob([writeParquet(targets, tableRows(texts))]);
}

/** Each pair on a line of its own. */
export function exportJson(content: DatasetContent): string {
  return `${lines(content as unknown as Json, '')}\n`;
}

function lines(value: Json, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const isShort = value.length <= 2 && value.every((entry) => typeof entry !== 'object');
    if (isShort) return `[${value.map((entry) => JSON.stringify(entry)).join(', ')}]`;
    return `[\n${value.map((entry) => inner + lines(entry, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${lines(entry, inner)}`);
  return `{\n${entries.join(',\n')}\n${indent}}`;
}

function tableRows({ rows: all, options: { train, test } }: EditorTexts): string[][] {
  const rows = all.filter((cells) => cells.some((cell) => cell.trim() !== ''));
  const length = Math.max(rows.length, train.length, test.length);
  return Array.from({ length }, (_, index) => [...(rows[index] ?? ['', '', '', '']), train[index] ?? '', test[index] ?? '']);
}
