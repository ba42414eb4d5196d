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
import { drawScatter, scatterLegend } from './scatter.ts';
import { type FigureStyle, printStyle } from './style.ts';
import { drawTable } from './table.ts';
import { label, wrap } from './text.ts';

export interface DrawnFigure {
  width: number;
  height: number;
  nodes: SvgNode[];
}

/** Files are shown at this many pixels per unit, so that two pixels for one of them print at 300 dots per inch in a column of 8.5 cm. */
const pixelsPerUnit = 1.5;
const margin = 8;

function draw(figure: Figure, style: FigureStyle): Drawing & { width?: number } {
  switch (figure.kind) {
    case 'lines':
      return drawLines(figure, style);
    case 'bars':
      return drawBars(figure, style);
    case 'map':
      return drawMap(figure, style);
    case 'scatter':
      return drawScatter(figure, style);
    case 'table':
      return drawTable(figure, style);
  }
}

function legendOf(figure: Figure, style: FigureStyle): LegendEntry[] {
  switch (figure.kind) {
    case 'lines':
      return linesLegend(figure, style);
    case 'bars':
      return barsLegend(figure, style);
    case 'map': {
      const empty = figure.panels.some(({ values }) => values.some((row) => row.some((value) => !isNumber(value))));
      return empty ? [{ label: 'no value', sample: 'nothing', color: style.ink }] : [];
    }
    case 'scatter':
      return scatterLegend(figure, style);
    case 'table':
      return [];
  }
}

/** Legend and drawing below each other, over the style's width (tables may be wider). */
export function drawFigure(figure: Figure, style: FigureStyle): DrawnFigure {
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

/** A figure as an SVG file of the column width of a paper: title, legend, axes and colour bar inside. */
export function figureSvg(figure: Figure, style: FigureStyle = printStyle): { text: string; width: number; height: number } {
  const drawn = drawFigure(figure, { ...style, width: style.width - 2 * margin });
  const titleSize = 1.12 * style.fontSize;
  const lines = wrap(figure.title, drawn.width, titleSize * 1.06);
  const top = margin + lines.length * 1.3 * titleSize + 0.4 * titleSize;
  const [width, height] = [Math.ceil(drawn.width + 2 * margin), Math.ceil(drawn.height + top + margin)];
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width: width * pixelsPerUnit,
      height: height * pixelsPerUnit,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': style.fontFamily,
    },
    [
      element('title', {}, [figure.title]),
      element('rect', { width, height, fill: style.paper }),
      ...lines.map((line, index) =>
        label(style, margin, margin + (index * 1.3 + 0.95) * titleSize, line, {
          fill: style.ink,
          'font-size': titleSize,
          'font-weight': 600,
        }),
      ),
      element('g', { transform: `translate(${margin} ${round(top)})` }, drawn.nodes),
    ],
  );
  return {
    text: `<?xml version="1.0" encoding="UTF-8"?>\n${serialize(root)}\n`,
    width: width * pixelsPerUnit,
    height: height * pixelsPerUnit,
  };
}
