/**
 * Plain text for people: aligned tables, sizes, numbers. It writes nothing anywhere.
 */

/** Columns separated by two spaces, columns of numbers aligned to the right. The first row is the heading. */
export function table(rows: readonly (readonly (string | number | null)[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const cells = rows.map((row) => Array.from({ length: columns }, (_, column) => String(row[column] ?? '-')));
  const layout = Array.from({ length: columns }, (_, column) => ({
    width: Math.max(...cells.map((row) => length(row[column]!))),
    right: cells.slice(1).every((row) => /^-?[\d.,]*$/.test(row[column]!)),
  }));
  const aligned = (cell: string, column: number) => {
    const { width, right } = layout[column]!;
    const space = ' '.repeat(width - length(cell));
    return right ? space + cell : cell + space;
  };
  return cells.map((row) => row.map(aligned).join('  ').trimEnd()).join('\n');
}

/** One line `name  value` each, the values below one another. */
export function facts(entries: readonly (readonly [name: string, value: string | number | boolean | null])[]): string {
  const width = Math.max(0, ...entries.map(([name]) => length(name)));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${wordFor(value)}`).join('\n');
}

/** 93,744 */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** `0.4 s`, `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function wordFor(value: string | number | boolean | null): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null ? '-' : String(value);
}

function length(text: string): number {
  return [...text].length;
}
