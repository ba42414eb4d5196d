/**
 * What the circuit explorer shows, as one place that an address names: its tab, the scores chosen, and the components that are open or selected.
 * Scores, marks and the drawing are states of their own; the address bar, and what is said to people, are the screen's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { CircuitRecord } from '../../src-main/shared/contract-circuits.ts';
import { type CircuitPlace, type CircuitTab, changedPlace, firstPlace, placeQuery, readPlace } from '../circuit/circuit-place.ts';
import { type ChosenComponent, chosenKey, chosenOfKey, componentOfKey, keyOf } from '../circuit/components.ts';
import { readView } from '../circuit/marks.ts';
import type { Keeper } from '../datasets/kept-locally.ts';
import { CircuitScores } from './circuit.svelte.ts';
import { CircuitGraph } from './circuit-graph.svelte.ts';
import { CircuitDesk } from './circuit-marks.svelte.ts';

/** What came of following an address. */
export interface Followed {
  /** The circuit that it names is not saved any more. */
  missing: boolean;
  /** Marks that were left unsaved have been taken up. */
  draft: boolean;
}

export class CircuitExplorer {
  readonly scores: CircuitScores;
  readonly desk: CircuitDesk;
  readonly graph: CircuitGraph;
  #tab = $state<CircuitTab>('maps');
  /** A component chosen in the maps; in the circuit it is the selected one. */
  chosen = $state.raw<ChosenComponent | null>(null);
  #opened: Promise<void> = Promise.resolve();
  #asked = 0;

  readonly #components = $derived.by(() => {
    if (this.#tab === 'circuit') return [...this.desk.selected];
    return this.chosen === null ? [] : [chosenKey(this.chosen)];
  });
  readonly #place: CircuitPlace = $derived.by(() => ({
    tab: this.#tab,
    stage: this.scores.chosenStage,
    item: this.scores.point,
    seed: this.scores.seed,
    minus: this.scores.otherId,
    minusStage: this.scores.chosenOtherStage,
    view: this.graph.choice.view,
    token: this.graph.choice.token,
    components: this.#components,
  }));

  /** Marks that are not saved yet are kept in `keeper` until they are. */
  constructor(run: string, keeper: Keeper | null = null) {
    this.scores = new CircuitScores(run);
    this.desk = new CircuitDesk(run, keeper);
    this.graph = new CircuitGraph(this.scores, this.desk);
  }

  get tab(): CircuitTab {
    return this.#tab;
  }

  /** A component that is open in the maps is the circuit's selection, where it is one component at one token. */
  set tab(tab: CircuitTab) {
    const { chosen, desk } = this;
    if (tab === 'circuit' && chosen !== null && chosen.token !== null && desk.selected.size === 0)
      desk.select(keyOf({ ...chosen, token: chosen.token }));
    this.#tab = tab;
  }

  /** The component that is open; of several selected ones the first. */
  get shown(): ChosenComponent | null {
    if (this.#tab !== 'circuit') return this.chosen;
    const [first] = this.desk.selected;
    return first === undefined ? null : componentOfKey(first);
  }

  /** Leaves no component open or selected. */
  clear(): void {
    if (this.#tab === 'circuit') this.desk.selectAll([]);
    else this.chosen = null;
  }

  /** What is shown, as the query of an address. */
  get query(): string {
    const { open } = this.desk;
    return placeQuery(this.#place, firstOf(open), open?.circuit ?? null);
  }

  /** Asks for the run and what it stored. */
  open(service: Service): void {
    this.#opened = this.scores.open(service);
  }

  /**
   * Shows what an address says: a saved circuit, and what was changed since. What is chosen while that circuit is on its way stays. Null where
   * the run cannot be read, or another address has been asked for meanwhile.
   */
  async follow(service: Service, query: URLSearchParams): Promise<Followed | null> {
    const { scores, desk, graph } = this;
    const asked = ++this.#asked;
    const number = query.get('circuit');
    const begun = readPlace(query, number === null ? firstPlace : { ...firstPlace, tab: 'circuit' });
    this.#show(begun);
    await this.#opened;
    if (scores.detail === null) return null;
    await desk.list(service).catch(() => {});
    if (asked !== this.#asked) return null;
    const circuit = desk.saved.find((entry) => String(entry.circuit) === (number ?? String(desk.draft?.circuit)));
    if (circuit !== undefined) {
      const [changed, selected] = [changedPlace(begun, this.#place), desk.selected];
      const view = desk.openSaved(circuit);
      if (number === null) desk.selectAll(selected);
      else {
        graph.show(view);
        this.#show({ ...readPlace(query, firstOf(circuit)), ...changed });
      }
    } else if (desk.open !== null) desk.startNew();
    const draft = !desk.unsaved && desk.takeUpDraft();
    return { missing: number !== null && circuit === undefined, draft };
  }

  #show(place: CircuitPlace): void {
    const { scores, desk, graph } = this;
    this.#tab = place.tab;
    scores.chosenStage = place.stage;
    scores.seed = place.seed;
    scores.point = place.item;
    scores.otherId = place.minus;
    scores.otherStage = place.minusStage;
    graph.choice.view = place.view;
    graph.choice.token = place.token;
    if (place.tab === 'circuit') desk.selectAll(place.components.filter((key) => componentOfKey(key) !== null));
    else this.chosen = chosenOfKey(place.components[0] ?? '');
  }
}

/** What is shown where the address says nothing more: the circuit as it was saved. */
function firstOf(circuit: CircuitRecord | null): CircuitPlace {
  if (circuit === null) return firstPlace;
  const { stage, seed, point } = readView(circuit.view);
  return { ...firstPlace, tab: 'circuit', stage, seed, item: point };
}
