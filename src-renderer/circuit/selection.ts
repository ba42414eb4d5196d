/**
 * Which components make up a circuit: those whose score is large enough and those pinned, each with the role that its largest score gives it.
 * Where they are drawn is in layout.ts.
 */
import { type Component, componentOfKey, keyOf, scoreOf } from './components.ts';
import { limitOf, tokenGrid } from './grids.ts';
import {
  type DownstreamRule,
  type Kind,
  kinds,
  type Part,
  parts,
  type ScoreTable,
  type ScoreTables,
  scoreName,
} from './scores.ts';

/** The smallest share of the largest score that the slider reaches. */
const smallestShare = 0.005;

/** From the prompt to the answer. */
export const roles: readonly Kind[] = ['upstream', 'informative', 'downstream'];

export interface CircuitComponent extends Component {
  key: string;
  /** Its score of every kind; 0 where the kind is not stored. */
  scores: Record<Kind, number>;
  /** The kind of its largest score, after scaling. */
  role: Kind;
  /** That score's absolute value as a share of the largest there is. */
  strength: number;
}

export interface Scale {
  /** `shared`: one largest value for all kinds; `own`: each kind's own. */
  scale: 'shared' | 'own';
  rule: DownstreamRule;
  /** Whether heads count by themselves or added up. */
  heads: boolean;
}

/** The largest absolute value of each kind, or of all where the scale is shared. */
export function limitsOf(tables: ScoreTables, choice: Scale): Record<Kind, number> {
  const own = (kind: Kind) =>
    Math.max(
      0,
      ...parts.flatMap((part) => {
        const table = tableOf(tables, kind, part, choice);
        return table === null ? [] : [limitOf([{ rows: 1, columns: table.values.length, values: table.values }])];
      }),
    );
  const limits = Object.fromEntries(kinds.map((kind) => [kind, own(kind)])) as Record<Kind, number>;
  if (choice.scale === 'own') return limits;
  const largest = Math.max(...Object.values(limits));
  return { informative: largest, upstream: largest, downstream: largest };
}

/**
 * Components in order of strength, the strongest first, down to the smallest share that the slider reaches: a large model has tens of thousands
 * more, whose scores nobody can see. `limits` are those of `limitsOf`.
 */
export function rankedComponents(tables: ScoreTables, choice: Scale, limits: Record<Kind, number>): CircuitComponent[] {
  const ranked = parts.flatMap((part) => {
    const ofKinds = kinds.map((kind) => tableOf(tables, kind, part, choice)?.values ?? null);
    const shape = kinds.map((kind) => tableOf(tables, kind, part, choice)).find((table) => table !== null);
    if (shape === undefined || shape === null) return [];
    const found: CircuitComponent[] = [];
    for (let index = 0; index < shape.values.length; index++) {
      const largest = kinds.some((kind, place) => Math.abs(ofKinds[place]?.[index] ?? 0) >= smallestShare * limits[kind]);
      if (!largest) continue;
      const component = withScores(placeIn(shape, part, index), limits, (place) => ofKinds[place]?.[index] ?? 0);
      if (component.strength >= smallestShare) found.push(component);
    }
    return found;
  });
  return ranked.sort((a, b) => b.strength - a.strength || a.layer - b.layer || a.token - b.token);
}

/** One component whatever it scores; `limits` are those of `limitsOf`. Null for what is no key. */
export function componentIn(
  tables: ScoreTables,
  choice: Scale,
  limits: Record<Kind, number>,
  key: string,
): CircuitComponent | null {
  const component = componentOfKey(key);
  if (component === null) return null;
  return withScores(component, limits, (place) => {
    const table = tables.get(scoreName(kinds[place]!, component.part, choice.rule));
    return table === undefined ? 0 : scoreOf(table, component);
  });
}

function placeIn({ heads, tokens }: ScoreTable, part: Part, index: number): Component {
  const row = Math.floor(index / tokens);
  const each = heads ?? 1;
  return { part, layer: Math.floor(row / each), head: heads === null ? null : row % each, token: index % tokens };
}

function withScores(component: Component, limits: Record<Kind, number>, score: (place: number) => number): CircuitComponent {
  const scores = { informative: 0, upstream: 0, downstream: 0 };
  let [role, strength]: [Kind, number] = ['informative', 0];
  for (const [place, kind] of kinds.entries()) {
    scores[kind] = score(place);
    const share = limits[kind] === 0 ? 0 : Math.abs(scores[kind]) / limits[kind];
    if (share > strength) [role, strength] = [kind, share];
  }
  return { ...component, key: keyOf(component), scores, role, strength };
}

/** The table of one kind and part; attention with its heads added (`heads` null then) where they do not count by themselves. */
function tableOf(tables: ScoreTables, kind: Kind, part: Part, { rule, heads }: Scale): ScoreTable | null {
  const table = tables.get(scoreName(kind, part, rule));
  if (table === undefined) return null;
  return part === 'mlp' || heads ? table : added(table);
}

const sums = new WeakMap<ScoreTable, ScoreTable>();

/** A table with its heads added, made once. */
function added(table: ScoreTable): ScoreTable {
  let sum = sums.get(table);
  if (sum === undefined) {
    sum = { ...table, heads: null, values: tokenGrid(table).values };
    sums.set(table, sum);
  }
  return sum;
}

/** More than this many components in one picture say nothing any more. */
export const mostShown = 200;

/** Those of at least the threshold (a share of the largest), and the pinned ones whatever they score; `passing` counts the former. */
export function chosen(
  ranked: readonly CircuitComponent[],
  threshold: number,
  pinned: readonly CircuitComponent[],
): { shown: CircuitComponent[]; passing: number } {
  const passing = countAbove(ranked, threshold);
  const shown = ranked.slice(0, Math.min(passing, mostShown));
  const known = new Set(shown.map(({ key }) => key));
  return { shown: [...shown, ...pinned.filter(({ key }) => !known.has(key))], passing };
}

/** How many of the ranked components have at least this strength. */
export function countAbove(ranked: readonly CircuitComponent[], threshold: number): number {
  let [low, high] = [0, ranked.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranked[middle]!.strength >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The slider's place, 0 (everything down to half a per cent) to 1 (only the largest), as a share of the largest; even steps are even factors. */
export const shareAt = (place: number): number => smallestShare ** (1 - place);

export const placeOf = (share: number): number =>
  1 - Math.log(Math.max(smallestShare, Math.min(1, share))) / Math.log(smallestShare);

/** A threshold that leaves about this many components. */
export function thresholdFor(ranked: readonly CircuitComponent[], count: number): number {
  const last = ranked[Math.min(count, ranked.length) - 1];
  return last === undefined ? 1 : Math.max(smallestShare, last.strength);
}
