/**
 * What people mark in a circuit: pins, named groups and notes; and how that and the view's settings are saved with the project.
 * Nothing is changed in place, so that history.ts can take any of it back.
 */
import { isRecord } from '../../src-main/shared/parameter-values.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { componentOfKey } from './components.ts';

export interface CircuitGroup {
  id: number;
  name: string;
  /** Keys of components; a component is in one group at most. */
  members: readonly string[];
  /** Drawn as one node. */
  collapsed: boolean;
}

export interface CircuitMarks {
  pins: readonly string[];
  groups: readonly CircuitGroup[];
  /** By a component's key, or `group N`. */
  notes: { readonly [subject: string]: string };
}

export const noMarks: CircuitMarks = { pins: [], groups: [], notes: {} };

export const groupSubject = (id: number): string => `group ${id}`;

export function allPinned({ pins }: Pick<CircuitMarks, 'pins'>, keys: readonly string[]): boolean {
  const pinned = new Set(pins);
  return keys.every((key) => pinned.has(key));
}

/** Pins what is not pinned, and unpins where all of them are. */
export function togglePins(marks: CircuitMarks, keys: readonly string[]): CircuitMarks {
  const pinned = new Set(marks.pins);
  const all = allPinned(marks, keys);
  for (const key of keys) {
    if (all) pinned.delete(key);
    else pinned.add(key);
  }
  return keys.length === 0 ? marks : { ...marks, pins: [...pinned] };
}

/** Puts components into a new group, out of the ones they were in; groups left empty are gone. They are pinned, so that they stay in sight. */
export function grouped(marks: CircuitMarks, keys: readonly string[], name: string): CircuitMarks {
  if (keys.length === 0) return marks;
  const id = 1 + Math.max(0, ...marks.groups.map((group) => group.id));
  const members = new Set(keys);
  const groups = [
    ...withoutMembers(marks.groups, members),
    { id, name: name.trim() || `Group ${id}`, members: [...members], collapsed: false },
  ];
  return tidy({ ...marks, groups, pins: [...new Set([...marks.pins, ...keys])] });
}

export function renamedGroup(marks: CircuitMarks, id: number, name: string): CircuitMarks {
  const text = name.trim();
  const known = marks.groups.find((group) => group.id === id);
  if (text === '' || known === undefined || known.name === text) return marks;
  return { ...marks, groups: marks.groups.map((group) => (group.id === id ? { ...group, name: text } : group)) };
}

/** Draws groups as one node each, or their members again: collapses where any of them is not. Unknown ones are left out. */
export function toggleCollapsed(marks: CircuitMarks, ids: Iterable<number>): CircuitMarks {
  const asked = new Set(ids);
  const meant = marks.groups.filter(({ id }) => asked.has(id));
  if (meant.length === 0) return marks;
  const collapsed = meant.some((group) => !group.collapsed);
  return { ...marks, groups: marks.groups.map((group) => (asked.has(group.id) ? { ...group, collapsed } : group)) };
}

/** Dissolves a group; its components stay. */
export function ungrouped(marks: CircuitMarks, id: number): CircuitMarks {
  return tidy({ ...marks, groups: marks.groups.filter((group) => group.id !== id) });
}

/** An empty note is none. */
export function noted(marks: CircuitMarks, subject: string, note: string): CircuitMarks {
  const text = note.trim();
  if ((marks.notes[subject] ?? '') === text) return marks;
  const { [subject]: _, ...others } = marks.notes;
  return { ...marks, notes: text === '' ? others : { ...others, [subject]: text } };
}

export const groupOf = (marks: CircuitMarks, key: string): CircuitGroup | null =>
  marks.groups.find(({ members }) => members.includes(key)) ?? null;

function withoutMembers(groups: readonly CircuitGroup[], keys: ReadonlySet<string>): CircuitGroup[] {
  return groups.flatMap((group) => {
    const members = group.members.filter((key) => !keys.has(key));
    return members.length === 0 ? [] : [{ ...group, members }];
  });
}

/** Without notes on groups that are gone. */
function tidy(marks: CircuitMarks): CircuitMarks {
  const known = new Set(marks.groups.map(({ id }) => groupSubject(id)));
  const notes = Object.entries(marks.notes).filter(([subject]) => !subject.startsWith('group ') || known.has(subject));
  return { ...marks, notes: Object.fromEntries(notes) };
}

/** A circuit as it is saved: what is marked, and how it was looked at. */
export interface SavedView {
  threshold: number;
  scale: 'shared' | 'own';
  rule: 'strict' | 'nonstrict';
  heads: boolean;
  /** Nothing but pinned components and collapsed groups. */
  pinnedOnly: boolean;
  stage: string | null;
  seed: number | null;
  point: number;
  marks: CircuitMarks;
}

export function viewJson(view: SavedView): Json {
  return { version: 1, ...view, marks: { ...view.marks } } as unknown as Json;
}

/** Reads a saved view; what is missing or makes no sense is left at its default, so that an older or newer file still opens. */
export function readView(json: Json): SavedView {
  const view = record(json);
  const marks = record(view.marks ?? null);
  const threshold = typeof view.threshold === 'number' && view.threshold > 0 && view.threshold <= 1 ? view.threshold : 0.2;
  return {
    threshold,
    scale: view.scale === 'own' ? 'own' : 'shared',
    rule: view.rule === 'nonstrict' ? 'nonstrict' : 'strict',
    heads: view.heads === true,
    pinnedOnly: view.pinnedOnly === true,
    stage: typeof view.stage === 'string' ? view.stage : null,
    seed: whole(view.seed),
    point: whole(view.point) ?? -1,
    marks: {
      pins: keys(marks.pins),
      groups: list(marks.groups).flatMap((entry) => {
        const { id, name, members, collapsed } = record(entry);
        const known = keys(members);
        return whole(id) !== null && typeof name === 'string' && known.length > 0
          ? [{ id: whole(id)!, name, members: known, collapsed: collapsed === true }]
          : [];
      }),
      notes: Object.fromEntries(
        Object.entries(record(marks.notes ?? null)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      ),
    },
  };
}

function record(json: Json | undefined): { [key: string]: Json } {
  return json !== undefined && isRecord(json) ? json : {};
}

const list = (json: Json | undefined): Json[] => (Array.isArray(json) ? json : []);

const whole = (json: Json | undefined): number | null => (typeof json === 'number' && Number.isInteger(json) ? json : null);

function keys(json: Json | undefined): string[] {
  return list(json).filter((key): key is string => typeof key === 'string' && componentOfKey(key) !== null);
}
