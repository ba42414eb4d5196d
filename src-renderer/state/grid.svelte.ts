/**
 * An editing grid as state: its rows, the cell being edited, and what keys and buttons do to them.
 * Rows and history are grid-model.ts's, what is selected grid-selection.svelte.ts's; nothing is drawn here.
 */
import { fromClipboard, toClipboard } from '../datasets/clipboard.ts';
import { type CellChange, GridModel, type GridRules } from '../datasets/grid-model.ts';
import { nextSort } from '../datasets/grid-view.ts';
import type { Keeper } from '../datasets/kept-locally.ts';
import type { Position, Range, Selection } from '../datasets/selection.ts';
import { plural } from '../text/format.ts';
import { ColumnWidths } from './column-widths.svelte.ts';
import { GridSelection } from './grid-selection.svelte.ts';

export interface GridColumn {
  title: string;
  /** Pixels at first. */
  width: number;
}

/** What is told of an edit that reached further than was selected, and the way to take it back; false: other edits came since. */
export interface EditNews {
  text: string;
  undo: () => boolean;
}

export class GridState {
  /** Called where an edit reached further than was selected. */
  tell: (news: EditNews) => void = () => {};
  readonly columns: readonly GridColumn[];
  #model: GridModel;
  #rules: GridRules;
  #revision = $state(0);
  readonly selected: GridSelection;
  /** The text that is being written into the focused cell; null: nothing is. */
  #draft = $state<string | null>(null);
  readonly widths: ColumnWidths;
  /** What was done last, for those who do not see it. */
  #notice = $state('');

  /** `name`: under which widths are remembered. */
  constructor(
    name: string,
    columns: readonly GridColumn[],
    rows: readonly (readonly string[])[],
    keeper: Keeper,
    rules: GridRules = {},
  ) {
    this.columns = columns;
    this.#rules = rules;
    this.#model = this.#modelOf(rows);
    this.selected = new GridSelection(columns.length, () => this.model.length);
    const standard = columns.map(({ width }) => width);
    this.widths = new ColumnWidths(name, standard, keeper);
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
    return this.selected.current;
  }

  get range(): Range {
    return this.selected.range;
  }

  get draft(): string | null {
    return this.#draft;
  }

  set draft(text: string | null) {
    this.#draft = text;
  }

  get notice(): string {
    return this.#notice;
  }

  isFocused(row: number, column: number): boolean {
    return this.selected.isFocus({ row, column });
  }

  /** Other rows with a history of their own. */
  load(rows: readonly (readonly string[])[]): void {
    this.#rules.history?.clear();
    this.#model = this.#modelOf(rows);
    this.selected.reset();
    this.#draft = null;
    this.#revision++;
  }

  select(row: number, column: number, extend = false): void {
    this.commit();
    this.selected.cell(row, column, extend);
  }

  selectRow(row: number, extend: boolean): void {
    this.commit();
    this.selected.wholeRow(row, extend);
  }

  selectAll(): void {
    this.selected.all();
  }

  /** Goes where a key leads; false where it is no key of movement. */
  move(key: string, { control, shift }: { control: boolean; shift: boolean }): boolean {
    return this.#goTo(this.selected.target(key, control), shift);
  }

  /** The next or the previous cell; false at the grid's ends. */
  tab(back: boolean): boolean {
    return this.#goTo(this.selected.tabTarget(back), false);
  }

  /** Begins to edit the focused cell, with its text or (typed over) with another one. */
  edit(text?: string): void {
    if (this.model.length === 0) return;
    const { row, column } = this.selected.focus;
    this.#draft = text ?? this.#model.text(row, column);
  }

  /** Puts the written text into its cell. */
  commit(): void {
    if (this.#draft === null) return;
    const { row, column } = this.selected.focus;
    const text = this.#draft;
    this.#draft = null;
    this.#model.setCells([{ row: this.#model.dataRow(row), column, text }]);
  }

  /** Leaves the cell as it was. */
  cancel(): void {
    this.#draft = null;
    this.selected.askFocus();
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
    const first = this.#model.at(this.range.top)?.id;
    const { range, droppedColumns } = this.#model.paste(this.range, fromClipboard(text));
    // The rows may have gone behind others, so that those stay with their fact.
    const moved = this.#model.shownRow(this.#model.rows.findIndex(({ id }) => id === first)) - range.top;
    this.selected.block(moved > 0 ? { ...range, top: range.top + moved, bottom: range.bottom + moved } : range);
    this.selected.clamp();
    this.#say(`Pasted ${cellsOf(range)}.${droppedColumns > 0 ? ` ${plural(droppedColumns, 'column')} had no place.` : ''}`);
  }

  clear(): void {
    this.#model.clear(this.range);
  }

  deleteRows(): void {
    const rows = this.range.bottom - this.range.top + 1;
    const further = this.#model.deleteShown(this.range);
    const step = this.#model.lastStep;
    this.selected.clamp();
    const text = `Deleted ${plural(rows, 'row')}${further === 0 ? '' : ` and ${plural(further, 'further implication')} of what was in ${rows === 1 ? 'it' : 'them'}`}.`;
    this.#say(text);
    if (further === 0) return;
    const undo = () => {
      if (this.#model.lastStep !== step) return false;
      this.undo();
      return true;
    };
    this.tell({ text, undo });
  }

  insertRow(where: 'above' | 'below'): void {
    const { top, bottom } = this.range;
    const empty = this.#model.length === 0;
    const { column } = this.selected.focus;
    const wanted = empty ? 0 : where === 'above' ? this.#model.dataRow(top) : this.#model.dataRow(bottom) + 1;
    // In a column of facts it is the place of another fact, which must not come between one and its implications.
    const at = column < (this.#rules.headColumns ?? 0) ? this.#model.headPlace(wanted) : wanted;
    this.#model.insertRows(at, [[]]);
    const shown = this.#model.shownRow(at);
    this.select(shown >= 0 ? shown : empty || where === 'above' ? top : bottom + 1, column);
  }

  duplicate(): void {
    this.#model.duplicate(this.range);
    this.#say(`Duplicated ${plural(this.range.bottom - this.range.top + 1, 'row')}.`);
  }

  fillDown(): void {
    this.#model.fillDown(this.range);
  }

  moveRows(by: -1 | 1): void {
    const moved = this.#model.move(this.range, by);
    if (moved !== 0) this.selected.shift(moved);
    else if (!this.#model.isPlain) this.#say('Rows can be moved in the order of the data only: clear sorting and filters.');
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
    const next = nextSort(this.#model.sort, column);
    this.#model.setSort(next);
    const title = this.columns[column]!.title;
    this.#say(
      next === null ? 'In the order of the data.' : `Sorted by ${title}, ${next.descending ? 'descending' : 'ascending'}.`,
    );
  }

  setFilter(column: number, text: string): void {
    this.#model.setFilter(column, text);
    this.selected.clamp();
  }

  clearView(): void {
    this.#model.clearFilters();
    this.#model.setSort(null);
    this.selected.clamp();
  }

  #modelOf(rows: readonly (readonly string[])[]): GridModel {
    const changed = () => {
      this.#revision++;
    };
    return new GridModel(this.columns.length, rows, changed, this.#rules);
  }

  #afterHistory(verb: string, label: string | null, row: number | null): void {
    this.#draft = null;
    if (row === null) return;
    this.#say(`${verb}: ${label}.`);
    // The other grids of the history, whose rows these are, follow by themselves.
    if (row >= 0) {
      const shown = this.#model.shownRow(Math.min(row, this.#model.rows.length - 1));
      this.selected.cell(Math.max(0, shown), this.selected.focus.column);
    }
    this.selected.clamp();
  }

  #goTo(place: Position | null, extend: boolean): boolean {
    if (place !== null) this.select(place.row, place.column, extend);
    return place !== null;
  }

  #say(text: string): void {
    this.#notice = text;
  }
}

function cellsOf({ top, bottom, left, right }: Range): string {
  return plural((bottom - top + 1) * (right - left + 1), 'cell');
}
