/**
 * Draws heat maps side by side with one colour scale: zero is the middle colour in every panel, the largest absolute value of all panels the ends.
 * Cells without a value are hatched.
 */
import type { MapFigure } from '../../src-main/shared/figures.ts';
import type { Drawing } from './axes.ts';
import { element, type SvgNode } from './nodes.ts';
import { formatValue, isNumber } from './numbers.ts';
import { divergingColor, type FigureStyle } from './style.ts';
import { label, shorten, textWidth } from './text.ts';

/** The largest absolute value of all panels, the ends of the scale; 0 where every cell is 0 or empty. */
function mapLimit({ panels }: MapFigure): number {
  let limit = 0;
  for (const { values } of panels)
    for (const row of values) for (const value of row) if (isNumber(value)) limit = Math.max(limit, Math.abs(value));
  return limit;
}

/** What one cell says: `Layer 3, token is: 0.42`. */
function cellText(figure: MapFigure, panel: number, row: number, column: number): string {
  const { rows, columns, panels } = figure;
  const value = panels[panel]?.values[row]?.[column];
  const rowLabel = panels.length > 1 ? rows.label.toLowerCase() : rows.label;
  const where = `${rowLabel} ${rows.names[row]}, ${columns.label.toLowerCase()} ${columns.names[column]}`;
  return `${panels.length > 1 ? `${panels[panel]!.title}, ` : ''}${where}: ${isNumber(value) ? formatValue(value) : 'no value'}`;
}

interface Layout {
  perLine: number;
  cellWidth: number;
  cellHeight: number;
  /** Left of a line's first panel: the rows' names and title. */
  left: number;
  gap: number;
  top: number;
  bottom: number;
}

export function drawMap(figure: MapFigure, style: FigureStyle): Drawing {
  const layout = layOut(figure, style);
  const limit = mapLimit(figure);
  const panelWidth = layout.cellWidth * figure.columns.names.length;
  const panelHeight = layout.cellHeight * figure.rows.names.length;
  const lineHeight = layout.top + panelHeight + layout.bottom;
  const lines = Math.ceil(figure.panels.length / layout.perLine);
  const nodes = figure.panels.flatMap((_, panel) => {
    const line = Math.floor(panel / layout.perLine);
    const x = layout.left + (panel % layout.perLine) * (panelWidth + layout.gap);
    return drawPanel(figure, style, layout, {
      panel,
      x,
      y: line * lineHeight + layout.top,
      limit,
      first: panel % layout.perLine === 0,
    });
  });
  const bar = colorBar(
    style,
    limit,
    Math.min(style.width, layout.left + layout.perLine * (panelWidth + layout.gap) - layout.gap),
  );
  return {
    nodes: [
      ...nodes,
      element('g', { transform: `translate(0 ${Math.round(lines * lineHeight + 0.6 * style.fontSize)})` }, bar.nodes),
    ],
    height: lines * lineHeight + 0.6 * style.fontSize + bar.height,
  };
}

/** Room that a name standing upright needs, of the type's size. */
const nameRoom = 0.97;

/** How many times the width the cells may be high for the sake of their columns' names. */
const tallest = 1.5;

/** As many panels beside each other as let every column be named, or where that takes too much room, as cells of a readable size allow. */
function layOut(figure: MapFigure, style: FigureStyle): Layout {
  const { fontSize } = style;
  const widest = (names: readonly string[]) =>
    Math.min(9 * fontSize, Math.max(...names.map((name) => textWidth(name, fontSize))));
  const left = Math.ceil(widest(figure.rows.names) + 2 * fontSize);
  const narrow = 1.6 * fontSize;
  const columns = Math.max(1, figure.columns.names.length);
  const cellFor = (perLine: number) => (style.width - left - (perLine - 1) * narrow - 1) / perLine / columns;
  const counts = figure.panels.map((_, index) => figure.panels.length - index);
  const heightFor = (count: number) =>
    Math.ceil(figure.panels.length / count) * figure.rows.names.length * Math.min(style.cell.largest, cellFor(count));
  const perLine =
    counts.find((count) => cellFor(count) >= nameRoom * fontSize && heightFor(count) <= tallest * style.width) ??
    counts.find((count) => cellFor(count) >= style.cell.smallest) ??
    1;
  const fitting = Math.min(style.cell.largest, cellFor(perLine));
  // Whole pixels make even cells on a screen.
  const cellWidth = fitting >= 7 ? Math.floor(fitting) : Math.floor(10 * fitting) / 10;
  // Panels narrower than their titles stand further apart, where there is room.
  const spare = style.width - left - perLine * cellWidth * columns - (perLine - 1) * narrow;
  const title = Math.max(...figure.panels.map((panel) => textWidth(panel.title, fontSize)));
  const wanted = title + 0.8 * fontSize - cellWidth * columns;
  const gap = Math.max(narrow, Math.min(wanted, narrow + spare / perLine));
  return {
    perLine,
    cellWidth,
    cellHeight: Math.max(
      style.cell.smallest,
      Math.min(cellWidth, 0.8 * style.cell.largest, (32 * fontSize) / figure.rows.names.length),
    ),
    left,
    gap,
    top: 1.7 * fontSize,
    bottom: (namesLieFlat(figure, cellWidth, fontSize) ? fontSize : widest(figure.columns.names)) + 2.7 * fontSize,
  };
}

/** Column names lie flat where they fit, else they stand. */
function namesLieFlat(figure: MapFigure, cellWidth: number, fontSize: number): boolean {
  return figure.columns.names.every((name) => textWidth(name, fontSize) <= cellWidth);
}

interface Panel {
  panel: number;
  x: number;
  y: number;
  limit: number;
  /** Whether it begins a line, and so carries the rows' names. */
  first: boolean;
}

function drawPanel(figure: MapFigure, style: FigureStyle, layout: Layout, { panel, x, y, limit, first }: Panel): SvgNode[] {
  const { fontSize } = style;
  const { cellWidth, cellHeight } = layout;
  const { rows, columns, panels } = figure;
  const { title, values } = panels[panel]!;
  const [width, height] = [cellWidth * columns.names.length, cellHeight * rows.names.length];
  const cells = rows.names.flatMap((_, row) =>
    columns.names.map((_, column) => {
      const value = values[row]?.[column];
      const fill = isNumber(value)
        ? divergingColor(style.diverging, limit === 0 ? 0 : value / limit)
        : `url(#${style.id}-nothing)`;
      return element(
        'rect',
        { x: x + column * cellWidth, y: y + row * cellHeight, width: cellWidth, height: cellHeight, fill },
        [],
        { text: cellText(figure, panel, row, column), cell: { panel, row, column } },
      );
    }),
  );
  const names = columnNames(figure, style, cellWidth, x, y + height);
  return [
    label(style, x, y - 0.55 * fontSize, shorten(title, Math.min(width + layout.gap, style.width - x), fontSize), {
      fill: style.ink,
      'font-weight': 600,
    }),
    element('g', { 'shape-rendering': 'crispEdges' }, cells),
    element('rect', { x, y, width, height, fill: 'none', stroke: style.softInk, 'stroke-width': 0.6 }),
    ...names,
    ...(first ? rowNames(figure, style, layout, x, y) : []),
    label(style, x + width / 2, y + height + layout.bottom - fontSize, columns.label, { 'text-anchor': 'middle' }),
  ];
}

function rowNames({ rows }: MapFigure, style: FigureStyle, { cellHeight }: Layout, x: number, y: number): SvgNode[] {
  const { fontSize } = style;
  const every = Math.max(1, Math.ceil((1.02 * fontSize) / cellHeight));
  const middle = y + (cellHeight * rows.names.length) / 2;
  return [
    ...rows.names.flatMap((name, row) =>
      row % every === 0
        ? [
            label(
              style,
              x - 0.4 * fontSize,
              y + (row + 0.5) * cellHeight + 0.35 * fontSize,
              shorten(name, 9 * fontSize, fontSize),
              { 'text-anchor': 'end' },
            ),
          ]
        : [],
    ),
    label(style, 0.9 * fontSize, middle, rows.label, {
      'text-anchor': 'middle',
      transform: `rotate(-90 ${0.9 * fontSize} ${middle})`,
    }),
  ];
}

function columnNames(figure: MapFigure, style: FigureStyle, cellWidth: number, x: number, y: number): SvgNode[] {
  const { fontSize } = style;
  const flat = namesLieFlat(figure, cellWidth, fontSize);
  const every = flat ? 1 : Math.max(1, Math.ceil((nameRoom * fontSize) / cellWidth));
  return figure.columns.names.flatMap((name, column) => {
    if (column % every !== 0) return [];
    const centre = x + (column + 0.5) * cellWidth;
    if (flat) return [label(style, centre, y + 1.2 * fontSize, name, { 'text-anchor': 'middle' })];
    const [left, top] = [centre + 0.35 * fontSize, y + 0.5 * fontSize];
    return [
      label(style, left, top, shorten(name, 9 * fontSize, fontSize), {
        'text-anchor': 'end',
        transform: `rotate(-90 ${left} ${top})`,
      }),
    ];
  });
}

/** The scale with its numbers; the gradient's stops are the scale's own. */
function colorBar(style: FigureStyle, limit: number, width: number): Drawing {
  const { fontSize, diverging } = style;
  const shares = limit === 0 ? [0] : [-1, -0.5, 0, 0.5, 1];
  const names = shares.map((share) => formatValue(share * limit));
  const widest = Math.max(...names.map((name) => textWidth(name, fontSize)));
  // Wide enough for its numbers, even below a narrow panel.
  const needed = (names.length - 1) * (widest + 0.5 * fontSize);
  const length = Math.min(style.width - widest, Math.max(needed, Math.min(24 * fontSize, width - 8 * fontSize)));
  const left = Math.max(widest / 2, (width - length) / 2);
  const gradient = `${style.id}-scale`;
  const stops = diverging.map((color, index) => element('stop', { offset: index / (diverging.length - 1), 'stop-color': color }));
  return {
    nodes: [
      element('defs', {}, [element('linearGradient', { id: gradient }, stops)]),
      element('rect', {
        x: left,
        y: 0,
        width: length,
        height: 0.9 * fontSize,
        fill: `url(#${gradient})`,
        stroke: style.softInk,
        'stroke-width': 0.6,
      }),
      ...shares.flatMap((share, index) => {
        const x = left + ((share + 1) / 2) * length;
        return [
          element('line', { x1: x, x2: x, y1: 0.9 * fontSize, y2: 1.25 * fontSize, stroke: style.softInk, 'stroke-width': 0.8 }),
          label(style, x, 2.3 * fontSize, names[index]!, { 'text-anchor': 'middle' }),
        ];
      }),
    ],
    height: 2.8 * fontSize,
  };
}

/** The hatching of cells without a value. */
export function hatching(style: FigureStyle): SvgNode {
  return element('pattern', { id: `${style.id}-nothing`, width: 4, height: 4, patternUnits: 'userSpaceOnUse' }, [
    element('rect', { width: 4, height: 4, fill: style.paper }),
    element('path', { d: 'M-1 1l2 -2M0 4l4 -4M3 5l2 -2', stroke: style.reference, 'stroke-width': 0.7, 'stroke-opacity': 0.6 }),
  ]);
}
