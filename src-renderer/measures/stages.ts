/**
 * The trainings and evaluations of a run with several stages: which curves each has, which lists it measured, where it stands, its figures.
 * How curves come from rows is curves.ts's business.
 */

import { chanceReferences } from '../../src-main/shared/chance.ts';
import type { LinesFigure } from '../../src-main/shared/figures.ts';
import type { EvaluationRow, ItemSet, StepRow } from '../../src-main/shared/records.ts';
import { seedWords } from '../../src-main/shared/setting-words.ts';
import { estimate } from '../../src-main/shared/statistics.ts';
import { capitalize, formatRank, stageName } from '../text/format.ts';
import { type Curve, lossCurve, rankCurves, seedsOf, stagesOf, standing } from './curves.ts';

/** One stage of a run. */
export interface StageCurves {
  stage: string;
  /** One curve for each list that the stage measured. */
  ranks: Curve[];
  loss: Curve;
  /** Whether something is trained in it; else it is one evaluation of given weights. */
  trained: boolean;
}

/** The stages in order of appearance, each with the lists it measured. */
export function stageCurves(
  evaluations: readonly EvaluationRow[],
  steps: readonly StepRow[],
  sets: readonly ItemSet[],
): StageCurves[] {
  return stagesOf(evaluations).map((stage) => {
    const measured = setsOf(evaluations, sets, stage);
    const ranks = rankCurves(evaluations, measured, stage);
    const loss = lossCurve(steps, stage);
    return {
      stage,
      ranks,
      loss,
      trained: loss.seeds.length > 0 || ranks.some(({ seeds }) => seeds.some(({ points }) => points.length > 1)),
    };
  });
}

/** The lists that a stage measured, in the order of `sets`. */
export function setsOf(evaluations: readonly EvaluationRow[], sets: readonly ItemSet[], stage: string | undefined): ItemSet[] {
  const measured = new Set(evaluations.filter((row) => stage === undefined || row.stage === stage).map(({ set }) => set));
  return sets.filter(({ set }) => measured.has(set));
}

/** `left, assignment 1` is one of several lists called left. */
export function listName(set: string): string {
  return set.split(',')[0] ?? set;
}

/**
 * Where a training stands, `facts 0.20 · implications 3.10, epoch 12`: means over the seeds that got furthest, which are named where
 * others have not (`epoch 4, seed 0 only`). `planned`: how many seeds the run asks for.
 */
export function standingWords(ranks: readonly Curve[], planned: number): string {
  const ends = ranks.flatMap((curve) => {
    const now = standing(curve);
    if (now === null) return [];
    const all = curve.seeds.length === now.reached.length && planned <= now.reached.length;
    const place = `epoch ${now.epoch}${all ? '' : `, ${seedWords(now.reached)} only`}`;
    return [{ text: `${listName(curve.set)} ${formatRank(now.latest)}`, place }];
  });
  const together = ends.every(({ place }) => place === ends[0]!.place);
  if (!together) return ends.map(({ text, place }) => `${text} (${place})`).join(' · ');
  return ends.length === 0 ? '' : `${ends.map(({ text }) => text).join(' · ')}, ${ends[0]!.place}`;
}

const figureSuffix = ({ stage }: Pick<StageCurves, 'stage'>) => stage.replaceAll(/[^A-Za-z0-9]+/g, '-');

/** Mean ranks of a training by epoch, as far as every seed that has begun has got. */
export function ranksFigure(entry: Pick<StageCurves, 'stage' | 'ranks'>): LinesFigure {
  return {
    id: `ranks-${figureSuffix(entry)}`,
    kind: 'lines',
    title: `${capitalize(stageName(entry.stage))}: mean rank by epoch`,
    caption: `Mean rank of the right answer among the options (0 is best); epoch 0 is before training.${shortest(entry.ranks)}`,
    x: { label: 'Epoch', kind: 'number' },
    y: { label: 'Mean rank (0 is best)', kind: 'rank' },
    series: entry.ranks.map(seriesOf),
    references: chanceReferences(entry.ranks.flatMap(({ set, chance }) => (chance === null ? [] : [{ set, chance }]))),
    ofSeeds: seedsOf(entry.ranks.flatMap(({ seeds }) => seeds)),
  };
}

/** The loss of a training by step, as far as every seed that has begun has got. */
export function lossFigure({ stage, loss }: Pick<StageCurves, 'stage' | 'loss'>): LinesFigure {
  return {
    id: `loss-${figureSuffix({ stage })}`,
    kind: 'lines',
    title: `${capitalize(stageName(stage))}: training loss by step`,
    caption: `Cross entropy of each step’s batch before the step.${shortest([loss])}`,
    x: { label: 'Step', kind: 'number' },
    y: { label: 'Cross entropy', kind: 'number' },
    series: [{ ...seriesOf(loss), label: 'training loss' }],
    references: [],
    ofSeeds: seedsOf(loss.seeds),
  };
}

function seriesOf({ set, seeds, mean }: Curve): LinesFigure['series'][number] {
  const lines = seeds.map(({ points }) => new Map(points.map(({ x, y }) => [x, y])));
  return { label: set, x: mean.map(({ x }) => x), y: mean.map(({ x }) => estimate(lines.map((line) => line.get(x)!))) };
}

/** Said where some seed has got further than is drawn. */
function shortest(curves: readonly Curve[]): string {
  const isShort = curves.some(({ seeds, mean }) => seeds.some(({ points }) => points.length > mean.length));
  return isShort ? ' Drawn as far as all seeds that began have got.' : '';
}

/** The colour token of a list: facts and what stands for them, implications and what stands for them, anything else. */
export function setColor(set: string): string {
  if (/^(facts|left)\b/.test(set)) return '--series-facts';
  if (/^(implications|both)\b/.test(set)) return '--series-implications';
  return '--series-other';
}
