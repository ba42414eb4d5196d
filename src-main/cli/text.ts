/**
 * Plain text for people: aligned tables, sizes, numbers. It writes nothing anywhere.
 */

/** Columns separated by two spaces; numbers are aligned to the right. The first row is the heading. */
export function table(rows: readonly (readonly (string | number | null)[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const cells = rows.map((row) => Array.from({ length: columns }, (_, column) => String(row[column] ?? '')));
  const isNumeric = (column: number) => rows.slice(1).some((row) => typeof row[column] === 'number');
  const layout = Array.from({ length: columns }, (_, column) => ({
    width: Math.max(...cells.map((row) => [...row[column]!].length)),
    right: isNumeric(column),
  }));
  return cells
    .map((row) =>
      row
        .map((cell, column) => {
          const { width, right } = layout[column]!;
          const space = ' '.repeat(width - [...cell].length);
          return right ? space + cell : cell + space;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One `name  value` line each; names are aligned. */
export function facts(entries: readonly (readonly [name: string, value: string | number | boolean | null])[]): string {
  return table([[], ...entries.map(([name, value]) => [name, value === null ? '-' : String(value)])]).slice(1);
}

/** 12 B, 3.5 MiB. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** A measured number with `digits` decimals; text, so that a column of them is aligned by the caller's choice. */
export function fixed(value: number, digits = 3): number | string {
  return Number.isFinite(value) ? value.toFixed(digits) : '-';
}

/** Thousands separated by thin commas: 93,744. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
