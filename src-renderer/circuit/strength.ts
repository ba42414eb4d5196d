/**
 * How L changes while a growing part of what finetuning learned is added, as the first-order check of a run measured it when it was made.
 * Nothing is computed anew here; other parts are the dial's (measures/dial.ts).
 */
import type { Json } from '../../src-main/shared/records.ts';
import { mean } from '../../src-main/shared/statistics.ts';
import { field } from '../measures/results.ts';

export interface StrengthCurve {
  /** Parts of the change at which L was measured, from 0 to 1. */
  scales: number[];
  /** Change of L there. */
  change: number[];
  /** Its derivative at no change, by the linear maps' scores alone; and by every parameter. */
  slope: number;
  slopeOfAll: number;
}

/** The curve of one item (-1: the mean over items) and one seed (null: the mean over seeds); null where none is stored. */
export function strengthCurve(results: Json, seed: number | null, point: number): StrengthCurve | null {
  const seeds = field(results, 'seeds');
  const checks = (Array.isArray(seeds) ? seeds : [])
    .filter((entry) => seed === null || field(entry, 'seed') === seed)
    .map((entry) => field(entry, 'first_order'))
    .flatMap((check) => checkOf(check, point) ?? []);
  const [first] = checks;
  if (first === undefined) return null;
  return {
    scales: first.scales,
    change: first.scales.map((_, index) => mean(checks.map(({ change }) => change[index]!))),
    slope: mean(checks.map(({ slope }) => slope)),
    slopeOfAll: mean(checks.map(({ slopeOfAll }) => slopeOfAll)),
  };
}

function checkOf(check: Json, point: number): StrengthCurve | null {
  const scales = numbers(field(check, 'scales'));
  const change = field(check, 'change');
  const rows = Array.isArray(change) ? change.map(numbers) : [];
  const of = (values: readonly number[]) => (point < 0 ? mean(values) : values[point]);
  const curve = rows.map(of);
  const [slope, slopeOfAll] = [of(numbers(field(check, 'predictedByMaps'))), of(numbers(field(check, 'predictedByAll')))];
  const known = curve.every((value): value is number => value !== undefined);
  if (scales.length < 2 || curve.length !== scales.length || !known || slope === undefined || slopeOfAll === undefined)
    return null;
  return { scales, change: curve, slope, slopeOfAll };
}

function numbers(json: Json): number[] {
  return Array.isArray(json) ? json.filter((value): value is number => typeof value === 'number') : [];
}
