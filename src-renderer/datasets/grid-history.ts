/**
 * The edits of a grid, or of several with one history, in order, to be taken back and done again. An edit is one stretch of rows that
 * made way for another; grid-model.ts makes and applies them. What is edited at once in several grids is one step.
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

/** What rows are held by. */
export interface EditTarget {
  /** At `at`, as many rows as `removed` says make way for others. */
  replace(at: number, removed: number, inserted: readonly Row[]): void;
}

/** Edits that are taken back and done again together. */
export interface Step {
  label: string;
  edits: { target: EditTarget; edit: Edit }[];
}

/** Rows that the history may hold in all: what is older is forgotten. */
const mostKeptRows = 4_000_000;
const mostSteps = 2000;

export class GridHistory {
  #undo: Step[] = [];
  #redo: Step[] = [];
  #kept = 0;
  /** The step being put together; null: each edit is a step of its own. */
  #open: Step | null = null;

  /** The step that undoing takes back. */
  get last(): Step | null {
    return this.#undo.at(-1) ?? null;
  }

  /** The step that redoing does again. */
  get next(): Step | null {
    return this.#redo.at(-1) ?? null;
  }

  /** Steps that were taken back are forgotten. */
  add(target: EditTarget, edit: Edit): void {
    if (this.#open !== null) this.#open.edits.push({ target, edit });
    else this.#push({ label: edit.label, edits: [{ target, edit }] });
  }

  /** All that `work` edits is one step. */
  together(label: string, work: () => void): void {
    const step: Step = { label, edits: [] };
    this.#open = step;
    try {
      work();
    } finally {
      this.#open = null;
      if (step.edits.length > 0) this.#push(step);
    }
  }

  undo(): Step | null {
    const step = this.#undo.pop();
    if (step === undefined) return null;
    this.#redo.push(step);
    for (const { target, edit } of [...step.edits].reverse()) target.replace(edit.at, edit.inserted.length, edit.removed);
    return step;
  }

  redo(): Step | null {
    const step = this.#redo.pop();
    if (step === undefined) return null;
    this.#undo.push(step);
    for (const { target, edit } of step.edits) target.replace(edit.at, edit.removed.length, edit.inserted);
    return step;
  }

  /** Nothing can be taken back any more. */
  clear(): void {
    this.#undo = [];
    this.#redo = [];
    this.#kept = 0;
  }

  #push(step: Step): void {
    this.#kept += sizeOf(step) - this.#redo.reduce((sum, undone) => sum + sizeOf(undone), 0);
    this.#redo = [];
    this.#undo.push(step);
    while (this.#undo.length > 1 && (this.#undo.length > mostSteps || this.#kept > mostKeptRows))
      this.#kept -= sizeOf(this.#undo.shift()!);
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

function sizeOf({ edits }: Step): number {
  return edits.reduce((sum, { edit }) => sum + edit.removed.length + edit.inserted.length, 0);
}
