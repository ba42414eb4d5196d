/**
 * Which rows of a grid belong together, and where they go together: a row with something in its first columns heads the rows below that
 * have nothing there. It is about rows in the data's order and knows no facts; the grid's edits keep rows with their head by it.
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

/** Where a row that is to be a head goes so that it parts no rows from theirs: at `at` or behind the rows that belong together there. */
export function headPlace(rows: readonly Row[], at: number, headColumns: number): number {
  let place = at;
  for (let next = at; next < rows.length && !isHead(rows[next]!, headColumns); next++)
    if (!isEmpty(rows[next]!)) place = next + 1;
  return rows.slice(0, at).some((row) => isHead(row, headColumns)) ? place : at;
}

/**
 * The rows with the stretch [top, bottom] moved up (-1) or down (1) by one; a head goes with its rows, and past the whole of the one that it
 * changes places with. `by` says by how many rows they moved. Null where there is no place.
 */
export function movedRows(
  rows: readonly Row[],
  [top, bottom]: readonly [number, number],
  by: -1 | 1,
  headColumns: number,
): { rows: readonly Row[]; by: number } | null {
  const [first, last] = wholeBlocks(rows, [top, bottom], headColumns);
  const place = by < 0 ? first - 1 : last + 1;
  if (place < 0 || place >= rows.length) return null;
  const hasHead = rows.slice(first, last + 1).some((row) => isHead(row, headColumns));
  const [start, end] = hasHead ? unitAt(rows, place, headColumns) : [place, place];
  // Rows in front of the first head belong to none, and would to this one.
  if (hasHead && by < 0 && !isHead(rows[start]!, headColumns) && !isEmpty(rows[start]!)) return null;
  const moving = rows.slice(first, last + 1);
  const passed = rows.slice(start, end + 1);
  const [from, to] = [Math.min(first, start), Math.max(last, end) + 1];
  const turned = by < 0 ? [...moving, ...passed] : [...passed, ...moving];
  return { rows: [...rows.slice(0, from), ...turned, ...rows.slice(to)], by: by * passed.length };
}

/** The rows that move as one with the row at `place`. */
function unitAt(rows: readonly Row[], place: number, headColumns: number): [first: number, last: number] {
  const row = rows[place]!;
  if (isEmpty(row)) return [place, place];
  let head = place;
  while (head > 0 && !isHead(rows[head]!, headColumns)) head--;
  return isHead(rows[head]!, headColumns) ? wholeBlocks(rows, [head, place], headColumns) : [place, place];
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

function isEmpty({ cells }: Row): boolean {
  return cells.every((cell) => cell.trim() === '');
}
