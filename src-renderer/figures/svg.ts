/**
 * A figure as SVG: one drawing for the screen and for files. `figureSvg` is a whole file with the title inside, on white; `drawFigure` is the
 * drawing as data in any style. Nothing is measured or fetched here: the same figure gives the same drawing.
 */
import type { Figure } from '../../src-main/shared/figures.ts';
import type { Drawing } from './axes.ts';
import { barsLegend, drawBars } from './bars.ts';
import { drawLegend, type LegendEntry } from './legend.ts';
import { drawLines, linesLegend } from './lines.ts';
import { drawMap, hatching } from './map.ts';
import { element, round, type SvgNode, serialize } from './nodes.ts';
import { isNumber } from './numbers.ts';
import { drawPanels, type PanelsFigure, panelsLegend } from './panels.ts';
import { drawScatter, scatterLegend } from './scatter.ts';
import { type FigureStyle, millimetresPerUnit, pixelsPerUnit, printStyle } from './style.ts';
import { drawTable } from './table.ts';
import { label, wrap } from './text.ts';

export interface DrawnFigure {
  width: number;
  height: number;
  nodes: SvgNode[];
}

/** Everything that can be drawn: what experiments store, and what screens put together of several runs. */
export type Drawable = Figure | PanelsFigure;

const margin = 8;

/** Widths on paper in millimetres: a column of a two-column page, and the page. Type prints at 6.8 points in both. */
export const paperWidths = { column: 85, page: 178 } as const;
export type PaperSize = keyof typeof paperWidths;

function draw(figure: Drawable, style: FigureStyle): Drawing & { width?: number } {
  switch (figure.kind) {
    case 'lines':
      return drawLines(figure, style);
    case 'bars':
      return drawBars(figure, style);
    case 'map':
      return drawMap(figure, style);
    case 'panels':
      return drawPanels(figure, style);
    case 'scatter':
      return drawScatter(figure, style);
    case 'table':
      return drawTable(figure, style);
  }
}

function legendOf(figure: Drawable, style: FigureStyle): LegendEntry[] {
  switch (figure.kind) {
    case 'lines':
      return linesLegend(figure, style);
    case 'bars':
      return barsLegend(figure, style);
    case 'map': {
      const empty = figure.panels.some(({ values }) => values.some((row) => row.some((value) => !isNumber(value))));
      return empty ? [{ label: 'no value', sample: 'nothing', color: style.ink }] : [];
    }
    case 'panels':
      return panelsLegend(figure, style);
    case 'scatter':
      return scatterLegend(figure, style);
    case 'table':
      return [];
  }
}

/** Legend and drawing below each other, over the style's width (tables may be wider). */
export function drawFigure(figure: Drawable, style: FigureStyle): DrawnFigure {
  const legend = drawLegend(style, legendOf(figure, style));
  const { nodes, height, width = style.width } = draw(figure, style);
  return {
    width,
    height: Math.ceil(legend.height + height),
    nodes: [
      ...(figure.kind === 'map' ? [element('defs', {}, [hatching(style)])] : []),
      ...legend.nodes,
      element('g', { transform: `translate(0 ${round(legend.height)})` }, nodes),
    ],
  };
}

export interface SvgFile {
  text: string;
  /** Pixels at which it is shown; a PNG has twice as many. */
  width: number;
  height: number;
  title: string;
  /** Caption and provenance, which are in the text too. */
  description: string;
}

/** What a file has besides the figure. */
export interface FileOptions {
  size?: PaperSize;
  /** Where the numbers come from, printed below the drawing; it is in the file's description in any case. */
  provenance?: string;
  /** Whether the caption and the provenance are printed below; absent: not. */
  captioned?: boolean;
}

/** A figure as an SVG file of a paper's width: title, legend, axes and colour bar inside, sizes in millimetres. */
export function figureSvg(
  figure: Drawable,
  { size = 'column', provenance = '', captioned = false }: FileOptions = {},
  style: FigureStyle = printStyle,
): SvgFile {
  const across = paperWidths[size] / millimetresPerUnit;
  const drawn = drawFigure(figure, { ...style, width: across - 2 * margin });
  const titleSize = 1.12 * style.fontSize;
  const lines = wrap(figure.title, drawn.width, titleSize * 1.06);
  const top = margin + lines.length * 1.3 * titleSize + 0.4 * titleSize;
  const noteSize = 0.9 * style.fontSize;
  const notes = captioned ? [figure.caption, provenance].flatMap((note) => wrap(note, drawn.width, noteSize)) : [];
  const notesTop = top + drawn.height + 0.8 * noteSize;
  const width = Math.ceil(drawn.width + 2 * margin);
  const height = Math.ceil(top + drawn.height + margin + (notes.length === 0 ? 0 : (0.8 + 1.35 * notes.length) * noteSize));
  const description = [figure.caption, provenance].filter(Boolean).join(' ');
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: `${round(width * millimetresPerUnit)}mm`,
      height: `${round(height * millimetresPerUnit)}mm`,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': style.fontFamily,
    },
    [
      element('title', {}, [figure.title]),
      element('desc', {}, [description]),
      element('rect', { width, height, fill: style.paper }),
      ...lines.map((line, index) =>
        label(style, margin, margin + (index * 1.3 + 0.95) * titleSize, line, {
          fill: style.ink,
          'font-size': titleSize,
          'font-weight': 600,
        }),
      ),
      element('g', { transform: `translate(${margin} ${round(top)})` }, drawn.nodes),
      ...notes.map((line, index) =>
        label(style, margin, notesTop + (index + 0.7) * 1.35 * noteSize, line, { 'font-size': noteSize }),
      ),
    ],
  );
  return {
    text: `<?xml version="1.0" encoding="UTF-8"?>\n${serialize(root)}\n`,
    width: width * pixelsPerUnit,
    height: height * pixelsPerUnit,
    title: figure.title,
    description,
  };
}
