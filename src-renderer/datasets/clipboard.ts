/**
 * Blocks of cells as spreadsheets exchange them: text with tabs between cells and line ends between rows, quoted where a cell holds either.
 * How often a block is put into a range is told here too. It does not reach the system's clipboard, and files are csv.ts's.
 */

/** A block as text. A cell with a tab, a line end or a quote in it is quoted, quotes doubled. */
export function toClipboard(block: readonly (readonly string[])[]): string {
  return block.map((row) => row.map(quoted).join('\t')).join('\r\n');
}

/**
 * The block that a text holds; nothing is refused. A cell is quoted only if its quote ends in front of a tab or a line end, so that
 * a text which merely begins with a quote stays as it is. One line end at the very end is none.
 */
export function fromClipboard(text: string): string[][] {
  const rows: string[][] = [[]];
  let position = 0;
  for (;;) {
    const { cell, end } = cellAt(text, position);
    rows.at(-1)!.push(cell);
    if (end >= text.length) break;
    position = end + 1;
    if (text[end] === '\t') continue;
    if (text[end] === '\r' && text[position] === '\n') position++;
    if (position >= text.length) break;
    rows.push([]);
  }
  return rows;
}

/** The block as many times as it fits exactly into so many rows, and columns, else once; '' where a row of it is shorter than the longest. */
export function tiled(block: readonly (readonly string[])[], { rows, columns }: { rows: number; columns: number }): string[][] {
  const width = block.reduce((most, { length }) => Math.max(most, length), 0);
  if (width === 0) return [];
  const height = rows % block.length === 0 ? rows : block.length;
  const wide = columns % width === 0 ? columns : width;
  const cell = (row: number, column: number) => block[row % block.length]![column % width] ?? '';
  return Array.from({ length: height }, (_, row) => Array.from({ length: wide }, (_, column) => cell(row, column)));
}

function quoted(cell: string): string {
  return /[\t\r\n"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function cellAt(text: string, start: number): { cell: string; end: number } {
  if (text[start] === '"') {
    let cell = '';
    for (let position = start + 1; position < text.length; ) {
      const quote = text.indexOf('"', position);
      if (quote < 0) break;
      cell += text.slice(position, quote);
      if (text[quote + 1] !== '"') {
        if (isEnd(text, quote + 1)) return { cell, end: quote + 1 };
        break;
      }
      cell += '"';
      position = quote + 2;
    }
  }
  let end = start;
  while (!isEnd(text, end)) end++;
  return { cell: text.slice(start, end), end };
}

function isEnd(text: string, position: number): boolean {
  return position >= text.length || text[position] === '\t' || text[position] === '\n' || text[position] === '\r';
}
