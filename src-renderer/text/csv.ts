/**
 * Rows of values as CSV text (RFC 4180), and the long table of a run's plotted numbers.
 * It does not read CSV and does not save files.
 */
import type { Curve } from '../measures/curves.ts';

type Cell = string | number | null;

/** CSV with a heading line; numbers at full precision, empty cells for null. */
export function toCsv(heading: string[], rows: Cell[][]): string {
  return [heading, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: Cell): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * One row per plotted point: `figure, set, seed, x, value`; `seed` is `mean` for means and empty for chance levels. Each row ends with
 * `source`: where the numbers come from.
 */
export function plottedCsv(figures: { figure: string; x: string; curves: Curve[] }[], source: string): string {
  const rows: Cell[][] = [];
  for (const { figure, x, curves } of figures) {
    for (const curve of curves) {
      for (const line of curve.seeds) {
        for (const point of line.points) rows.push([figure, curve.set, line.seed, x, point.x, point.y]);
      }
      for (const point of curve.mean) rows.push([figure, curve.set, 'mean', x, point.x, point.y]);
      if (curve.chance !== null) rows.push(['chance level', curve.set, null, null, null, curve.chance]);
    }
  }
  return toCsv(
    ['figure', 'set', 'seed', 'x_axis', 'x', 'value', 'source'],
    rows.map((row) => [...row, source]),
  );
}
