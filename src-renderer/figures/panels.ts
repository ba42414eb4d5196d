/**
 * Small multiples: many plots of lines on the same axes, in rows and columns that stand for settings. The figure is made by the screens
 * from several runs and never stored; lines.ts draws what is inside a panel.
 */
import type { Axis, LinesFigure, Reference } from '../../src-main/shared/figures.ts';
import {
  type Drawing,
  horizontalAxis,
  horizontalAxisHeight,
  type Inside,
  insideOf,
  linear,
  references,
  verticalAxis,
} from './axes.ts';
import type { LegendEntry } from './legend.ts';
import { linesLegend, linesRange, linesSpan, plotLines } from './lines.ts';
import type { SvgNode } from './nodes.ts';
import type { FigureStyle } from './style.ts';
import { label, shorten } from './text.ts';

export interface PanelsFigure {
  kind: 'panels';
  id: string;
  title: string;
  caption: string;
  x: Axis;
  y: Axis;
  /** Panels beside each other. */
  columns: number;
  /** Row by row; null: nothing there. All have the same series in the same order. */
  panels: (({ title: string } & Pick<LinesFigure, 'series'>) | null)[];
  references: Reference[];
  seeds?: 'interval' | 'lines';
}

/** A panel as a figure of its own. */
const linesOf = (figure: PanelsFigure, { series }: Pick<LinesFigure, 'series'>): LinesFigure => ({
  id: figure.id,
  kind: 'lines',
  title: figure.title,
  caption: figure.caption,
  x: figure.x,
  y: figure.y,
  series,
  references: figure.references,
  ...(figure.seeds === undefined ? {} : { seeds: figure.seeds }),
});

const filled = ({ panels }: PanelsFigure) => panels.filter((panel) => panel !== null);

/** One legend for all. */
export function panelsLegend(figure: PanelsFigure, style: FigureStyle): LegendEntry[] {
  const [first] = filled(figure);
  return first === undefined ? [] : linesLegend(linesOf(figure, first), style);
}

/** Narrower than this a panel says nothing: fewer stand beside each other then. */
const narrowest = 62;

export function drawPanels(figure: PanelsFigure, style: FigureStyle): Drawing {
  const plots = filled(figure).map((panel) => linesOf(figure, panel));
  const ranges = plots.map(linesRange);
  const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))] as const;
  const span = linesSpan(plots);
  const whole = plots.every(({ series }) => series.every(({ x }) => x.every(Number.isInteger)));
  const { fontSize } = style;
  const left = insideOf(style, range, 150).left;
  const gap = 0.9 * fontSize;
  const room = style.width - left - fontSize;
  const columns = Math.max(1, Math.min(figure.columns, Math.floor((room + gap) / (narrowest + gap))));
  const width = (room - (columns - 1) * gap) / columns;
  const height = Math.max(70, Math.min(200, 0.72 * width));
  const head = 1.9 * fontSize;
  const foot = horizontalAxisHeight(style);
  const lines = Math.ceil(figure.panels.length / columns);
  const lineHeight = head + height + foot - 1.2 * fontSize;
  const nodes = figure.panels.flatMap((panel, place): SvgNode[] => {
    if (panel === null) return [];
    const column = place % columns;
    const top = Math.floor(place / columns) * lineHeight + head;
    const inside: Inside = {
      left: left + column * (width + gap),
      right: left + column * (width + gap) + width,
      top,
      bottom: top + height,
    };
    const y = linear(range[0], range[1], inside.bottom, inside.top);
    const x = linear(span[0], span[1], inside.left + 3, inside.right - 3);
    const plot = linesOf(figure, panel);
    const { behind, front } = plotLines(plot, style, { x, y, width });
    // The horizontal axis is named below the last line of panels alone
    const axis = place + columns >= figure.panels.length ? figure.x : { ...figure.x, label: '' };
    return [
      label(style, inside.left, top - 0.5 * fontSize, shorten(panel.title, width + gap, fontSize), {
        fill: style.ink,
        'font-weight': 600,
      }),
      ...verticalAxis(style, figure.y, y, inside, column === 0),
      ...horizontalAxis(style, axis, x, inside, whole),
      ...behind,
      ...references(style, figure.references, y, inside),
      ...front.map((node) => (node.mark ? { ...node, mark: { text: `${panel.title}, ${node.mark.text}` } } : node)),
    ];
  });
  return { nodes, height: lines * lineHeight + 1.2 * fontSize };
}
