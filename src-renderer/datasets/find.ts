/**
 * Finding and replacing in the cells of a grid: plain text, never a pattern. It changes nothing itself.
 */
import type { CellChange, GridModel } from './grid-model.ts';
import type { Position } from './selection.ts';

export interface FindQuery {
  text: string;
  matchCase: boolean;
  /** The cell as a whole, not a part of it. */
  wholeCell: boolean;
}

/** The cells shown that have the text, in reading order. */
export function findCells(grid: GridModel, query: FindQuery): Position[] {
  const pattern = patternOf(query);
  if (pattern === null) return [];
  const found: Position[] = [];
  for (let row = 0; row < grid.length; row++) {
    const { cells } = grid.at(row)!;
    for (let column = 0; column < cells.length; column++) {
      pattern.lastIndex = 0;
      if (pattern.test(cells[column]!)) found.push({ row, column });
    }
  }
  return found;
}

/** The changes that replace the text in the given cells, and how often it occurs there. */
export function replacements(
  grid: GridModel,
  cells: readonly Position[],
  query: FindQuery,
  replacement: string,
): { changes: CellChange[]; count: number } {
  const pattern = patternOf(query);
  let count = 0;
  const changes = cells.map(({ row, column }) => ({
    row: grid.dataRow(row),
    column,
    text: grid.text(row, column).replaceAll(pattern ?? /$^/g, () => {
      count++;
      return replacement;
    }),
  }));
  return { changes, count };
}

/** The first found cell after a position (or before), going round; its index, -1 where there is none. */
export function nextCell(found: readonly Position[], { row, column }: Position, back: boolean): number {
  if (found.length === 0) return -1;
  const ahead = found.findIndex((cell) => cell.row > row || (cell.row === row && cell.column > column));
  if (!back) return Math.max(0, ahead);
  const here = found.findIndex((cell) => cell.row > row || (cell.row === row && cell.column >= column));
  return here > 0 ? here - 1 : found.length - 1;
}

function patternOf({ text, matchCase, wholeCell }: FindQuery): RegExp | null {
  if (text === '') return null;
  const plain = text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  return new RegExp(wholeCell ? `^${plain}$` : plain, matchCase ? 'gu' : 'giu');
}
