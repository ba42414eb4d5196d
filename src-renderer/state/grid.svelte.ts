/**
 * An editing grid as state: its rows, what is selected, the cell being edited, column widths, and what keys and buttons do to them.
 * The rows and their history are grid-model.ts's; nothing is drawn here.
 */
import { fromClipboard, toClipboard } from '../datasets/clipboard.ts';
import { type CellChange, GridModel, type Sort } from '../datasets/grid-model.ts';
import { type Keeper, readWidths, writeWidths } from '../datasets/kept-locally.ts';
import {
  contains,
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
import { plural } from '../text/format.ts';

export interface GridColumn {
  title: string;
  /** Pixels at first. */
  width: number;
}

export const narrowest = 80;
export const widest = 900;

export class GridState {
  readonly columns: readonly GridColumn[];
  #model: GridModel;
  #revision = $state(0);
  #selection = $state.raw<Selection>(selectCell(0, 0));
  /** The text that is being written into the focused cell; null: nothing is. */
  #draft = $state<string | null>(null);
  #widths = $state.raw<readonly number[]>([]);
  #page = 10;
  #name: string;
  #keeper: Keeper;
  /** What was done last, for those who do not see it. */
  #notice = $state('');
  /** Counted up where the focused cell should come into view and take the keyboard. */
  #focusAsked = $state(0);

  /** `name`: under which widths are remembered. */
  constructor(name: string, columns: readonly GridColumn[], rows: readonly (readonly string[])[], keeper: Keeper) {
    this.columns = columns;
    this.#name = name;
    this.#keeper = keeper;
    this.#model = this.#modelOf(rows);
    this.#widths = readWidths(
      keeper,
      name,
      columns.map(({ width }) => width),
    );
  }

  /** Read within an effect or a template, it is followed. */
  get model(): GridModel {
    void this.#revision;
    return this.#model;
  }

  /** Counts changes of the rows or their order. */
  get revision(): number {
    return this.#revision;
  }

  get selection(): Selection {
    return this.#selection;
  }

  readonly range: Range = $derived.by(() => rangeOf(this.#selection, this.columns.length));

  get draft(): string | null {
    return this.#draft;
  }

  set draft(text: string | null) {
    this.#draft = text;
  }

  get widths(): readonly number[] {
    return this.#widths;
  }

  get notice(): string {
    return this.#notice;
  }

  get focusAsked(): number {
    return this.#focusAsked;
  }

  get extent(): Extent {
    return { rows: this.model.length, columns: this.columns.length, page: this.#page };
  }

  /** Rows that fit on the screen, for the page keys. */
  set page(rows: number) {
    this.#page = Math.max(1, rows);
  }

  isSelected(row: number, column: number): boolean {
    return contains(this.range, row, column);
  }

  isFocused(row: number, column: number): boolean {
    return this.#selection.focus.row === row && this.#selection.focus.column === column;
  }

  /** Other rows with a history of their own. */
  load(rows: readonly (readonly string[])[]): void {
    this.#model = this.#modelOf(rows);
    this.#selection = selectCell(0, 0);
    this.#draft = null;
    this.#revision++;
  }

  select(row: number, column: number, extend = false): void {
    this.commit();
    this.#selection = extend ? extendTo(this.#selection, row, column) : selectCell(row, column);
    this.#focusAsked++;
  }

  selectRow(row: number, extend: boolean): void {
    this.commit();
    this.#selection = selectRow(this.#selection, row, extend);
    this.#focusAsked++;
  }

  selectAll(): void {
    this.#selection = selectAll(this.extent);
  }

  /** Goes where a key leads; false where it is no key of movement. */
  move(key: string, { control, shift }: { control: boolean; shift: boolean }): boolean {
    const to = moved(this.#selection.focus, key, control, this.extent);
    if (to !== null) this.select(to.row, to.column, shift);
    return to !== null;
  }

  /** The next or the previous cell; false at the grid's ends. */
  tab(back: boolean): boolean {
    const to = tabbed(this.#selection.focus, back, this.extent);
    if (to !== null) this.select(to.row, to.column);
    return to !== null;
  }

  /** Begins to edit the focused cell, with its text or (typed over) with another one. */
  edit(text?: string): void {
    if (this.model.length === 0) return;
    const { row, column } = this.#selection.focus;
    this.#draft = text ?? this.#model.text(row, column);
  }

  /** Puts the written text into its cell. */
  commit(): void {
    if (this.#draft === null) return;
    const { row, column } = this.#selection.focus;
    const text = this.#draft;
    this.#draft = null;
    this.#model.setCells([{ row: this.#model.dataRow(row), column, text }]);
  }

  /** Leaves the cell as it was. */
  cancel(): void {
    this.#draft = null;
    this.#focusAsked++;
  }

  copied(): string {
    const { top, bottom, left, right } = this.range;
    this.#say(`Copied ${cellsOf(this.range)}.`);
    return toClipboard(this.#model.block({ top, bottom, left, right }));
  }

  cut(): string {
    const text = this.copied();
    this.#model.clear(this.range, 'cut');
    this.#say(`Cut ${cellsOf(this.range)}.`);
    return text;
  }

  paste(text: string): void {
    if (text === '') return;
    const { range, droppedColumns } = this.#model.paste(this.range, fromClipboard(text));
    this.#selection = {
      anchor: { row: range.top, column: range.left },
      focus: { row: range.bottom, column: range.right },
      wholeRows: false,
    };
    this.#say(`Pasted ${cellsOf(range)}.${droppedColumns > 0 ? ` ${plural(droppedColumns, 'column')} had no place.` : ''}`);
  }

  clear(): void {
    this.#model.clear(this.range);
  }

  deleteRows(): void {
    const rows = this.range.bottom - this.range.top + 1;
    this.#model.deleteShown(this.range);
    this.#clamp();
    this.#say(`Deleted ${plural(rows, 'row')}.`);
  }

  insertRow(where: 'above' | 'below'): void {
    const { top, bottom } = this.range;
    const empty = this.#model.length === 0;
    const at = empty ? 0 : where === 'above' ? this.#model.dataRow(top) : this.#model.dataRow(bottom) + 1;
    this.#model.insertRows(at, [[]]);
    this.select(empty || where === 'above' ? top : bottom + 1, this.#selection.focus.column);
  }

  duplicate(): void {
    this.#model.duplicate(this.range);
    this.#say(`Duplicated ${plural(this.range.bottom - this.range.top + 1, 'row')}.`);
  }

  fillDown(): void {
    this.#model.fillDown(this.range);
  }

  moveRows(by: -1 | 1): void {
    if (!this.#model.move(this.range, by)) {
      if (!this.#model.isPlain) this.#say('Rows can be moved in the order of the data only: clear sorting and filters.');
      return;
    }
    const { anchor, focus, wholeRows } = this.#selection;
    const shifted = ({ row, column }: Position) => ({ row: row + by, column });
    this.#selection = { anchor: shifted(anchor), focus: shifted(focus), wholeRows };
    this.#focusAsked++;
  }

  undo(): void {
    this.#afterHistory('Undid', this.#model.undoLabel, this.#model.undo());
  }

  redo(): void {
    this.#afterHistory('Redid', this.#model.redoLabel, this.#model.redo());
  }

  setCells(changes: readonly CellChange[], label: string): void {
    this.#model.setCells(changes, label);
  }

  /** Ascending, descending, and back to the order of the data. */
  toggleSort(column: number): void {
    this.commit();
    const old = this.#model.sort;
    const next: Sort | null =
      old?.column !== column ? { column, descending: false } : old.descending ? null : { column, descending: true };
    this.#model.setSort(next);
    const title = this.columns[column]!.title;
    this.#say(
      next === null ? 'In the order of the data.' : `Sorted by ${title}, ${next.descending ? 'descending' : 'ascending'}.`,
    );
  }

  setFilter(column: number, text: string): void {
    this.#model.setFilter(column, text);
    this.#clamp();
  }

  clearView(): void {
    this.#model.clearFilters();
    this.#model.setSort(null);
    this.#clamp();
  }

  setWidth(column: number, width: number): void {
    const fitting = Math.round(Math.max(narrowest, Math.min(width, widest)));
    this.#widths = this.#widths.map((old, index) => (index === column ? fitting : old));
    writeWidths(this.#keeper, this.#name, this.#widths);
  }

  #modelOf(rows: readonly (readonly string[])[]): GridModel {
    return new GridModel(this.columns.length, rows, () => {
      this.#revision++;
    });
  }

  #afterHistory(verb: string, label: string | null, row: number | null): void {
    this.#draft = null;
    if (row === null) return;
    const shown = this.#model.shownRow(Math.min(row, this.#model.rows.length - 1));
    this.#selection = within(selectCell(Math.max(0, shown), this.#selection.focus.column), this.extent);
    this.#focusAsked++;
    this.#say(`${verb}: ${label}.`);
  }

  #clamp(): void {
    this.#selection = within(this.#selection, this.extent);
  }

  #say(text: string): void {
    this.#notice = text;
  }
}

function cellsOf({ top, bottom, left, right }: Range): string {
  return plural((bottom - top + 1) * (right - left + 1), 'cell');
}
