/**
 * What is expected of a run, fixed before it starts, and whether its measurements bear it out. The form is this file's own:
 * the host stores it as it is.
 */
import type { Estimate } from '../../src-main/shared/figures.ts';
import type { EvaluationRow, Json } from '../../src-main/shared/records.ts';
import { estimate } from '../../src-main/shared/statistics.ts';
import { formatRank, plural, stageName } from '../text/format.ts';
import { stagesOf } from './curves.ts';

export type Comparison = 'at most' | 'at least';

/** The mean rank of a list at the end of the run's first training. */
export interface Prediction {
  set: string;
  comparison: Comparison;
  /** A mean rank; null: said in words alone. */
  threshold: number | null;
  text: string;
}

/** What is stored with a run as a prediction; null where nothing is, or nothing that this file wrote. */
export function readPrediction(value: Json): Prediction | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const { set, comparison, threshold, text } = value;
  if (typeof set !== 'string' || (comparison !== 'at most' && comparison !== 'at least') || typeof text !== 'string') return null;
  if (threshold !== null && typeof threshold !== 'number') return null;
  return { set, comparison, threshold: threshold ?? null, text };
}

/** `implications end at a mean rank of at most 2`. */
export function predictionWords({ set, comparison, threshold }: Prediction): string {
  return threshold === null ? '' : `${set} end at a mean rank of ${comparison} ${formatThreshold(threshold)}`;
}

const formatThreshold = (threshold: number) => String(Number(threshold.toFixed(3)));

export interface Verdict {
  /** `open`: not decided yet, or no number was predicted. */
  outcome: 'met' | 'not met' | 'open';
  /** One or two sentences. */
  why: string;
  /** What was measured, over seeds. */
  measured: Estimate | null;
}

/** `state` is the run's: only a finished run decides. */
export function judge(prediction: Prediction, evaluations: readonly EvaluationRow[], state: string): Verdict {
  const { set, comparison, threshold } = prediction;
  if (threshold === null) return { outcome: 'open', why: 'No number was predicted: judge it yourself.', measured: null };
  if (state !== 'finished') {
    const why =
      state === 'queued' || state === 'running'
        ? 'Decided when the run has finished.'
        : 'The run did not finish, so nothing is decided.';
    return { outcome: 'open', why, measured: null };
  }
  const own = evaluations.filter((row) => row.set === set);
  const stage = stagesOf(own)[0];
  const last = new Map<number, EvaluationRow>();
  for (const row of own) {
    if (row.stage === stage && row.epoch >= (last.get(row.seed)?.epoch ?? -1)) last.set(row.seed, row);
  }
  if (stage === undefined || last.size === 0) {
    return { outcome: 'open', why: `The run did not measure ${set}.`, measured: null };
  }
  const measured = estimate([...last].sort(([a], [b]) => a - b).map(([, row]) => row.meanRank));
  const met = comparison === 'at most' ? measured.mean <= threshold : measured.mean >= threshold;
  const seeds = plural(last.size, 'seed');
  const several = stagesOf(own).length > 1 ? ` of ${stageName(stage)}` : '';
  const interval = last.size > 1 ? ` (95 % interval ${formatRank(measured.low)} to ${formatRank(measured.high)})` : '';
  const doubt =
    last.size > 1 && measured.low <= threshold && threshold <= measured.high
      ? ' The threshold lies inside the interval: more seeds may decide otherwise.'
      : '';
  return {
    outcome: met ? 'met' : 'not met',
    why: `At the end${several}, ${set} had a mean rank of ${formatRank(measured.mean)}${interval} over ${seeds}, ${comparison === 'at most' ? 'against at most' : 'against at least'} ${formatThreshold(threshold)}.${doubt}`,
    measured,
  };
}
