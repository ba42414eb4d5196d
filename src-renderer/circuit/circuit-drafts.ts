/**
 * Marks that were not saved yet, as the browser keeps them between visits: of every run one draft for each of its circuits and for a new one.
 * Saved circuits are the host's; where the browser keeps nothing, marks last as long as the screen.
 */
import { isRecord } from '../../src-main/shared/parameter-values.ts';
import type { Json } from '../../src-main/shared/records.ts';
import { type Keeper, readKept, removeKept, writeKept } from '../datasets/kept-locally.ts';
import { type CircuitMarks, readView } from './marks.ts';

export interface CircuitDraft {
  /** The saved circuit that it changes; null: a new one. */
  circuit: number | null;
  marks: CircuitMarks;
}

const keyOf = (run: string) => `hopscope.circuit-drafts.${run}`;

/** The last written first; those that cannot be read are left out. */
export function readDrafts(keeper: Keeper, run: string): CircuitDraft[] {
  const list = readKept(keeper, keyOf(run));
  return (Array.isArray(list) ? (list as Json[]) : []).flatMap((entry) => {
    if (!isRecord(entry)) return [];
    const { circuit = null, marks = null } = entry;
    if (circuit !== null && !Number.isInteger(circuit)) return [];
    return [{ circuit: circuit as number | null, marks: readView({ marks }).marks }];
  });
}

/** In place of the circuit's former draft. False where it could not be kept: no room, or not allowed. */
export function keepDraft(keeper: Keeper, run: string, draft: CircuitDraft): boolean {
  return writeKept(keeper, keyOf(run), [draft, ...others(keeper, run, draft.circuit)]);
}

export function dropDraft(keeper: Keeper, run: string, circuit: number | null): void {
  const rest = others(keeper, run, circuit);
  if (rest.length === 0) removeKept(keeper, keyOf(run));
  else writeKept(keeper, keyOf(run), rest);
}

function others(keeper: Keeper, run: string, circuit: number | null): CircuitDraft[] {
  return readDrafts(keeper, run).filter((draft) => draft.circuit !== circuit);
}
