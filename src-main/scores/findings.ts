/**
 * What the parts of the preflight share: the lists they look at and how findings speak of items.
 * It finds nothing itself.
 */
import type { Example } from '../engine/training/batch.ts';
import type { Pair } from '../shared/records.ts';

/** A list of items as an experiment trains on or measures it. */
export interface PreflightList {
  set: string;
  pairs: readonly Pair[];
  options: readonly string[];
}

/** An item whose text could be encoded. */
export interface ReadItem {
  item: number;
  example: Example;
}

/** Up to five texts, quoted, and how many more there are. */
export function named(texts: readonly string[]): string {
  const shown = texts.slice(0, 5).map((text) => JSON.stringify(text));
  return texts.length > 5 ? `${shown.join(', ')} and ${texts.length - 5} more` : shown.join(', ');
}

/** `1 item`, `3 items`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The values by key, in order of first appearance. */
export function groupedBy<Value, Key>(values: readonly Value[], keyOf: (value: Value) => Key): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group) group.push(value);
    else groups.set(keyOf(value), [value]);
  }
  return groups;
}
