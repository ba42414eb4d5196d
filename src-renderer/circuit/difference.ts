/**
 * The difference of two runs' scores in words: what A and B are, which way it was taken, and which settings set the two apart. Screens, captions
 * and files say it alike; the numbers are made in scores.ts.
 */
import type { RunDetail } from '../../src-main/shared/records.ts';
import { settingRows } from '../measures/compare-settings.ts';
import { stageName } from '../text/format.ts';

/** One of the two: the mean over `seeds`, or one seed's scores. */
export interface Side {
  detail: RunDetail;
  /** Empty where each score comes from its own stage. */
  stage: string;
  seeds: readonly number[];
}

/** `a` minus `b`. */
export interface Difference {
  a: Side;
  b: Side;
  /** The seed of `a`, where `b` has none of this number. */
  missingSeed: number | null;
}

/** Settings that change what scores are; others, such as memory, do not. */
const telling = new Set(['model', 'dataset', 'trainable', 'lr', 'epochs', 'batch_size', 'orders', 'accumulation']);

/** For titles: `A minus B (run 1 minus run 2)`. */
export function differenceName({ a, b }: Difference): string {
  return `A minus B (${a.detail.run} minus ${b.detail.run})`;
}

/** For sources: what was subtracted from what, exactly. */
export function differenceSource({ a, b, missingSeed }: Difference): string {
  const missing = missingSeed === null ? '' : `; B has no seed ${missingSeed}, so the mean over its seeds is subtracted`;
  return `A minus B. A: ${sideText(a)}. B: ${sideText(b)}${missing}.`;
}

/** For captions: the same, how to read it, and in what the two runs differ. */
export function differenceText(difference: Difference): string {
  const settings = differingSettings(difference);
  const differing = settings.length === 0 ? '' : ` Settings that differ (A; B): ${settings.join(', ')}.`;
  return `${differenceSource(difference)} Positive: higher in A.${differing}`;
}

/** `lr 1e-3; 1e-4`: of what changes scores, A's value and B's. */
function differingSettings({ a, b }: Difference): string[] {
  return settingRows([a.detail, b.detail]).flatMap(({ name, values, differs }) =>
    differs && telling.has(name) ? [`${name} ${values.map((value) => value || 'none').join('; ')}`] : [],
  );
}

function sideText({ detail, stage, seeds }: Side): string {
  const mean = seeds.length === 1 ? `seed ${seeds[0]}` : `mean over seeds ${seeds.join(', ')}`;
  return `run ${detail.run} (“${detail.title}”)${stage === '' ? '' : `, ${stageName(stage)}`}, ${mean}`;
}
