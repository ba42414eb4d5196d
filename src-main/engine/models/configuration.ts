/**
 * Reads single fields of config.json with their limits, so that a family's `configure` is a list of names.
 * It opens no files and knows no family.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { RawConfiguration } from './family.ts';

const largest = 2 ** 31 - 1;
/** No published model has a tenth of it; lists are made as long as there are layers. */
const mostLayers = 10_000;

function refuse(field: string, value: unknown, wanted: string): never {
  const shown = JSON.stringify(value) ?? String(value);
  throw new HopscopeError(
    'BadConfiguration',
    `config.json: ${field} is ${shown.slice(0, 80)}, expected ${wanted}. Correct the file or download it again.`,
  );
}

/** A whole number from 1 to 2^31 - 1. */
export function count(raw: RawConfiguration, field: string, fallback?: number): number {
  return whole(raw, field, 1, fallback);
}

/** The same from 0. */
export function nonNegative(raw: RawConfiguration, field: string, fallback?: number): number {
  return whole(raw, field, 0, fallback);
}

/** How many layers: a whole number from 1 to 10,000. */
export function layerCount(raw: RawConfiguration, field: string): number {
  return whole(raw, field, 1, undefined, mostLayers);
}

function whole(raw: RawConfiguration, field: string, least: number, fallback?: number, most = largest): number {
  const value = raw[field] ?? fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    return refuse(field, raw[field], `a whole number from ${least} to ${most}`);
  }
  return value;
}

/** A finite number above 0. */
export function positive(raw: RawConfiguration, field: string, fallback?: number): number {
  const value = raw[field] ?? fallback;
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return refuse(field, raw[field], 'a number above 0');
  return value;
}

/** As `positive`; null where the field is null or absent. */
export function positiveOrNull(raw: RawConfiguration, field: string): number | null {
  return raw[field] === undefined || raw[field] === null ? null : positive(raw, field);
}

export function flag(raw: RawConfiguration, field: string, fallback: boolean): boolean {
  const value = raw[field] ?? fallback;
  if (typeof value !== 'boolean') return refuse(field, value, 'true or false');
  return value;
}

/** Refuses any value of a field but those listed; absent counts as the first. */
export function oneOf<T extends string | boolean>(raw: RawConfiguration, field: string, allowed: readonly T[]): T {
  const value = raw[field] ?? allowed[0];
  if (!allowed.includes(value as T)) return refuse(field, value, `one of ${allowed.join(', ')}`);
  return value as T;
}

/**
 * Every layer's window: `sliding_window` where `layer_types` says sliding_attention, or, where the file has no such list, where `slides` says so.
 * A window of null slides nowhere.
 */
export function slidingWindows(
  raw: RawConfiguration,
  layers: number,
  slides: (layer: number) => boolean,
  fallback?: number,
): (number | null)[] {
  const types = raw.layer_types ?? Array.from({ length: layers }, (_, layer) => (slides(layer) ? sliding : full));
  if (!Array.isArray(types) || types.length !== layers || types.some((type) => type !== sliding && type !== full)) {
    return refuse('layer_types', raw.layer_types, `a list of ${layers} of ${full} and ${sliding}`);
  }
  if (raw.sliding_window === null || !types.includes(sliding)) return types.map(() => null);
  const window = count(raw, 'sliding_window', fallback);
  return types.map((type) => (type === sliding ? window : null));
}

const full = 'full_attention';
const sliding = 'sliding_attention';

/** A nested record, or null where the field is absent or null. */
export function record(raw: RawConfiguration, field: string): RawConfiguration | null {
  const value = raw[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) return refuse(field, value, 'an object');
  return value as RawConfiguration;
}

/** Throws `BadConfiguration` unless `divisor` divides `value`. */
export function divisible(value: number, divisor: number, what: string): void {
  if (value % divisor !== 0)
    throw new HopscopeError('BadConfiguration', `config.json: ${what} (${value} is not a multiple of ${divisor}).`);
}
