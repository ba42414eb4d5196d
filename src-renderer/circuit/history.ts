/**
 * Undo and redo of any value that is never changed in place. It does not know what the value is.
 */

/** The value now, those before it (oldest first) and those taken back (next to redo last), with what each change was. */
export interface History<T> {
  readonly now: T;
  readonly past: readonly { value: T; what: string }[];
  readonly future: readonly { value: T; what: string }[];
}

const longest = 200;

export function historyOf<T>(value: T): History<T> {
  return { now: value, past: [], future: [] };
}

/** One step on; what was taken back is forgotten. The same value again is no step. */
export function changed<T>({ now, past, future }: History<T>, value: T, what: string): History<T> {
  if (value === now) return { now, past, future };
  return { now: value, past: [...past, { value: now, what }].slice(-longest), future: [] };
}

export function undone<T>({ now, past, future }: History<T>): History<T> {
  const last = past.at(-1);
  if (last === undefined) return { now, past, future };
  return { now: last.value, past: past.slice(0, -1), future: [...future, { value: now, what: last.what }] };
}

export function redone<T>({ now, past, future }: History<T>): History<T> {
  const next = future.at(-1);
  if (next === undefined) return { now, past, future };
  return { now: next.value, past: [...past, { value: now, what: next.what }], future: future.slice(0, -1) };
}
