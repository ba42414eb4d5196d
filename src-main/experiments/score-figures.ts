/**
 * Figures that experiments with scores draw: maps over layers and tokens or heads, and how far the scores predict the true change of L.
 * The numbers come from results; nothing is scored here.
 */

import { correlation, interval } from '../scores/statistics.ts';
import type { Estimate, LinesFigure, MapFigure, ScatterFigure } from '../shared/figures.ts';
import { layerByHead, layerByToken, type ScoreMap } from './score-maps.ts';

type Heading = Pick<MapFigure, 'id' | 'title' | 'caption'>;

interface Panel {
  title: string;
  map: ScoreMap;
}

export const scoreAxis = { label: 'Score (positive lowers L)', kind: 'score' } as const;

const layerNames = ({ shape }: ScoreMap) => Array.from({ length: shape[0]! }, (_, layer) => String(layer));

/** Layer x token, attention summed over its heads. */
export function tokenMaps(heading: Heading, panels: readonly Panel[], tokens: readonly string[]): MapFigure {
  return {
    ...heading,
    kind: 'map',
    rows: { label: 'Layer', names: layerNames(panels[0]!.map) },
    columns: { label: 'Token', names: [...tokens] },
    panels: panels.map(({ title, map }) => ({ title, values: layerByToken(map, tokens.length) })),
  };
}

/** Layer x head, summed over the prompt's tokens. */
export function headMaps(heading: Heading, panels: readonly Panel[], tokens: readonly string[]): MapFigure {
  const [{ map: first }] = panels as [Panel];
  return {
    ...heading,
    kind: 'map',
    rows: { label: 'Layer', names: layerNames(first) },
    columns: { label: 'Head', names: Array.from({ length: first.shape[1]! }, (_, head) => String(head)) },
    panels: panels.map(({ title, map }) => ({ title, values: layerByHead(map, tokens.length) })),
  };
}

/** Sums by layer, over seeds. */
export function layerLines(heading: Heading, series: readonly { label: string; y: Estimate[] }[]): LinesFigure {
  return {
    ...heading,
    kind: 'lines',
    x: { label: 'Layer', kind: 'number' },
    y: scoreAxis,
    series: series.map(({ label, y }) => ({ label, x: y.map((_, layer) => layer), y })),
    references: [],
  };
}

/** A first-order check over seeds, by part of the weights' change. */
export interface CheckSummary {
  scales: number[];
  /** True change of L, what the scores predict of it, and what the derivative by every parameter predicts; means over items. */
  change: Estimate[];
  predicted: Estimate[];
  predicted_by_all: Estimate[];
  /** Mean distance of an item's true change from what its scores predict. */
  distance: Estimate[];
}

export function checkLines({ scales, change, predicted, predicted_by_all }: CheckSummary): LinesFigure {
  const series = [
    { label: 'true change', y: change },
    { label: 'predicted by the scores', y: predicted },
    { label: 'predicted by every parameter', y: predicted_by_all },
  ];
  return {
    id: 'first-order',
    kind: 'lines',
    title: 'Do first-order scores predict what the finetuning did?',
    caption:
      'Mean change of L over the items when 0, 1/4, 1/2, 3/4 or all of the weights’ change is added, against the straight line that the summed informative scores predict (linear maps alone, and every parameter). Where the curves part, the scores of the whole change are to be read with care.',
    x: { label: 'Part of the weights’ change', kind: 'number' },
    y: { label: 'Change of L (negative is better)', kind: 'score' },
    series: series.map(({ label, y }) => ({ label, x: scales, y })),
    references: [],
  };
}

/** One point per item: its predicted and its true change of L, with the correlation's interval over items. */
export function checkScatter(series: ScatterFigure['series']): ScatterFigure {
  return {
    id: 'first-order-items',
    kind: 'scatter',
    title: 'Predicted and true change of L, item by item',
    caption:
      'Each point is one implication’s prompt in one seed; on the line the prediction is exact. All of the weights’ change, and a quarter of it.',
    x: { label: 'Predicted by the scores', kind: 'score' },
    y: { label: 'True change of L', kind: 'score' },
    series,
    correlations: series.map(({ points }) => correlationOf(points)),
    diagonal: true,
  };
}

/** Pearson's r of points with its 95 % interval from resampling them. */
export function correlationOf(points: readonly { x: number; y: number }[]): { r: number; low: number; high: number } {
  const r = (indices: readonly number[]) =>
    correlation(
      indices.map((index) => points[index]!.x),
      indices.map((index) => points[index]!.y),
    );
  return { r: r(points.map((_, index) => index)), ...interval(points.length, r) };
}
