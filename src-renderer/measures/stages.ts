/**
 * The trainings and evaluations of a run with several stages: which curves each has, and which lists it measured.
 * How curves come from rows is curves.ts's business.
 */
import type { EvaluationRow, ItemSet, StepRow } from '../../src-main/shared/records.ts';
import { type Curve, lossCurve, rankCurves, stagesOf } from './curves.ts';

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

/** The colour token of a list: facts and what stands for them, implications and what stands for them, anything else. */
export function setColor(set: string): string {
  if (/^(facts|left)\b/.test(set)) return '--series-facts';
  if (/^(implications|both)\b/.test(set)) return '--series-implications';
  return '--series-other';
}
