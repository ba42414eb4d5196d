/**
 * What is selected in an editing grid, as state: the range, the cell that has the keyboard, and when it should come into view.
 * Where keys lead is datasets/selection.ts's; rows and their texts are not known here.
 */
import {
  type Extent,
  extendTo,
  moved,
  type Position,
  type Range,
  rangeOf,
  type Selection,
  selectAll,
  selectCell,
  selectRow,
  tabbed,
  within,
} from '../datasets/selection.ts';

export class GridSelection {
  #current = $state.raw<Selection>(selectCell(0, 0));
  #page = 10;
  #focusAsked = $state(0);
  #columns: number;
  #rows: () => number;

  /** `rows`: how many are shown, read whenever it matters. */
  constructor(columns: number, rows: () => number) {
    this.#columns = columns;
    this.#rows = rows;
  }

  get current(): Selection {
    return this.#current;
  }

  get focus(): Position {
    return this.#current.focus;
  }

  readonly range: Range = $derived.by(() => rangeOf(this.#current, this.#columns));

  /** Counted up where the focused cell should come into view and take the keyboard. */
  get focusAsked(): number {
    return this.#focusAsked;
  }

  /** Rows that fit on the screen, for the page keys. */
  set page(rows: number) {
    this.#page = Math.max(1, rows);
  }

  get #extent(): Extent {
    return { rows: this.#rows(), columns: this.#columns, page: this.#page };
  }

  isFocus({ row, column }: Position): boolean {
    return this.focus.row === row && this.focus.column === column;
  }

  /** The first cell, without asking for the keyboard. */
  reset(): void {
    this.#current = selectCell(0, 0);
  }

  askFocus(): void {
    this.#focusAsked++;
  }

  cell(row: number, column: number, extend = false): void {
    this.#current = extend ? extendTo(this.#current, row, column) : selectCell(row, column);
    this.#focusAsked++;
  }

  wholeRow(row: number, extend: boolean): void {
    this.#current = selectRow(this.#current, row, extend);
    this.#focusAsked++;
  }

  all(): void {
    this.#current = selectAll(this.#extent);
  }

  /** The cells of a range, its first one the anchor; the keyboard stays where it is. */
  block({ top, bottom, left, right }: Range): void {
    this.#current = { anchor: { row: top, column: left }, focus: { row: bottom, column: right }, wholeRows: false };
  }

  shift(by: number): void {
    const { anchor, focus, wholeRows } = this.#current;
    const shifted = ({ row, column }: Position) => ({ row: row + by, column });
    this.#current = { anchor: shifted(anchor), focus: shifted(focus), wholeRows };
    this.#focusAsked++;
  }

  /** Only what still exists. */
  clamp(): void {
    this.#current = within(this.#current, this.#extent);
  }

  /** Where a key of movement leads, null where it is none. */
  target(key: string, control: boolean): Position | null {
    return moved(this.focus, key, control, this.#extent);
  }

  /** The next or the previous cell, null at the grid's ends. */
  tabTarget(back: boolean): Position | null {
    return tabbed(this.focus, back, this.#extent);
  }
}
