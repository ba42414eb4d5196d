/**
 * The node-link circuit on the screen: which components the threshold and the marks leave, where they stand, and how it is looked at.
 * Scores come from circuit.svelte.ts, marks and the selection from circuit-marks.svelte.ts.
 */
import { type CircuitNode, withCollapsed } from '../circuit/collapse.ts';
import type { CircuitPicture } from '../circuit/drawing.ts';
import { layOut } from '../circuit/layout.ts';
import type { MapChoice } from '../circuit/map-choice.ts';
import type { SavedView } from '../circuit/marks.ts';
import type { ScoreTables } from '../circuit/scores.ts';
import {
  type CircuitComponent,
  chosen,
  componentIn,
  countAbove,
  limitsOf,
  mostShown,
  rankedComponents,
  thresholdFor,
} from '../circuit/selection.ts';
import type { CircuitScores } from './circuit.svelte.ts';
import type { CircuitDesk } from './circuit-marks.svelte.ts';

/** About this many components are shown until a threshold is chosen. */
const firstCount = 24;

const none: ScoreTables = new Map();

export class CircuitGraph {
  readonly scores: CircuitScores;
  readonly desk: CircuitDesk;
  /** How maps and circuit are looked at. */
  choice = $state<MapChoice>({ view: 'mlp', rule: 'strict', scale: 'shared', percentile: 1, token: null, sums: true });
  /** Each head by itself, or a layer's heads added. */
  heads = $state(false);
  /** Nothing but what is pinned: a circuit made by hand. */
  pinnedOnly = $state(false);
  #threshold = $state<number | null>(null);

  readonly #tables = $derived.by(() => this.scores.tables ?? none);
  readonly scale = $derived.by(() => ({ scale: this.choice.scale, rule: this.choice.rule, heads: this.heads }));
  readonly limits = $derived(limitsOf(this.#tables, this.scale));
  readonly ranked = $derived(rankedComponents(this.#tables, this.scale, this.limits));
  readonly #first = $derived(thresholdFor(this.ranked, firstCount));
  /** How many components reach the threshold. */
  readonly passing = $derived(countAbove(this.ranked, this.threshold));
  // A slider's step that changes no number of components ends here: nothing is laid out or drawn anew.
  readonly #count = $derived.by(() => (this.pinnedOnly ? 0 : Math.min(this.passing, mostShown)));
  readonly #pinned = $derived.by(() => this.desk.marks.pins.flatMap((key) => this.find(key) ?? []));
  readonly #shown = $derived(chosen(this.ranked, this.#count, this.#pinned));
  readonly #nodes: CircuitNode[] = $derived.by(() =>
    withCollapsed(this.#shown, this.desk.marks, (key) => this.find(key), this.limits),
  );
  readonly #size = $derived.by(() => {
    const [first] = this.#tables.values();
    return { layers: first?.layers ?? 0, tokens: first?.tokens ?? 0 };
  });
  readonly layout = $derived.by(() => layOut(this.#nodes, this.#size, this.scores.parallel));
  readonly picture: CircuitPicture = $derived.by(() => ({
    layout: this.layout,
    tokens: this.scores.tokens.names,
    marks: this.desk.marks,
    selected: this.desk.selected,
    difference: this.scores.difference !== null,
  }));

  constructor(scores: CircuitScores, desk: CircuitDesk) {
    this.scores = scores;
    this.desk = desk;
  }

  /** The smallest share of the largest score that is shown. */
  get threshold(): number {
    return this.#threshold ?? this.#first;
  }

  set threshold(share: number) {
    this.#threshold = share;
  }

  /** Layers of the model, and tokens of the prompt. */
  get size(): { layers: number; tokens: number } {
    return this.#size;
  }

  /** A component's scores by its key; null for what the model does not have. */
  find(key: string): CircuitComponent | null {
    const component = componentIn(this.#tables, this.scale, this.limits, key);
    return component !== null && component.layer < this.#size.layers && component.token < this.#size.tokens ? component : null;
  }

  /** How the circuit is looked at, to be saved with its marks. */
  view(): Omit<SavedView, 'marks'> {
    const { choice, heads, pinnedOnly, scores, threshold } = this;
    const { stage, seed, point } = scores;
    return { threshold, scale: choice.scale, rule: choice.rule, heads, pinnedOnly, stage, seed, point };
  }

  /** Looks at it as it was saved; a scoring that this run does not have is left out. */
  show(view: SavedView): void {
    this.#threshold = view.threshold;
    this.heads = view.heads;
    this.pinnedOnly = view.pinnedOnly;
    this.choice.scale = view.scale;
    this.choice.rule = view.rule;
    const { scores } = this;
    if (view.stage !== null && scores.stages.includes(view.stage)) scores.stage = view.stage;
    scores.seed = view.seed;
    scores.point = view.point;
  }
}
