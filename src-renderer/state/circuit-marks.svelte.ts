/**
 * What people do with a circuit: select, pin, group and annotate components, take that back, and save it with the project under a name.
 * The scores themselves are in circuit.svelte.ts.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { CircuitRecord } from '../../src-main/shared/contract-circuits.ts';
import { type CircuitDraft, dropDraft, keepDraft, readDrafts } from '../circuit/circuit-drafts.ts';
import { changed, type History, historyOf, redone, undone } from '../circuit/history.ts';
import {
  allPinned,
  type CircuitMarks,
  noMarks,
  readView,
  type SavedView,
  toggleCollapsed,
  togglePins,
  viewJson,
} from '../circuit/marks.ts';
import type { Keeper } from '../datasets/kept-locally.ts';

export class CircuitDesk {
  readonly run: string;
  #history = $state.raw<History<CircuitMarks>>(historyOf(noMarks));
  #selected = $state.raw<ReadonlySet<string>>(new Set());
  #saved = $state.raw<CircuitRecord[]>([]);
  #open = $state.raw<CircuitRecord | null>(null);
  /** The marks as they were last saved or opened. */
  #clean = $state.raw<CircuitMarks>(noMarks);

  readonly #keeper: Keeper | null;

  /** Marks that are not saved yet are kept in `keeper` until they are. */
  constructor(run: string, keeper: Keeper | null = null) {
    this.run = run;
    this.#keeper = keeper;
  }

  get marks(): CircuitMarks {
    return this.#history.now;
  }

  /** Keys of selected components, in the order of selection. */
  get selected(): ReadonlySet<string> {
    return this.#selected;
  }

  /** What the next undo takes back, and redo does again; null where there is nothing. */
  get undoes(): string | null {
    return this.#history.past.at(-1)?.what ?? null;
  }

  get redoes(): string | null {
    return this.#history.future.at(-1)?.what ?? null;
  }

  /** Circuits saved on this run. */
  get saved(): CircuitRecord[] {
    return this.#saved;
  }

  /** The saved circuit that is open; null: a new one. */
  get open(): CircuitRecord | null {
    return this.#open;
  }

  /** Whether marks were changed since they were saved. */
  get unsaved(): boolean {
    return this.marks !== this.#clean;
  }

  /** Selects one component alone, or adds and removes it (`more`). */
  select(key: string, more = false): void {
    if (!more) {
      this.#selected = new Set([key]);
      return;
    }
    const selected = new Set(this.#selected);
    if (!selected.delete(key)) selected.add(key);
    this.#selected = selected;
  }

  selectAll(keys: Iterable<string>): void {
    this.#selected = new Set(keys);
  }

  /** One step that can be taken back. */
  change(marks: CircuitMarks, what: string): void {
    // What is kept of an earlier visit goes only with a change
    if (marks === this.marks) return;
    this.#history = changed(this.#history, marks, what);
    this.#keep();
  }

  /** Pins components, or unpins them where all of them are. */
  pin(keys: readonly string[]): void {
    this.change(togglePins(this.marks, keys), allPinned(this.marks, keys) ? 'unpin' : 'pin');
  }

  /** Collapses groups, or opens them where all of them are. */
  fold(groups: readonly number[]): void {
    const next = toggleCollapsed(this.marks, groups);
    const collapses = next.groups.some(({ id, collapsed }) => collapsed && groups.includes(id));
    this.change(next, collapses ? 'collapse group' : 'open group');
  }

  undo(): void {
    if (this.undoes === null) return;
    this.#history = undone(this.#history);
    this.#keep();
  }

  redo(): void {
    if (this.redoes === null) return;
    this.#history = redone(this.#history);
    this.#keep();
  }

  /**
   * Reads what is saved. Where the open circuit was changed elsewhere its marks are taken over, unless some here are not saved; where it
   * was deleted, its marks stay as unsaved ones.
   */
  async list(service: Service): Promise<void> {
    this.#saved = await service.circuits(this.run);
    const open = this.#open;
    if (open === null) return;
    this.#open = this.#saved.find(({ circuit }) => circuit === open.circuit) ?? null;
    if (this.#open === null) {
      this.#clean = noMarks;
      this.#drop(open.circuit);
      this.#keep();
    } else if (this.#open.view !== open.view && !this.unsaved) {
      const { marks } = readView(this.#open.view);
      this.#history = historyOf(marks);
      this.#clean = marks;
    }
  }

  /** Opens a saved circuit and returns how it was looked at. */
  openSaved(circuit: CircuitRecord): SavedView {
    const view = readView(circuit.view);
    this.#begin(view.marks);
    this.#open = circuit;
    return view;
  }

  /** The marks that were left unsaved last, of whichever circuit. */
  get draft(): CircuitDraft | null {
    return this.#drafts()[0] ?? null;
  }

  /** Takes up the open circuit's marks where they were left unsaved, as one step that can be taken back; false where there are none. */
  takeUpDraft(): boolean {
    const circuit = this.#open?.circuit ?? null;
    const draft = this.#drafts().find((entry) => entry.circuit === circuit);
    if (draft === undefined) return false;
    this.change(draft.marks, 'take up unsaved marks');
    return true;
  }

  /** Back to the marks as they were saved, as one step that can be taken back. */
  discard(): void {
    this.change(this.#clean, 'discard unsaved marks');
  }

  /** Returns how to come back to the circuit, marks and steps of now. */
  standing(): () => void {
    const [history, clean, open] = [this.#history, this.#clean, this.#open];
    return () => {
      [this.#history, this.#clean, this.#open] = [history, clean, open];
      this.#selected = new Set();
      this.#keep();
    };
  }

  /** A new circuit without marks. */
  startNew(): void {
    this.#begin(noMarks);
    this.#open = null;
  }

  /** Saves the open circuit, or a new one under `name`. */
  async save(service: Service, view: Omit<SavedView, 'marks'>, name: string | null): Promise<void> {
    const marks = this.marks;
    const former = this.#open?.circuit ?? null;
    const json = viewJson({ ...view, marks });
    let circuit = this.#open?.circuit;
    if (circuit === undefined || name !== null)
      ({ circuit } = await service.createCircuit(this.run, { name: name ?? 'Circuit', view: json }));
    else await service.changeCircuit(circuit, { view: json });
    this.#saved = await service.circuits(this.run);
    this.#open = this.#saved.find((entry) => entry.circuit === circuit) ?? null;
    this.#clean = marks;
    this.#drop(former);
    this.#keep();
  }

  async rename(service: Service, name: string): Promise<void> {
    if (this.#open === null) return;
    await service.changeCircuit(this.#open.circuit, { name });
    await this.list(service);
  }

  /** Deletes the open circuit; its marks stay on the screen as unsaved ones. Returns how to bring it back. */
  async delete(service: Service): Promise<{ name: string; restore: () => Promise<void> } | null> {
    const circuit = this.#open;
    if (circuit === null) return null;
    await service.deleteCircuit(circuit.circuit);
    await this.list(service);
    const marks = this.marks;
    return {
      name: circuit.name,
      restore: async () => {
        await service.restoreCircuit(circuit.circuit);
        await this.list(service);
        const restored = this.#saved.find((entry) => entry.circuit === circuit.circuit);
        if (restored && this.#open === null && this.marks === marks) {
          this.#open = restored;
          this.#clean = marks;
          this.#drop(null);
        }
      },
    };
  }

  #begin(marks: CircuitMarks): void {
    this.#history = historyOf(marks);
    this.#clean = marks;
    this.#selected = new Set();
  }

  /** Of circuits that are gone: what was left of them is a new circuit's. */
  #drafts(): CircuitDraft[] {
    const drafts = this.#keeper === null ? [] : readDrafts(this.#keeper, this.run);
    const known = new Set(this.#saved.map(({ circuit }) => circuit));
    return drafts.map((draft) => (draft.circuit === null || known.has(draft.circuit) ? draft : { ...draft, circuit: null }));
  }

  #keep(): void {
    const circuit = this.#open?.circuit ?? null;
    if (this.#keeper === null) return;
    if (this.unsaved) keepDraft(this.#keeper, this.run, { circuit, marks: this.marks });
    else dropDraft(this.#keeper, this.run, circuit);
  }

  #drop(circuit: number | null): void {
    if (this.#keeper !== null) dropDraft(this.#keeper, this.run, circuit);
  }
}
