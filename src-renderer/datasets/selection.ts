/**
 * What is selected in a grid and where keys take it: a rectangle from an anchor to a focus, in rows as they are shown.
 * It knows sizes only, neither cells nor what is done with them.
 */

/** A cell as shown: `row` counts the rows in view. */
export interface Position {
  row: number;
  column: number;
}

export interface Selection {
  anchor: Position;
  /** The cell that has the keyboard. */
  focus: Position;
  /** Whole rows, chosen by their headers. */
  wholeRows: boolean;
}

/** Inclusive bounds. */
export interface Range {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Size of the grid, and how many rows a page key passes. */
export interface Extent {
  rows: number;
  columns: number;
  page: number;
}

export function selectCell(row: number, column: number): Selection {
  return { anchor: { row, column }, focus: { row, column }, wholeRows: false };
}

/** From the same anchor to another focus. */
export function extendTo(selection: Selection, row: number, column: number): Selection {
  return { ...selection, focus: { row, column }, wholeRows: false };
}

/** Whole rows; with `extend` from the anchor's row on. */
export function selectRow(selection: Selection, row: number, extend: boolean): Selection {
  const from = extend ? selection.anchor.row : row;
  return { anchor: { row: from, column: 0 }, focus: { row, column: 0 }, wholeRows: true };
}

export function selectAll({ rows, columns }: Extent): Selection {
  return {
    anchor: { row: 0, column: 0 },
    focus: { row: Math.max(0, rows - 1), column: Math.max(0, columns - 1) },
    wholeRows: true,
  };
}

export function rangeOf({ anchor, focus, wholeRows }: Selection, columns: number): Range {
  return {
    top: Math.min(anchor.row, focus.row),
    bottom: Math.max(anchor.row, focus.row),
    left: wholeRows ? 0 : Math.min(anchor.column, focus.column),
    right: wholeRows ? columns - 1 : Math.max(anchor.column, focus.column),
  };
}

export function contains({ top, bottom, left, right }: Range, row: number, column: number): boolean {
  return row >= top && row <= bottom && column >= left && column <= right;
}

/** The whole numbers from one to another, both among them. */
export function stretch(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

/** A selection that still exists in a grid of another size. */
export function within(selection: Selection, { rows, columns }: Extent): Selection {
  const clamp = ({ row, column }: Position): Position => ({
    row: Math.max(0, Math.min(row, rows - 1)),
    column: Math.max(0, Math.min(column, columns - 1)),
  });
  return { ...selection, anchor: clamp(selection.anchor), focus: clamp(selection.focus) };
}

/** Where a key takes the focus, or null where it is no key of movement. `control`: to the edge. */
export function moved({ row, column }: Position, key: string, control: boolean, extent: Extent): Position | null {
  const { rows, columns, page } = extent;
  const last = { row: Math.max(0, rows - 1), column: Math.max(0, columns - 1) };
  const to = (wantedRow: number, wantedColumn: number): Position => ({
    row: Math.max(0, Math.min(wantedRow, last.row)),
    column: Math.max(0, Math.min(wantedColumn, last.column)),
  });
  switch (key) {
    case 'ArrowUp':
      return to(control ? 0 : row - 1, column);
    case 'ArrowDown':
      return to(control ? last.row : row + 1, column);
    case 'ArrowLeft':
      return to(row, control ? 0 : column - 1);
    case 'ArrowRight':
      return to(row, control ? last.column : column + 1);
    case 'Home':
      return to(control ? 0 : row, 0);
    case 'End':
      return to(control ? last.row : row, last.column);
    case 'PageUp':
      return to(row - page, column);
    case 'PageDown':
      return to(row + page, column);
    default:
      return null;
  }
}

/** The next cell in reading order (or the one before), null beyond the grid's ends. */
export function tabbed({ row, column }: Position, back: boolean, { rows, columns }: Extent): Position | null {
  const next = row * columns + column + (back ? -1 : 1);
  if (next < 0 || next >= rows * columns) return null;
  return { row: Math.floor(next / columns), column: next % columns };
}
