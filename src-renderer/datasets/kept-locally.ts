/**
 * What the browser keeps of the data editor between visits: column widths, and drafts until the host has them.
 * Drafts and versions are the host's; where the browser keeps nothing, the editor works all the same.
 */
import type { DatasetDraft } from '../../src-main/shared/contract-datasets.ts';

/** The part of `localStorage` that is needed. */
export type Keeper = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/** `owner` names a data set among those of all data folders. */
const draftKey = (owner: string) => `hopscope.dataset-draft.${owner}`;
const widthKey = (grid: string) => `hopscope.column-widths.${grid}`;

/** Null where there is none, or none that can be read. */
export function readDraft(keeper: Keeper, owner: string): DatasetDraft | null {
  const value = readKept(keeper, draftKey(owner)) as Partial<DatasetDraft> | null;
  const isTable = (list: unknown): list is string[][] =>
    Array.isArray(list) && list.every((row) => Array.isArray(row) && row.every((cell) => typeof cell === 'string'));
  const { base, written, rows, options } = value ?? {};
  if (typeof base !== 'number' || typeof written !== 'string' || !isTable(rows) || !isTable([options?.train, options?.test]))
    return null;
  return value as DatasetDraft;
}

/** False where it could not be kept: no room, or not allowed. */
export function writeDraft(keeper: Keeper, owner: string, draft: DatasetDraft): boolean {
  return writeKept(keeper, draftKey(owner), draft);
}

/** In the place of a draft, that there is none any more since `ended`; until the host knows it. */
export function writeDraftEnd(keeper: Keeper, owner: string, ended: string): void {
  writeKept(keeper, draftKey(owner), { ended });
}

/** When the draft ended, null where that is not kept. */
export function readDraftEnd(keeper: Keeper, owner: string): string | null {
  const { ended } = (readKept(keeper, draftKey(owner)) ?? {}) as { ended?: unknown };
  return typeof ended === 'string' ? ended : null;
}

export function removeDraft(keeper: Keeper, owner: string): void {
  removeKept(keeper, draftKey(owner));
}

/** Widths in pixels, as many as `standard` has. */
export function readWidths(keeper: Keeper, grid: string, standard: readonly number[]): number[] {
  const value = readKept(keeper, widthKey(grid));
  const good =
    Array.isArray(value) && value.length === standard.length && value.every((width) => Number.isFinite(width) && width > 0);
  return good ? (value as number[]) : [...standard];
}

export function writeWidths(keeper: Keeper, grid: string, widths: readonly number[]): void {
  writeKept(keeper, widthKey(grid), widths);
}

/** The JSON kept under a key; null where there is none, or none that can be read. */
export function readKept(keeper: Keeper, key: string): unknown {
  try {
    return JSON.parse(keeper.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

/** False where it could not be kept. */
export function writeKept(keeper: Keeper, key: string, value: unknown): boolean {
  try {
    keeper.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function removeKept(keeper: Keeper, key: string): void {
  try {
    keeper.removeItem(key);
  } catch {
    // Nothing was kept then.
  }
}
