/**
 * What the browser keeps of the data editor between visits: drafts that were not saved yet, and column widths.
 * Versions are the host's; where the browser keeps nothing, the editor works all the same.
 */
import type { EditorTexts } from './editor-texts.ts';

export interface Draft extends EditorTexts {
  /** Number of the version that it changes; 0: none yet. */
  base: number;
  /** ISO 8601. */
  written: string;
}

/** The part of `localStorage` that is needed. */
export type Keeper = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const draftKey = (dataset: number) => `hopscope.dataset-draft.${dataset}`;
const widthKey = (grid: string) => `hopscope.column-widths.${grid}`;

/** Null where there is none, or none that can be read. */
export function readDraft(keeper: Keeper, dataset: number): Draft | null {
  const value = read(keeper, draftKey(dataset)) as Partial<Draft> | null;
  const isTable = (list: unknown): list is string[][] =>
    Array.isArray(list) && list.every((row) => Array.isArray(row) && row.every((cell) => typeof cell === 'string'));
  const { base, written, rows, options } = value ?? {};
  if (typeof base !== 'number' || typeof written !== 'string' || !isTable(rows) || !isTable([options?.train, options?.test]))
    return null;
  return value as Draft;
}

/** False where it could not be kept: no room, or not allowed. */
export function writeDraft(keeper: Keeper, dataset: number, draft: Draft): boolean {
  return write(keeper, draftKey(dataset), draft);
}

export function removeDraft(keeper: Keeper, dataset: number): void {
  try {
    keeper.removeItem(draftKey(dataset));
  } catch {
    // Nothing was kept then.
  }
}

/** Widths in pixels, as many as `standard` has. */
export function readWidths(keeper: Keeper, grid: string, standard: readonly number[]): number[] {
  const value = read(keeper, widthKey(grid));
  const good =
    Array.isArray(value) && value.length === standard.length && value.every((width) => Number.isFinite(width) && width > 0);
  return good ? (value as number[]) : [...standard];
}

export function writeWidths(keeper: Keeper, grid: string, widths: readonly number[]): void {
  write(keeper, widthKey(grid), widths);
}

function read(keeper: Keeper, key: string): unknown {
  try {
    return JSON.parse(keeper.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

function write(keeper: Keeper, key: string, value: unknown): boolean {
  try {
    keeper.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
