/**
 * Figures as data: everything a screen draws and a file exports, with the numbers in it. An experiment makes them from its results.
 * It says what is shown, not how it looks.
 */

/** A mean over seeds and every seed's value; `low` to `high` is the 95 % bootstrap interval, or the range of fewer than five. */
export interface Estimate {
  mean: number;
  low: number;
  high: number;
  values: number[];
}

export interface Axis {
  label: string;
  /** `rank`: 0 is best and lies at the bottom; `score`: signed, zero shown; `number`: anything else. */
  kind: 'rank' | 'score' | 'number';
  /** Drawn from here to there, so that several figures compare; absent: what the values need. */
  range?: [low: number, high: number];
}

/** A level to compare with, such as chance. */
export interface Reference {
  label: string;
  value: number;
}

interface FigureBase {
  id: string;
  title: string;
  /** What is shown and how to read it, for the line under the figure. */
  caption: string;
  /** The seeds that are shown; absent: all of the run. */
  ofSeeds?: number[];
}

export interface LinesFigure extends FigureBase {
  kind: 'lines';
  x: Axis;
  y: Axis;
  /** `best` is the place of a point to be marked as a series' best; `run` whose the series is, in figures of several runs. */
  series: { label: string; x: number[]; y: Estimate[]; best?: number; run?: string }[];
  references: Reference[];
  /** What each value of an estimate is of; absent: a seed. */
  noun?: string;
  /** What is drawn of the seeds: the mean with its interval, or every seed's own line; absent: all of it. */
  seeds?: 'interval' | 'lines';
}

export interface BarsFigure extends FigureBase {
  kind: 'bars';
  y: Axis;
  groups: string[];
  /** One value per group; `published` holds the paper's where it has one, among as many options as the paper has. */
  series: { label: string; values: Estimate[]; published?: (number | null)[] }[];
  references: Reference[];
}

/** Maps side by side with one colour scale around zero; null: nothing there. values[row][column]. */
export interface MapFigure extends FigureBase {
  kind: 'map';
  rows: { label: string; names: string[] };
  columns: { label: string; names: string[] };
  panels: { title: string; values: (number | null)[][] }[];
}

export interface ScatterFigure extends FigureBase {
  kind: 'scatter';
  x: Axis;
  y: Axis;
  series: { label: string; points: { x: number; y: number; label: string }[] }[];
  /** Correlation of each series with its 95 % bootstrap interval, in the order of the series. */
  correlations?: { r: number; low: number; high: number }[];
  /** A straight line through each series, in the order of the series; null where there is none. */
  fits?: ({ slope: number; intercept: number } | null)[];
  /** Draws the line y = x, for predicted against measured. */
  diagonal?: boolean;
}

export interface TableFigure extends FigureBase {
  kind: 'table';
  columns: string[];
  rows: (string | number | Estimate | null)[][];
  /** Whose each row is, in tables of several runs. */
  runs?: string[];
}

export type Figure = LinesFigure | BarsFigure | MapFigure | ScatterFigure | TableFigure;
