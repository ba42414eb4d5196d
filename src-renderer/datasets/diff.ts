/**
 * What differs between the rows of two versions: rows added, removed and changed. Rows that are alike are found as the longest
 * sequence in the same order; between two of them rows are compared by place. It draws nothing.
 */

export interface RowDifference {
  kind: 'added' | 'removed' | 'changed';
  /** Row numbers from 0, in the earlier and the later version. */
  before: number | null;
  after: number | null;
  /** Cells of each; null where there is no such row. */
  old: readonly string[] | null;
  new: readonly string[] | null;
}

export interface TableDifference {
  rows: RowDifference[];
  added: number;
  removed: number;
  changed: number;
}

type Cells = readonly string[];

/** In the order of the later version. */
export function compareRows(before: readonly Cells[], after: readonly Cells[]): TableDifference {
  const matched = sameRows(before, after);
  const rows: RowDifference[] = [];
  let [old, next] = [0, 0];
  for (const [sameOld, sameNext] of [...matched, [before.length, after.length] as const]) {
    rows.push(...between(before, after, [old, sameOld], [next, sameNext]));
    [old, next] = [sameOld + 1, sameNext + 1];
  }
  const count = (kind: RowDifference['kind']) => rows.filter((row) => row.kind === kind).length;
  return { rows, added: count('added'), removed: count('removed'), changed: count('changed') };
}

/** Texts of one list that the other does not have. */
export function compareTexts(before: readonly string[], after: readonly string[]): { added: string[]; removed: string[] } {
  const [old, next] = [new Set(before), new Set(after)];
  return { added: [...next].filter((text) => !old.has(text)), removed: [...old].filter((text) => !next.has(text)) };
}

/** Rows of a stretch without any that is alike: by place where a cell stayed, the others added and removed. */
function between(
  before: readonly Cells[],
  after: readonly Cells[],
  [oldStart, oldEnd]: readonly [number, number],
  [newStart, newEnd]: readonly [number, number],
): RowDifference[] {
  const rows: RowDifference[] = [];
  let [old, next] = [oldStart, newStart];
  const shares = (a: Cells, b: Cells) => a.some((cell, column) => cell !== '' && cell === b[column]);
  while (old < oldEnd || next < newEnd) {
    const [oldCells, newCells] = [old < oldEnd ? before[old]! : null, next < newEnd ? after[next]! : null];
    if (oldCells !== null && newCells !== null && (shares(oldCells, newCells) || oldEnd - old === newEnd - next)) {
      rows.push({ kind: 'changed', before: old++, after: next++, old: oldCells, new: newCells });
    } else if (oldCells !== null && (newCells === null || oldEnd - old > newEnd - next)) {
      rows.push({ kind: 'removed', before: old++, after: null, old: oldCells, new: null });
    } else {
      rows.push({ kind: 'added', before: null, after: next++, old: null, new: newCells });
    }
  }
  return rows;
}

/** Pairs [before, after] of rows that are alike, both ascending: the longest increasing sequence of first places (patience sorting). */
function sameRows(before: readonly Cells[], after: readonly Cells[]): (readonly [number, number])[] {
  const places = new Map<string, number[]>();
  for (let index = before.length - 1; index >= 0; index--) {
    const key = JSON.stringify(before[index]);
    const list = places.get(key);
    if (list) list.push(index);
    else places.set(key, [index]);
  }
  const piles: { old: number; next: number; under: number }[][] = [];
  for (const [next, cells] of after.entries()) {
    const old = places.get(JSON.stringify(cells))?.pop();
    if (old === undefined) continue;
    let [low, high] = [0, piles.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (piles[middle]!.at(-1)!.old < old) low = middle + 1;
      else high = middle;
    }
    const under = low === 0 ? -1 : piles[low - 1]!.length - 1;
    if (low === piles.length) piles.push([]);
    piles[low]!.push({ old, next, under });
  }
  const pairs: (readonly [number, number])[] = [];
  let place = (piles.at(-1)?.length ?? 0) - 1;
  for (let pile = piles.length - 1; pile >= 0; pile--) {
    const card = piles[pile]![place]!;
    pairs.push([card.old, card.next]);
    place = card.under;
  }
  return pairs.reverse();
}
