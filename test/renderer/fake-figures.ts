/**
 * Generated figures of every kind for fake-host.ts and for tests of drawings: made up by formula, the same every time.
 */
import type {
  BarsFigure,
  Estimate,
  Figure,
  LinesFigure,
  MapFigure,
  ScatterFigure,
  TableFigure,
} from '../../src-main/shared/figures.ts';
import { noise } from './fake-rows.ts';

function around(mean: number, key: number, seeds = 3): Estimate {
  const values = Array.from({ length: seeds }, (_, seed) => Math.max(0, mean + 1.2 * (noise(key, seed) - 0.5)));
  const average = values.reduce((sum, value) => sum + value, 0) / seeds;
  return { mean: average, low: Math.min(...values), high: Math.max(...values), values };
}

const rank = { label: 'Mean rank (0 is best)', kind: 'rank' } as const;

export const fakeBars: BarsFigure = {
  id: 'ranks',
  kind: 'bars',
  title: 'Final ranks by what was frozen',
  caption:
    'Mean rank after training, facts and implications. Late layers are 4 to 5. “After training” keeps only the free layers’ part of what was learned with nothing frozen.',
  y: rank,
  groups: [
    'nothing frozen',
    'early frozen after training',
    'late frozen after training',
    'everything frozen',
    'early frozen while training',
    'late frozen while training',
  ],
  series: [
    {
      label: 'facts',
      values: [0, 2.9, 0.1, 9.4, 0, 0].map((value, index) => around(value, index)),
      published: [0, 5.1, 0, 9.2, 0, 0],
    },
    {
      label: 'implications',
      values: [0.3, 5.4, 1.1, 6.9, 4.8, 0.7].map((value, index) => around(value, index + 10)),
      published: [0, 8.4, 0, 9.25, 6.5, null],
    },
  ],
  references: [
    { label: 'chance, facts', value: 9.5 },
    { label: 'chance, implications', value: 7 },
  ],
};

export const fakeLines: LinesFigure = {
  id: 'both',
  kind: 'lines',
  title: 'Implications of new facts, by the order of earlier training',
  caption:
    'Mean rank of the test names’ implications (both) while only their facts (left) are finetuned, after each of the three orders.',
  x: { label: 'Epoch', kind: 'number' },
  y: rank,
  series: ['joint', 'left first', 'both first'].map((label, place) => ({
    label,
    x: Array.from({ length: 13 }, (_, epoch) => epoch),
    y: Array.from({ length: 13 }, (_, epoch) =>
      around(place === 2 ? 9 - 0.1 * epoch : 1 + 8 * Math.exp(-epoch / (3 + place)), 40 * place + epoch),
    ),
  })),
  references: [{ label: 'chance', value: 9.5 }],
};

/** `layers` x `tokens` values; attention and MLP beside each other, and as many more panels as asked for. */
export function fakeMap(id: string, layers: number, tokens: number, panels: number): MapFigure {
  const words = 'The people in the city Grace Miller is from speak Japanese today because of what they once heard'.split(' ');
  return {
    id,
    kind: 'map',
    title: `Downstream score by layer and token (${layers} x ${tokens})`,
    caption:
      'What the logit gap would lose if one component answered as before training, per component and token, averaged over the items.',
    rows: { label: 'Layer', names: Array.from({ length: layers }, (_, layer) => String(layer)) },
    columns: { label: 'Token', names: Array.from({ length: tokens }, (_, token) => words[token % words.length]!) },
    panels: Array.from({ length: panels }, (_, panel) => ({
      title: ['MLP', 'Attention', 'MLP, strict', 'Attention, strict', 'MLP, informative', 'Attention, informative'][panel]!,
      values: Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: tokens }, (_, token) => {
          if (token === 0) return null;
          const peak = Math.exp(-((layer - layers * (0.3 + 0.1 * panel)) ** 2) / layers - (token - tokens * 0.6) ** 2 / tokens);
          return (panel % 2 === 0 ? 1.4 : -0.8) * peak + 0.3 * (noise(layer, token, panel) - 0.5);
        }),
      ),
    })),
  };
}

export const fakeScatter: ScatterFigure = {
  id: 'correlation',
  kind: 'scatter',
  title: 'Informative score of learning implications against the later downstream score',
  caption: 'Each point is one component at one token.',
  x: { label: 'Informative score', kind: 'score' },
  y: { label: 'Downstream score', kind: 'score' },
  series: ['MLP', 'attention heads'].map((label, place) => ({
    label,
    points: Array.from({ length: 60 }, (_, index) => {
      const x = 2 * noise(index, place) - 0.7;
      return {
        x,
        y: (place === 0 ? 0.8 : 0.3) * x + 0.5 * (noise(index, place + 7) - 0.5),
        label: `layer ${index % 6}, token ${index % 10}`,
      };
    }),
  })),
  correlations: [
    { r: 0.91, low: 0.84, high: 0.95 },
    { r: 0.52, low: 0.31, high: 0.69 },
  ],
};

export const fakeDiagonal: ScatterFigure = {
  ...fakeScatter,
  id: 'calibration',
  title: 'Predicted against measured effect',
  caption: 'On the dashed line the first-order prediction is exact.',
  x: { label: 'Predicted change of L', kind: 'score' },
  y: { label: 'Measured change of L', kind: 'score' },
  series: fakeScatter.series.slice(0, 1),
  correlations: [{ r: 0.91, low: 0.84, high: 0.95 }],
  diagonal: true,
};

export const fakeTable: TableFigure = {
  id: 'summary',
  kind: 'table',
  title: 'Effect of ablating the highest components',
  caption: 'Change of the logit gap and rank with the top k components ablated, against random ones.',
  columns: ['Ablated', 'k', 'Change of L', 'Fact rank', 'Implication rank'],
  rows: [
    ['top by score', 1, -0.42, around(0.2, 1), around(1.2, 2)],
    ['top by score', 5, -1.31, around(0.9, 3), around(4.4, 4)],
    ['top & <random>', 5, -0.051, around(0, 5), around(0.4, 6)],
    ['nothing', 0, null, around(0, 7), around(0.3, 8)],
  ],
};

export const fakeFigures: { [experiment: string]: Figure[] } = {
  'layer-freezing': [fakeBars],
  'data-ordering': [
    fakeLines,
    { ...fakeLines, id: 'left', title: 'The new facts themselves', series: fakeLines.series.slice(0, 2) },
  ],
  'extractive-scores': [fakeMap('small-map', 6, 12, 3), fakeMap('large-map', 32, 30, 6)],
  localization: [fakeScatter, fakeDiagonal, fakeTable],
};
