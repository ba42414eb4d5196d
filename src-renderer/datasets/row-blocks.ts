/**
 * Which rows of a grid belong together: a row with something in its first columns heads the rows below that have nothing there.
 * It is about rows in the data's order and knows no facts; the grid's edits keep rows with their head by it.
 */
import type { Row } from './grid-history.ts';

/** Whether a row has something in the columns that make it a head. With no such column every row is one. */
export function isHead({ cells }: Row, headColumns: number): boolean {
  return headColumns === 0 || cells.slice(0, headColumns).some((cell) => cell.trim() !== '');
}

/** The places of `doomed` and of the rows that belong to a head among them. */
export function withFollowers(rows: readonly Row[], doomed: ReadonlySet<number>, headColumns: number): Set<number> {
  const all = new Set(doomed);
  let goes = false;
  rows.forEach((row, index) => {
    if (isHead(row, headColumns)) goes = doomed.has(index);
    else if (goes && !isEmpty(row)) all.add(index);
  });
  return all;
}

/**
 * The rows after an edit, with every row that the edit left alone below the head it had, where that is still a head. Rows that came
 * between are put behind the rows of the head above them.
 */
export function keptTogether(old: readonly Row[], next: readonly Row[], headColumns: number): readonly Row[] {
  if (headColumns === 0) return next;
  const before = headsOf(old, headColumns);
  const texts = new Map(old.map((row) => [row.id, row]));
  const heads = new Set(next.filter((row) => isHead(row, headColumns)).map(({ id }) => id));
  const now = headsOf(next, headColumns);
  const first: Row[] = [];
  const followers = new Map([...heads].map((id) => [id, [] as Row[]]));
  let moves = false;
  for (const row of next) {
    if (heads.has(row.id)) continue;
    const earlier = texts.get(row.id) === row && !isEmpty(row) ? before.get(row.id) : undefined;
    const own = earlier !== undefined && heads.has(earlier) ? earlier : now.get(row.id);
    if (own !== now.get(row.id)) moves = true;
    if (own === undefined) first.push(row);
    else followers.get(own)!.push(row);
  }
  if (!moves) return next;
  return [...first, ...next.flatMap((row) => (heads.has(row.id) ? [row, ...followers.get(row.id)!] : []))];
}

/** The stretch [first, last] with whole blocks where it has a head in it; as it is where it has none. Empty rows at its end stay out. */
export function wholeBlocks(
  rows: readonly Row[],
  [first, last]: readonly [number, number],
  headColumns: number,
): [first: number, last: number] {
  if (headColumns === 0 || !rows.slice(first, last + 1).some((row) => isHead(row, headColumns))) return [first, last];
  let start = first;
  while (start > 0 && !isHead(rows[start]!, headColumns) && !isEmpty(rows[start]!)) start--;
  if (!isHead(rows[start]!, headColumns)) start = first;
  let end = last;
  for (let next = last + 1; next < rows.length && !isHead(rows[next]!, headColumns); next++)
    if (!isEmpty(rows[next]!)) end = next;
  return [start, end];
}

/** The head of every row that has one, by id. */
function headsOf(rows: readonly Row[], headColumns: number): Map<number, number> {
  const heads = new Map<number, number>();
  let head: number | undefined;
  for (const row of rows) {
    if (isHead(row, headColumns)) head = row.id;
    else if (head !== undefined) heads.set(row.id, head);
  }
  return heads;
}

export function isEmpty({ cells }: Row): boolean {
  return cells.every((cell) => cell.trim() === '');
}
