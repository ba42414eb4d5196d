/**
 * The part of emergence that dates structures: extractive scores of one seed's finetuning at a checkpoint, summed by kind, and their figures.
 * Which checkpoints there are and what their ranks are is emergence.ts's.
 */
import type { Scores } from '../scores/extractive-scores.ts';
import { estimate } from '../scores/statistics.ts';
import type { Axis, Figure, LinesFigure } from '../shared/figures.ts';
import { tokenMaps } from './score-figures.ts';
import { layerByToken, meanMap, type ScoreMap, totalsOf } from './score-maps.ts';

const kinds = ['informative', 'upstream', 'downstream'] as const;
const components = ['mlp', 'attn'] as const;
type Kind = (typeof kinds)[number];

const componentNames = { mlp: 'MLPs', attn: 'Attention' };
const kindNames: Record<Kind, string> = {
  informative: 'Informative components',
  upstream: 'Upstream structures',
  downstream: 'Downstream structures',
};

/** Averages over the implications at one checkpoint, by `upstream.mlp`, ...; attention summed over heads. */
export interface CheckpointScores {
  totals: Record<string, { positive: number; net: number }>;
  /** [layer][token]. */
  maps: Record<string, number[][]>;
  /** Distance of true changes of L from first-order predictions, as a share of the true changes. */
  gap: number;
}

/** What the figures need of a checkpoint. */
export interface ScoredCheckpoint {
  checkpoint: string;
  step: number;
  implication: { mean: number };
  scores: CheckpointScores;
}

export function checkpointScores(average: Scores, tokens: number, gap: number): CheckpointScores {
  const maps = kinds.flatMap((kind) =>
    components.map((component) => {
      const name = `${kind}.${component}`;
      return [name, meanMap([average.get(name)!])] as const;
    }),
  );
  return {
    totals: Object.fromEntries(maps.map(([name, map]) => [name, totalsOf(map, tokens)])),
    maps: Object.fromEntries(maps.map(([name, map]) => [name, layerByToken(map, tokens)])),
    gap,
  };
}

/** `chance`: the mean rank of guessing an implication; `seed`: the one that was scored. */
export function scoreFigures(
  checkpoints: readonly ScoredCheckpoint[],
  tokens: readonly string[],
  { chance, seed }: { chance: number; seed: number },
): Figure[] {
  const x = checkpoints.map(({ step }) => step);
  const pretraining: Axis = { label: 'Pretraining step', kind: 'number' };
  const courses = [
    ...kinds.map((kind) => ({ label: kindNames[kind], values: checkpoints.map(({ scores }) => positiveOf(scores, kind)) })),
    {
      label: 'Implications (rank gained over chance)',
      values: checkpoints.map(({ implication }) => Math.max(0, chance - implication.mean)),
    },
  ];
  const structures: LinesFigure = {
    id: 'structures',
    kind: 'lines',
    title: 'When structures appear, relative to the implications’ ranks',
    caption:
      'Sums of all positive scores after finetuning, and how far implications rank above chance, each as a share of its largest value over the checkpoints. Scores are of one seed, ranks of all. What rises first was there first.',
    x: pretraining,
    y: { label: 'Share of the largest', kind: 'number' },
    series: courses.map(({ label, values }) => ({ label, x, y: sharesOf(values).map((share) => estimate([share])) })),
    references: [{ label: 'half', value: 0.5 }],
  };
  const sums: LinesFigure = {
    id: 'score-sums',
    kind: 'lines',
    title: 'Scores by kind of component',
    caption:
      'Sums of positive scores over layers and the prompt’s tokens (and heads) after finetuning at each checkpoint. One seed.',
    x: pretraining,
    y: { label: 'Sum of positive scores', kind: 'score' },
    series: kinds.flatMap((kind) =>
      components.map((component) => ({
        label: `${componentNames[component]}, ${kind}`,
        x,
        y: checkpoints.map(({ scores }) => estimate([scores.totals[`${kind}.${component}`]!.positive])),
      })),
    ),
    references: [],
  };
  return [
    structures,
    {
      id: 'dates',
      kind: 'table',
      title: 'First checkpoint at half of the largest value',
      caption: 'The step of the first checkpoint at which each course of the figure above has reached half of its largest value.',
      columns: ['What', 'Pretraining step'],
      rows: courses.map(({ label, values }) => [label, halfway(x, values)]),
    },
    { ...sums, ofSeeds: [seed] },
    ...(['upstream', 'downstream'] as const).flatMap((kind) =>
      components.map((component) => ({ ...checkpointMaps(checkpoints, tokens, kind, component), ofSeeds: [seed] })),
    ),
  ];
}

function checkpointMaps(
  checkpoints: readonly ScoredCheckpoint[],
  tokens: readonly string[],
  kind: Kind,
  component: (typeof components)[number],
): Figure {
  return tokenMaps(
    {
      id: `${kind}-${component}`,
      title: `${kindNames[kind]} over pretraining: ${componentNames[component]}`,
      caption: `${kind === 'upstream' ? 'Upstream' : 'Downstream'} scores by layer and token after finetuning at each checkpoint${component === 'attn' ? ', summed over heads' : ''}. One seed.`,
    },
    checkpoints.map(({ checkpoint, scores }) => ({ title: checkpoint, map: flat(scores.maps[`${kind}.${component}`]!) })),
    tokens,
  );
}

const flat = (rows: number[][]): ScoreMap => ({ shape: [rows.length, rows[0]!.length], values: rows.flat() });

const positiveOf = ({ totals }: CheckpointScores, kind: Kind): number =>
  components.reduce((sum, component) => sum + totals[`${kind}.${component}`]!.positive, 0);

/** Each value as a share of the largest; all 0 where there is nothing. */
function sharesOf(values: readonly number[]): number[] {
  const largest = Math.max(...values);
  return values.map((value) => (largest > 0 ? value / largest : 0));
}

/** Null where the values never leave 0. */
function halfway(steps: readonly number[], values: readonly number[]): number | null {
  return steps[sharesOf(values).findIndex((share) => share >= 0.5)] ?? null;
}
