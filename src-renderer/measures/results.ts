/**
 * Reads a run's stored results, whose form is its experiment's: members by their names, and the tokens of items.
 * What is missing or has another form is null or empty; nothing is computed.
 */
import { isRecord } from '../../src-main/shared/parameter-values.ts';
import type { Json } from '../../src-main/shared/records.ts';

/** A member of an object that came as JSON; null where there is none. */
export function field(json: Json | undefined, name: string): Json {
  return json !== undefined && isRecord(json) ? (json[name] ?? null) : null;
}

/** The item's tokens where the results hold them (`item_tokens`, of the one scored list or by list); else none. */
export function itemTokens(results: Json, set: string, item: number): string[] {
  const stored = field(results, 'item_tokens');
  const all = isRecord(stored) ? field(stored, set) : stored;
  return textsOf(Array.isArray(all) ? (all[item] ?? null) : null);
}

/** The texts of a list; none where anything else is in it. */
export function textsOf(json: Json): string[] {
  return Array.isArray(json) && json.every((entry) => typeof entry === 'string') ? (json as string[]) : [];
}
