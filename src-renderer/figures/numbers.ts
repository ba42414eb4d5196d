/**
 * Numbers of figures as text: estimates with their intervals, axis ticks, and what counts as a number at all.
 */
import type { Axis, Estimate } from '../../src-main/shared/figures.ts';
import { formatNumber, formatRank, trueMinus } from '../text/format.ts';

/** Stored figures hold null where a value was not a number. */
export function isNumber(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

export function isEstimate(value: unknown): value is Estimate {
  return typeof value === 'object' && value !== null && Array.isArray((value as Estimate).values);
}

/** A value on an axis: ranks with two decimals, everything else with three digits. */
export function formatValue(value: number | null | undefined, kind: Axis['kind'] = 'number'): string {
  if (!isNumber(value)) return '–';
  return kind === 'rank' ? formatRank(value) : formatNumber(value);
}

/** `0.30 [0.20, 0.41]`; of a single value, the value alone. */
export function formatEstimate(estimate: Estimate, kind: Axis['kind'] = 'rank'): string {
  return [formatValue(estimate.mean, kind), formatInterval(estimate, kind)].filter(Boolean).join(' ');
}

/** `[0.20, 0.41]`; of a single value nothing. */
export function formatInterval({ low, high, values }: Estimate, kind: Axis['kind'] = 'rank'): string {
  return values.length < 2 ? '' : `[${formatValue(low, kind)}, ${formatValue(high, kind)}]`;
}

/** About `count` round numbers (1, 2 or 5 times a power of ten apart) that cover the range from inside. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= 0.8 * raw)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Multiplying whole numbers avoids 0.30000000000000004; the rounding avoids the rest.
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** A tick as text, with a true minus sign. */
export function formatTick(value: number): string {
  const text = Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential() : String(value);
  return trueMinus(text).replace('e+', 'e');
}
