/**
 * Draws a table with rules above, below the head and below the rows, for files; on a screen a table is a table (FigureTable.svelte).
 */
import type { Estimate, TableFigure } from '../../src-main/shared/figures.ts';
import { trueMinus } from '../text/format.ts';
import type { Drawing } from './axes.ts';
import { element } from './nodes.ts';
import { formatEstimate, formatValue, isEstimate } from './numbers.ts';
import type { FigureStyle } from './style.ts';
import { label, textWidth } from './text.ts';

export type TableCell = string | number | Estimate | null;

/** A cell as people read it; what is saved as numbers keeps its plain minus signs. */
export function cellOf(value: TableCell): string {
  if (value === null) return '–';
  if (typeof value === 'string') return isNumberText(value) ? trueMinus(value) : value;
  return isEstimate(value) ? formatEstimate(value) : formatValue(value);
}

/** Whether each column holds numbers alone, and so is aligned to the right. */
export function numericColumns({ columns, rows }: TableFigure): boolean[] {
  return columns.map((_, column) => {
    const values = rows.map((row) => row[column] ?? null).filter((value) => value !== null);
    return values.length > 0 && values.every((value) => typeof value !== 'string' || isNumberText(value));
  });
}

/** Numbers may come as texts, to keep their notation: `1e-3`. */
export const isNumberText = (text: string): boolean => /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text);

export function drawTable(figure: TableFigure, style: FigureStyle): Drawing & { width: number } {
  const { fontSize } = style;
  const texts = figure.rows.map((row) => figure.columns.map((_, column) => cellOf(row[column] ?? null)));
  const numeric = numericColumns(figure);
  const widths = figure.columns.map((name, column) =>
    Math.max(textWidth(name, 1.04 * fontSize), ...texts.map((row) => textWidth(row[column]!, fontSize))),
  );
  const needed = widths.reduce((sum, width) => sum + width, 0);
  const gap = Math.max(1.4 * fontSize, figure.columns.length > 1 ? (style.width - needed) / (figure.columns.length - 1) : 0);
  const width = Math.max(style.width, needed + gap * (figure.columns.length - 1));
  const starts = widths.map((_, column) => widths.slice(0, column).reduce((sum, entry) => sum + entry + gap, 0));
  const line = 1.55 * fontSize;
  const row = (cells: readonly string[], y: number, head: boolean) =>
    cells.map((text, column) =>
      label(style, starts[column]! + (numeric[column] ? widths[column]! : 0), y, text, {
        fill: style.ink,
        ...(head ? { 'font-weight': 600 } : {}),
        ...(numeric[column] ? { 'text-anchor': 'end' } : {}),
      }),
    );
  const rule = (y: number, thickness: number) =>
    element('line', { x1: 0, x2: width, y1: y, y2: y, stroke: style.ink, 'stroke-width': thickness });
  const bottom = (texts.length + 1.45) * line + 0.35 * fontSize;
  return {
    width,
    height: bottom + 2,
    nodes: [
      rule(1, 1.2),
      ...row(figure.columns, line, true),
      rule(line + 0.5 * fontSize, 0.7),
      ...texts.flatMap((cells, index) => row(cells, (index + 2.3) * line, false)),
      rule(bottom, 1.2),
    ],
  };
}
