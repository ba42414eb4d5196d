/**
 * Which rows of an editing grid are shown, and in what order: sorting and filters over rows that somebody else holds and edits.
 * It changes no row.
 */
import type { Row } from './grid-history.ts';

export interface Sort {
  column: number;
  descending: boolean;
}

/** Ascending, descending, and back to the order of the data. */
export function nextSort(old: Sort | null, column: number): Sort | null {
  if (old?.column !== column) return { column, descending: false };
  return old.descending ? null : { column, descending: true };
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

export class GridView {
  #sort: Sort | null = null;
  #filters: readonly string[];
  /** Ids of the rows shown, in order; null: all rows as the data have them. */
  #shown: number[] | null = null;
  /** All rows as sorted, for as long as they and the sorting stay: typing a filter need not sort again. */
  #sorted: { from: readonly Row[]; by: Sort; rows: readonly Row[] } | null = null;
  /** Data row of each row shown, and the other way round; made when asked for. */
  #places: { data: number[]; shown: Map<number, number> } | null = null;

  constructor(columns: number) {
    this.#filters = Array.from({ length: columns }, () => '');
  }

  get sort(): Sort | null {
    return this.#sort;
  }

  get filters(): readonly string[] {
    return this.#filters;
  }

  /** Whether rows are shown as the data have them, all of them. */
  get isPlain(): boolean {
    return this.#shown === null;
  }

  /** How many rows are shown. */
  lengthOf(rows: readonly Row[]): number {
    return this.#shown?.length ?? rows.length;
  }

  /** The data row of a row shown, -1 where there is none. */
  dataRow(rows: readonly Row[], shown: number): number {
    return this.#shown === null ? shown : (this.#placesIn(rows).data[shown] ?? -1);
  }

  /** Where a data row is shown, -1 where it is filtered out. */
  shownRow(rows: readonly Row[], data: number): number {
    return this.#shown === null ? data : (this.#placesIn(rows).shown.get(data) ?? -1);
  }

  /** By a column's text, or (null) in the data's order. Equal texts keep the data's order. */
  setSort(rows: readonly Row[], sort: Sort | null): void {
    this.#sort = sort;
    this.#arrange(rows);
  }

  /** Only rows whose cell in each column has the filter's text somewhere, whatever the case; '' lets all pass. */
  setFilters(rows: readonly Row[], filters: readonly string[]): void {
    this.#filters = filters;
    this.#arrange(rows);
  }

  /**
   * Follows an edit in which `removed` made way for `inserted` at `at`; `rows` are those after it. While sorted or filtered, rows stay
   * where they are shown until asked again; new ones come after the row in front of them.
   */
  follow(rows: readonly Row[], at: number, removed: readonly Row[], inserted: readonly Row[]): void {
    this.#places = null;
    if (this.#shown === null) return;
    const stays = new Set(inserted.map(({ id }) => id));
    const was = new Set(removed.map(({ id }) => id));
    const shown = this.#shown.filter((id) => !was.has(id) || stays.has(id));
    const added = inserted.filter(({ id }) => !was.has(id)).map(({ id }) => id);
    if (added.length === 0) {
      this.#shown = shown;
      return;
    }
    const first = rows.findIndex(({ id }, index) => index >= at && id === added[0]);
    const place = first > 0 ? shown.indexOf(rows[first - 1]!.id) : -1;
    const behind = place >= 0 ? place + 1 : first === 0 ? 0 : shown.length;
    this.#shown = [...shown.slice(0, behind), ...added, ...shown.slice(behind)];
  }

  #arrange(rows: readonly Row[]): void {
    this.#places = null;
    const wanted = this.#filters
      .map((text, column) => ({ column, text: text.trim().toLowerCase() }))
      .filter(({ text }) => text !== '');
    if (wanted.length === 0 && this.#sort === null) {
      this.#shown = null;
      return;
    }
    const passes = ({ cells }: Row) => wanted.every(({ column, text }) => cells[column]!.toLowerCase().includes(text));
    this.#shown = this.#inOrder(rows)
      .filter(passes)
      .map(({ id }) => id);
  }

  #inOrder(rows: readonly Row[]): readonly Row[] {
    const by = this.#sort;
    if (by === null) return rows;
    if (this.#sorted?.from !== rows || this.#sorted.by !== by) {
      const sign = by.descending ? -1 : 1;
      const sorted = [...rows].sort((a, b) => sign * collator.compare(a.cells[by.column]!, b.cells[by.column]!));
      this.#sorted = { from: rows, by, rows: sorted };
    }
    return this.#sorted.rows;
  }

  #placesIn(rows: readonly Row[]): { data: number[]; shown: Map<number, number> } {
    if (this.#places === null) {
      const at = new Map(rows.map(({ id }, index) => [id, index]));
      const data = (this.#shown ?? []).map((id) => at.get(id)!);
      this.#places = { data, shown: new Map(data.map((row, index) => [row, index])) };
    }
    return this.#places;
  }
}
