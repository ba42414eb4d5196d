/**
 * The edits of a grid in order, to be taken back and done again. An edit is one stretch of rows that made way for another;
 * grid-model.ts makes and applies them.
 */

/** A row keeps its identity through edits. Never changed in place. */
export interface Row {
  readonly id: number;
  readonly cells: readonly string[];
}

/** At `at` the rows `removed` made way for `inserted`. */
export interface Edit {
  label: string;
  at: number;
  removed: readonly Row[];
  inserted: readonly Row[];
}

/** Rows that the history may hold in all: what is older is forgotten. */
const mostKeptRows = 4_000_000;
const mostEdits = 2000;

export class GridHistory {
  #undo: Edit[] = [];
  #redo: Edit[] = [];
  #kept = 0;

  /** The edit that undoing takes back. */
  get last(): Edit | null {
    return this.#undo.at(-1) ?? null;
  }

  /** The edit that redoing does again. */
  get next(): Edit | null {
    return this.#redo.at(-1) ?? null;
  }

  /** Edits that were taken back are forgotten. */
  add(edit: Edit): void {
    this.#kept += sizeOf(edit) - this.#redo.reduce((sum, undone) => sum + sizeOf(undone), 0);
    this.#redo = [];
    this.#undo.push(edit);
    while (this.#undo.length > 1 && (this.#undo.length > mostEdits || this.#kept > mostKeptRows))
      this.#kept -= sizeOf(this.#undo.shift()!);
  }

  undo(): Edit | null {
    const edit = this.#undo.pop();
    if (edit !== undefined) this.#redo.push(edit);
    return edit ?? null;
  }

  redo(): Edit | null {
    const edit = this.#redo.pop();
    if (edit !== undefined) this.#undo.push(edit);
    return edit ?? null;
  }
}

/** The smallest edit that leads from some rows to others. */
export function editBetween(label: string, old: readonly Row[], next: readonly Row[]): Edit {
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start++;
  let end = 0;
  while (end < old.length - start && end < next.length - start && old.at(-1 - end) === next.at(-1 - end)) end++;
  return { label, at: start, removed: old.slice(start, old.length - end), inserted: next.slice(start, next.length - end) };
}

function sizeOf({ removed, inserted }: Edit): number {
  return removed.length + inserted.length;
}
