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
import { linesLegend, linesRange, linesSpan, plotLines, pointRadius } from './lines.ts';
import { round, type SvgNode } from './nodes.ts';
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
  /** What the columns and rows stand for, written once each where all columns fit; absent: every panel has its title. */
  heads?: { columns: string[]; rows: string[] };
  /** Row by row; null: nothing there. All have the same series in the same order; `run` is whose the panel is. */
  panels: (({ title: string; run?: string } & Pick<LinesFigure, 'series'>) | null)[];
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
  const panels = filled(figure);
  const [first] = panels;
  if (first === undefined) return [];
  // The marks of all panels, each series named once
  const series = first.series.map((one, place) => {
    const alike = panels.flatMap((panel) => panel.series[place] ?? []);
    const best = alike.find((entry) => entry.best !== undefined)?.best;
    return { label: one.label, x: [], y: alike.flatMap(({ y }) => y), ...(best === undefined ? {} : { best }) };
  });
  return linesLegend(linesOf(figure, { series }), style);
}

/** Narrower than this a panel says nothing: fewer stand beside each other then. */
const narrowest = 62;

const headLook = (style: FigureStyle) => ({ fill: style.ink, 'font-weight': 600 });

/** A name above a panel, cut where it would run into the next one. */
const headAt = (style: FigureStyle, x: number, top: number, text: string, room: number): SvgNode =>
  label(style, x, top - 0.5 * style.fontSize, shorten(text, room, style.fontSize), headLook(style));

export function drawPanels(figure: PanelsFigure, style: FigureStyle): Drawing {
  const plots = filled(figure).map((panel) => linesOf(figure, panel));
  const ranges = plots.map(linesRange);
  const range = [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))] as const;
  const span = linesSpan(plots);
  const whole = plots.every(({ series }) => series.every(({ x }) => x.every(Number.isInteger)));
  const { fontSize } = style;
  const left = insideOf(style, range, 150).left;
  const gap = 0.9 * fontSize;
  const { heads } = figure;
  const room = style.width - left - (heads === undefined ? 1 : 1.6) * fontSize;
  const columns = Math.max(1, Math.min(figure.columns, Math.floor((room + gap) / (narrowest + gap))));
  const gridded = heads !== undefined && columns === figure.columns;
  const width = (room - (columns - 1) * gap) / columns;
  const height = Math.max(70, Math.min(200, 0.72 * width));
  const head = 1.9 * fontSize;
  const foot = horizontalAxisHeight(style);
  const lines = Math.ceil(figure.panels.length / columns);
  // Panels without a title of their own need no room for one.
  const between = gridded ? 0.6 * fontSize : head;
  const lineHeight = between + height + foot - 1.2 * fontSize;
  const radius = pointRadius(plots, width);
  const nodes = figure.panels.flatMap((panel, place): SvgNode[] => {
    if (panel === null) return [];
    const column = place % columns;
    const top = head + Math.floor(place / columns) * lineHeight;
    const inside: Inside = {
      left: left + column * (width + gap),
      right: left + column * (width + gap) + width,
      top,
      bottom: top + height,
    };
    const y = linear(range[0], range[1], inside.bottom, inside.top);
    const x = linear(span[0], span[1], inside.left + 3, inside.right - 3);
    const plot = linesOf(figure, panel);
    // The first panel of its line has the numbers of the vertical axis, even where places before it are empty.
    const isFirst = figure.panels.slice(place - column, place).every((before) => before === null);
    const { behind, front } = plotLines(plot, style, { x, y, radius });
    // The horizontal axis is named below the last line of panels alone
    const axis = place + columns >= figure.panels.length ? figure.x : { ...figure.x, label: '' };
    return [
      ...(gridded ? [] : [headAt(style, inside.left, top, panel.title, width + gap)]),
      ...verticalAxis(style, gridded ? { ...figure.y, label: '' } : figure.y, y, inside, isFirst),
      ...horizontalAxis(style, axis, x, inside, whole),
      ...behind,
      ...references(style, figure.references, y, inside),
      ...front.map((node) => (node.mark ? { ...node, mark: { text: `${panel.title}, ${node.mark.text}` } } : node)),
    ];
  });
  // Rows of panels are lower than the vertical axis's name is long: it stands once, in their middle.
  const named = [0.9 * fontSize, head + ((lines - 1) * lineHeight + height) / 2] as const;
  const names = gridded
    ? [
        label(style, named[0], named[1], figure.y.label, {
          'text-anchor': 'middle',
          transform: `rotate(-90 ${round(named[0])} ${round(named[1])})`,
        }),
        ...heads.columns.map((name, column) => headAt(style, left + column * (width + gap), head, name, width + gap)),
        ...heads.rows.map((name, line) => {
          const [x, y] = [style.width - 0.4 * fontSize, line * lineHeight + head + height / 2];
          return label(style, x, y, shorten(name, lineHeight, fontSize), {
            ...headLook(style),
            'text-anchor': 'middle',
            transform: `rotate(90 ${round(x)} ${round(y)})`,
          });
        }),
      ]
    : [];
  return { nodes: [...names, ...nodes], height: head - between + lines * lineHeight + 1.2 * fontSize };
}
