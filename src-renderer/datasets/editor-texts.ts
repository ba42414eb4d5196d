/**
 * All texts of a data set's grids at one moment, and whether two moments hold the same. It knows neither grids nor versions.
 */

export interface EditorTexts {
  rows: string[][];
  options: { train: string[]; test: string[] };
}

export const noTexts: EditorTexts = { rows: [], options: { train: [], test: [] } };

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
