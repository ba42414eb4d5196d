/**
 * What is expected of a run, fixed before it starts, and whether its measurements bear it out. The form is this file's own:
 * the host stores it as it is, with a seal.
 */
import type { Estimate } from '../../src-main/shared/figures.ts';
import { isRecord } from '../../src-main/shared/parameter-values.ts';
import { type Seal, sealedText } from '../../src-main/shared/prediction-seal.ts';
import type { EvaluationRow, Json, RunState } from '../../src-main/shared/records.ts';
import { isUnderWay } from '../../src-main/shared/run-state.ts';
import { estimate, mean, spreadWords } from '../../src-main/shared/statistics.ts';
import { formatNumber, formatRank, plural, stageName, trueMinus } from '../text/format.ts';
import { stagesOf } from './curves.ts';
import { field } from './results.ts';

export type Comparison = 'at most' | 'at least';

/** The mean rank of a list at the end of the run's main training, which is its first one, of emergence its last. */
export interface Prediction {
  set: string;
  comparison: Comparison;
  /** A mean rank; null: said in words alone. */
  threshold: number | null;
  text: string;
}

/** What is stored with a run as a prediction; null where nothing is, or nothing that this file wrote. */
export function readPrediction(value: Json): Prediction | null {
  if (!isRecord(value)) return null;
  const { set, comparison, threshold, text } = value;
  if (typeof set !== 'string' || (comparison !== 'at most' && comparison !== 'at least') || typeof text !== 'string') return null;
  if (threshold !== null && typeof threshold !== 'number') return null;
  return { set, comparison, threshold: threshold ?? null, text };
}

/** `implications end at a mean rank of at most 2`. */
export function predictionWords({ set, comparison, threshold }: Prediction): string {
  return threshold === null ? '' : `${set} end at a mean rank of ${comparison} ${formatThreshold(threshold)}`;
}

const formatThreshold = (threshold: number) => trueMinus(String(Number(threshold.toFixed(3))));

/** One seed's value at the end of a training, and whether it alone would bear the prediction out. */
export interface SeedVerdict {
  seed: number;
  value: number;
  agrees: boolean;
}

/** How one training of the run ended in the predicted list. */
export interface TrainingVerdict {
  stage: string;
  measured: Estimate;
  seeds: SeedVerdict[];
  met: boolean;
}

export interface Verdict {
  /** `open`: not decided yet, or no number was predicted. */
  outcome: 'met' | 'not met' | 'open';
  /** One or two sentences. */
  why: string;
  /** The training that decides, which is the main one; null while nothing is decided. */
  decisive: TrainingVerdict | null;
  /** The same list in the run's other trainings: they decide nothing. */
  others: TrainingVerdict[];
}

const open = (why: string): Verdict => ({ outcome: 'open', why, decisive: null, others: [] });

/**
 * `state` is the run's: only a finished run decides. `main` is the training of its outcome, which decides; where it did not measure the list,
 * or is not known, the first one that did. The mean over all seeds decides, and every seed is said to agree or not.
 */
export function judge(prediction: Prediction, evaluations: readonly EvaluationRow[], state: RunState, main?: string): Verdict {
  const { set, comparison, threshold } = prediction;
  if (threshold === null) return open('No number was predicted: judge it yourself.');
  if (isUnderWay(state)) return open('Decided when the run has finished.');
  if (state !== 'finished') return open('The run did not finish, so nothing is decided.');
  const own = evaluations.filter((row) => row.set === set);
  const stages = stagesOf(own).sort((a, b) => Number(b === main) - Number(a === main));
  const [decisive, ...others] = stages.map((stage) => judgeTraining(own, stage, { comparison, threshold }));
  if (decisive === undefined) return open(`The run did not measure ${set}.`);
  const { measured, stage, met } = decisive;
  const count = measured.values.length;
  const several = others.length > 0 ? ` of the training “${stageName(stage)}”` : '';
  const spread = spreadWords([measured]);
  const interval = spread === '' ? '' : ` (${spread}, ${formatRank(measured.low)} to ${formatRank(measured.high)})`;
  const doubt =
    count > 1 && measured.low <= threshold && threshold <= measured.high
      ? ' The threshold lies inside: more seeds may decide otherwise.'
      : '';
  return {
    outcome: met ? 'met' : 'not met',
    why: `At the end${several}, ${set} had a mean rank of ${formatRank(measured.mean)} over ${plural(count, 'seed')}${interval}, against ${comparison} ${formatThreshold(threshold)}.${doubt}`,
    decisive,
    others,
  };
}

/** Means of ranks are sums of fractions: what differs by less than this is equal. */
const rounding = 1e-9;

function judgeTraining(
  rows: readonly EvaluationRow[],
  stage: string,
  { comparison, threshold }: { comparison: Comparison; threshold: number },
): TrainingVerdict {
  const last = new Map<number, EvaluationRow>();
  for (const row of rows) {
    if (row.stage === stage && row.epoch >= (last.get(row.seed)?.epoch ?? -1)) last.set(row.seed, row);
  }
  const agrees = (value: number) => (comparison === 'at most' ? value <= threshold + rounding : value >= threshold - rounding);
  const seeds = [...last]
    .sort(([a], [b]) => a - b)
    .map(([seed, { meanRank }]) => ({ seed, value: meanRank, agrees: agrees(meanRank) }));
  const measured = estimate(seeds.map(({ value }) => value));
  return { stage, measured, seeds, met: agrees(measured.mean) };
}

/** `2 of 3 seeds agree`, with those that do not; where none agrees, they are not named. */
export function agreementWords({ seeds }: TrainingVerdict): string {
  const against = seeds.filter(({ agrees }) => !agrees).map(({ seed, value }) => `seed ${seed} (${formatRank(value)})`);
  const named = against.length > 0 && against.length < seeds.length;
  const agreeing = `${seeds.length - against.length} of ${plural(seeds.length, 'seed')} agree${seeds.length === 1 ? 's' : ''} with the prediction`;
  return `${agreeing}${named ? `; not ${against.join(', ')}` : ''}.`;
}

/**
 * How far from the threshold the mean lies: in ranks, and in standard deviations of the seeds (Cohen's d of one sample, n - 1 in the
 * denominator) where there are several that differ.
 */
export function effectWords({ measured }: TrainingVerdict, threshold: number): string {
  const distance = measured.mean - threshold;
  const side = Math.abs(distance) < rounding ? 'at' : distance < 0 ? 'below' : 'above';
  const far =
    side === 'at'
      ? 'The mean lies at the threshold'
      : `The mean lies ${formatRank(Math.abs(distance))} ranks ${side} the threshold`;
  const deviation = standardDeviation(measured.values);
  if (deviation === null || side === 'at') return `${far}.`;
  const size = Math.abs(distance) / deviation;
  return `${far}, ${size >= 100 ? 'more than 100' : formatNumber(size)} standard deviations of the seeds.`;
}

/** Null for one value, and for values that are all the same. */
function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  return variance > 0 ? Math.sqrt(variance) : null;
}

/** The seal that the host stored with a prediction; null where there is none. */
export function readSeal(value: Json): Seal | null {
  const seal = field(value, 'seal');
  if (!isRecord(seal) || typeof seal.time !== 'string' || typeof seal.hash !== 'string') return null;
  return { time: seal.time, hash: seal.hash };
}

/** Whether what is stored is still what was sealed. */
export async function isIntact(run: string, value: Json): Promise<boolean> {
  const seal = readSeal(value);
  if (seal === null || !isRecord(value)) return false;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sealedText(run, seal.time, value)));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('') === seal.hash;
}
