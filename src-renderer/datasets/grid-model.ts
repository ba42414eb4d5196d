/**
 * The rows behind an editing grid: cells of text and edits that can be undone, each replacing one stretch of rows by another.
 * Which rows are shown is grid-view.ts's, which stay together row-blocks.ts's, what is selected selection.ts's; nothing is drawn here.
 */
import { tiled } from './clipboard.ts';
import { type EditTarget, editBetween, GridHistory, type Row, type Step } from './grid-history.ts';
import { GridView, type Sort } from './grid-view.ts';
import { headPlace, keptTogether, movedRows, withFollowers } from './row-blocks.ts';
import { type Range, stretch } from './selection.ts';

/** A new text for one cell; `row` counts the data's rows. */
export interface CellChange {
  row: number;
  column: number;
  text: string;
}

/** How a grid's rows hang together, and with what other grids they share their history. */
export interface GridRules {
  /** So many columns make a row the head of the rows below that have nothing there; 0: rows stand alone. */
  headColumns?: number;
  history?: GridHistory;
}

export class GridModel implements EditTarget {
  readonly columns: number;
  #rows: Row[];
  #nextId = 1;
  #history: GridHistory;
  #headColumns: number;
  #view: GridView;
  #changed: () => void;

  /** `changed` is called after every change of rows or of their order. Where there would be no row, there is an empty one to write in. */
  constructor(
    columns: number,
    rows: readonly (readonly string[])[],
    changed: () => void = () => {},
    { headColumns = 0, history = new GridHistory() }: GridRules = {},
  ) {
    this.columns = columns;
    this.#headColumns = headColumns;
    this.#history = history;
    this.#view = new GridView(columns);
    this.#rows = (rows.length === 0 ? [[]] : rows).map((cells) => this.#row(cells));
    this.#changed = changed;
  }

  /** All rows in the data's order. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** The cells of all rows in the data's order. */
  cells(): string[][] {
    return this.#rows.map(({ cells }) => [...cells]);
  }

  /** How many rows are shown. */
  get length(): number {
    return this.#view.lengthOf(this.#rows);
  }

  /** The data row of a row shown. */
  dataRow(shown: number): number {
    return this.#view.dataRow(this.#rows, shown);
  }

  /** Where a data row is shown, -1 where it is filtered out. */
  shownRow(data: number): number {
    return this.#view.shownRow(this.#rows, data);
  }

  at(shown: number): Row | undefined {
    return this.#rows[this.dataRow(shown)];
  }

  text(shown: number, column: number): string {
    return this.at(shown)?.cells[column] ?? '';
  }

  /** The texts of a range as shown. */
  block({ top, bottom, left, right }: Range): string[][] {
    return stretch(top, Math.min(bottom, this.length - 1)).map((row) => [...(this.at(row)?.cells.slice(left, right + 1) ?? [])]);
  }

  get sort(): Sort | null {
    return this.#view.sort;
  }

  get filters(): readonly string[] {
    return this.#view.filters;
  }

  /** Whether rows are shown as the data have them, all of them. */
  get isPlain(): boolean {
    return this.#view.isPlain;
  }

  /** Shows rows by a column's text, or (null) in the data's order again. Equal texts keep the data's order. */
  setSort(sort: Sort | null): void {
    this.#view.setSort(this.#rows, sort);
    this.#changed();
  }

  /** Shows only rows whose cell has `text` somewhere, whatever the case; '' shows all. */
  setFilter(column: number, text: string): void {
    this.#filter(this.filters.map((old, index) => (index === column ? text : old)));
  }

  clearFilters(): void {
    this.#filter(this.filters.map(() => ''));
  }

  /** What undoing takes back; null: nothing. */
  get undoLabel(): string | null {
    return this.#history.last?.label ?? null;
  }

  get redoLabel(): string | null {
    return this.#history.next?.label ?? null;
  }

  /** What undoing takes back, as a thing to be compared. */
  get lastStep(): Step | null {
    return this.#history.last;
  }

  /** Takes the last step back, which may be another grid's; returns the first data row here that it concerned, null where there was none. */
  undo(): number | null {
    return this.#firstRow(this.#history.undo());
  }

  redo(): number | null {
    return this.#firstRow(this.#history.redo());
  }

  /** Puts texts into cells. Returns how many of them were different. */
  setCells(changes: readonly CellChange[], label = 'edit'): number {
    const next = [...this.#rows];
    let changed = 0;
    for (const { row, column, text } of changes) {
      const old = next[row];
      if (old === undefined || column < 0 || column >= this.columns || old.cells[column] === text) continue;
      changed++;
      next[row] = { id: old.id, cells: old.cells.map((cell, index) => (index === column ? text : cell)) };
    }
    if (changed > 0) this.#commit(label, next);
    return changed;
  }

  /** Puts rows in front of a data row. */
  insertRows(at: number, rows: readonly (readonly string[])[], label = 'insert rows'): void {
    if (rows.length === 0) return;
    const next = [...this.#rows.slice(0, at), ...rows.map((cells) => this.#row(cells)), ...this.#rows.slice(at)];
    this.#commit(label, this.#together(next));
  }

  /** Where a row that is to be a head goes so that it parts no rows from theirs: at `at` or behind the rows that belong together there. */
  headPlace(at: number): number {
    return headPlace(this.#rows, at, this.#headColumns);
  }

  /** Removes the rows shown from `top` to `bottom`, and those that belong to one of them; returns how many the latter are. */
  deleteShown({ top, bottom }: Range): number {
    const asked = new Set(this.#dataRowsOf(top, bottom));
    if (asked.size === 0) return 0;
    const doomed = withFollowers(this.#rows, asked, this.#headColumns);
    this.#commit(
      'delete rows',
      this.#rows.filter((_, index) => !doomed.has(index)),
    );
    return doomed.size - asked.size;
  }

  /** Empties the cells of a range. */
  clear(range: Range, label = 'clear cells'): void {
    this.#fillRange(range, label, () => '');
  }

  /** Copies a range's first row into its others. */
  fillDown(range: Range): void {
    this.#fillRange({ ...range, top: range.top + 1 }, 'fill down', (column) => this.text(range.top, column));
  }

  /** Copies of the rows shown from `top` to `bottom`, put behind the last of them. */
  duplicate({ top, bottom }: Range): void {
    const data = this.#dataRowsOf(top, bottom);
    if (data.length === 0) return;
    this.insertRows(
      data.reduce((last, row) => Math.max(last, row), 0) + 1,
      data.map((row) => this.#rows[row]!.cells),
      'duplicate rows',
    );
  }

  /**
   * Moves rows up (-1) or down (1) by one; a head goes with its rows, and past the whole of the one that it changes places with. Returns by
   * how many rows: 0 where order is not the data's own, or there is no place.
   */
  move({ top, bottom }: Range, by: -1 | 1): number {
    const moved = this.isPlain ? movedRows(this.#rows, [top, bottom], by, this.#headColumns) : null;
    if (moved === null) return 0;
    this.#commit('move rows', moved.rows);
    return moved.by;
  }

  /**
   * Puts a block of texts over a range: repeated where the range is a whole number of blocks, else once from its first cell on.
   * Rows beyond the last are added. Returns the range that was written and how many columns had no place.
   */
  paste(range: Range, block: readonly (readonly string[])[]): { range: Range; droppedColumns: number } {
    const texts = tiled(block, { rows: range.bottom - range.top + 1, columns: range.right - range.left + 1 });
    const wide = texts[0]?.length ?? 0;
    if (wide === 0) return { range, droppedColumns: 0 };
    const written = Math.min(wide, this.columns - range.left);
    const next = [...this.#rows];
    const shown = this.length;
    for (const [row, pasted] of texts.entries()) {
      const data = range.top + row < shown ? this.dataRow(range.top + row) : next.length;
      const { id, cells } = next[data] ?? this.#row([]);
      next[data] = {
        id,
        cells: [...cells.slice(0, range.left), ...pasted.slice(0, written), ...cells.slice(range.left + written)],
      };
    }
    this.#commit('paste', this.#together(next));
    return {
      range: { top: range.top, bottom: range.top + texts.length - 1, left: range.left, right: range.left + written - 1 },
      droppedColumns: wide - written,
    };
  }

  /** Everything anew as one edit that can be undone. */
  replaceAllRows(rows: readonly (readonly string[])[], label: string): void {
    this.#commit(
      label,
      rows.map((cells) => this.#row(cells)),
    );
  }

  replace(at: number, removed: number, inserted: readonly Row[]): void {
    const before = this.#rows;
    this.#rows = before.slice(0, at).concat(inserted, before.slice(at + removed));
    this.#view.follow(this.#rows, at, before.slice(at, at + removed), inserted);
    this.#changed();
  }

  /** The rows after an edit, each still with its head. */
  #together(next: readonly Row[]): readonly Row[] {
    return keptTogether(this.#rows, next, this.#headColumns);
  }

  /** The first data row that a step concerned here, -1 where it concerned other grids alone, null where there was none. */
  #firstRow(step: Step | null): number | null {
    if (step === null) return null;
    return step.edits.find(({ target }) => target === this)?.edit.at ?? -1;
  }

  #fillRange({ top, bottom, left, right }: Range, label: string, textOf: (column: number) => string): void {
    const changes = this.#dataRowsOf(top, bottom).flatMap((row) =>
      stretch(left, right).map((column) => ({ row, column, text: textOf(column) })),
    );
    this.setCells(changes, label);
  }

  #row(cells: readonly string[]): Row {
    return { id: this.#nextId++, cells: Array.from({ length: this.columns }, (_, column) => cells[column] ?? '') };
  }

  #dataRowsOf(top: number, bottom: number): number[] {
    return stretch(Math.max(0, top), Math.min(bottom, this.length - 1)).map((shown) => this.dataRow(shown));
  }

  /** Makes `next` the rows and remembers the stretch that differs. */
  #commit(label: string, next: readonly Row[]): void {
    const edit = editBetween(label, this.#rows, next.length === 0 ? [this.#row([])] : next);
    if (edit.removed.length + edit.inserted.length === 0) return;
    this.#history.add(this, edit);
    this.replace(edit.at, edit.removed.length, edit.inserted);
  }

  #filter(filters: readonly string[]): void {
    this.#view.setFilters(this.#rows, filters);
    this.#changed();
  }
}
