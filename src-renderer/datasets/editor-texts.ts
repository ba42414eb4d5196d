/**
 * All texts of a data set's grids at one moment, and whether two moments hold the same. It knows neither grids nor versions.
 */
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import { rowsOf } from './facts-table.ts';

export interface EditorTexts {
  rows: string[][];
  options: { train: string[]; test: string[] };
}

export const noTexts: EditorTexts = { rows: [], options: { train: [], test: [] } };

/** What grids hold that show this content. */
export function textsOf(content: LinkedFacts): EditorTexts {
  const { train, test } = content.options;
  return { rows: rowsOf(content), options: { train: [...train], test: [...test] } };
}

/** Rows behind others, so that no implication follows from another fact than before: those of no fact stay in front of all. */
export function appended(rows: readonly (readonly string[])[], more: readonly (readonly string[])[]): (readonly string[])[] {
  const isFact = ([prompt = '', continuation = '']: readonly string[]) => prompt.trim() !== '' || continuation.trim() !== '';
  const first = more.findIndex(isFact);
  const alone = first < 0 ? more : more.slice(0, first);
  return [...alone, ...rows, ...more.slice(alone.length)];
}

/** Whether two hold the same; rows without any text are nothing. */
export function sameTexts(a: EditorTexts, b: EditorTexts): boolean {
  const [rows, others] = [a, b].map((texts) => texts.rows.filter((cells) => cells.some(Boolean)));
  return (
    same(a.options.train, b.options.train) &&
    same(a.options.test, b.options.test) &&
    rows!.length === others!.length &&
    rows!.every((cells, index) => same(cells, others![index]!))
  );
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}
