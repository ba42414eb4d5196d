/**
 * How figures look: width, type size and colours, once for paper and once as the tokens of the page say.
 * It decides no layout.
 */
export interface FigureStyle {
  /** Units across; one unit is one CSS pixel on a screen. */
  width: number;
  fontSize: number;
  fontFamily: string;
  /** Smallest side of a map's cell, and the largest. */
  cell: { smallest: number; largest: number };
  ink: string;
  softInk: string;
  grid: string;
  reference: string;
  paper: string;
  /** In the order of a figure's series; used again from the start after the last. */
  series: readonly string[];
  /** From the most negative over zero to the most positive, evenly spaced. */
  diverging: readonly string[];
  /** Makes the ids inside the drawing unique on a page. */
  id: string;
}

const seriesTokens = ['facts', 'implications', 'other', 'loss', 'fifth', 'sixth'];
const divergingTokens = ['low', 'below', 'zero', 'above', 'high'];

/** Size of a unit in files: printed, and shown, so that a picture with two pixels for each of these prints at 300 dots per inch. */
export const millimetresPerUnit = 0.25;
export const pixelsPerUnit = 1.5;

/** The light theme's tokens on white: 340 units are 8.5 cm, so that 9.6 units print as 6.8 points. */
export const printStyle: FigureStyle = {
  width: 340,
  fontSize: 9.6,
  fontFamily: 'Helvetica, Arial, "Liberation Sans", sans-serif',
  cell: { smallest: 3.4, largest: 20 },
  ink: '#171b20',
  softInk: '#4b545e',
  grid: '#e6e9ec',
  reference: '#59636e',
  paper: '#ffffff',
  series: ['#0072b2', '#c4500a', '#00805e', '#7a4a8c', '#8f6a00', '#59636e'],
  diverging: ['#2166ac', '#92c5de', '#f7f7f7', '#f4a582', '#b2182b'],
  id: 'figure',
};

/** The page's own colours at `width` pixels. */
export function screenStyle(width: number, id: string, styles: CSSStyleDeclaration): FigureStyle {
  const token = (name: string) => styles.getPropertyValue(name).trim();
  return {
    width,
    fontSize: 12,
    fontFamily: token('--font-text'),
    cell: { smallest: 7, largest: 30 },
    ink: token('--ink'),
    softInk: token('--ink-2'),
    grid: token('--chart-grid'),
    reference: token('--chart-reference'),
    paper: token('--surface-card'),
    series: seriesTokens.map((name) => token(`--series-${name}`)),
    diverging: divergingTokens.map((name) => token(`--diverging-${name}`)),
    id,
  };
}

const namedSeries = ['facts', 'implications'];

/** The colour of a series: facts and implications have theirs on every screen, the others go by their place. */
export function seriesColor(style: FigureStyle, label: string, place: number): string {
  const named = namedSeries.indexOf(label.toLowerCase());
  return style.series[(named < 0 ? place : named) % style.series.length]!;
}

const dashPatterns = ['6 3', '2 2', '8 2 2 2'];

/** Series that use a colour again are told from the first one by dashes; null: a solid line. */
export function seriesDashes(style: FigureStyle, place: number): string | null {
  const round = Math.floor(place / style.series.length);
  return round === 0 ? null : dashPatterns[(round - 1) % dashPatterns.length]!;
}

/** The colour at `share` from -1 to 1 of a diverging scale of `#rrggbb` stops, interpolated in sRGB as SVG gradients are. */
export function divergingColor(stops: readonly string[], share: number): string {
  const place = ((Math.max(-1, Math.min(1, share)) + 1) / 2) * (stops.length - 1);
  const below = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [channels(stops[below]!), channels(stops[below + 1]!)];
  const mixed = from.map((value, channel) => Math.round(value + (to[channel]! - value) * (place - below)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

function channels(color: string): number[] {
  return [1, 3, 5].map((start) => Number.parseInt(color.slice(start, start + 2), 16));
}
