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

/** More than this many components in one picture say nothing any more. */
export const mostShown = 200;

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

/** Each kind's largest absolute value, or one for all where the scale is shared. */
export type Limits = Readonly<Record<Kind, number>>;

export interface Scale {
  /** `shared`: one largest value for all kinds; `own`: each kind's own. */
  scale: 'shared' | 'own';
  rule: DownstreamRule;
  /** Whether heads count by themselves or added up. */
  heads: boolean;
}

/** The largest absolute value of each kind, or of all where the scale is shared. */
export function limitsOf(tables: ScoreTables, choice: Scale): Limits {
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

/** Components in order of strength, the strongest first: their strengths, and each one made when it is asked for. */
export interface Ranking {
  readonly strengths: Float64Array;
  component(place: number): CircuitComponent;
}

/**
 * Components in order of strength down to the smallest share that the slider reaches: a large model has tens of thousands more, whose scores
 * nobody can see, and of those ranked few are ever looked at. `limits` are those of `limitsOf`.
 */
export function rankedComponents(tables: ScoreTables, choice: Scale, limits: Limits): Ranking {
  const found: { shape: ScoreTable; part: Part; index: number; strength: number }[] = [];
  const values = (part: Part) => kinds.map((kind) => tableOf(tables, kind, part, choice));
  const all = new Map(parts.map((part) => [part, values(part)]));
  for (const [part, ofKinds] of all) {
    const shape = ofKinds.find((table) => table !== null);
    if (shape === undefined || shape === null) continue;
    const [first, second, third] = ofKinds.map((table) => table?.values ?? null);
    const [a, b, c] = kinds.map((kind) => limits[kind] || Number.POSITIVE_INFINITY);
    for (let index = 0; index < shape.values.length; index++) {
      const strength = Math.max(
        Math.abs(first?.[index] ?? 0) / a!,
        Math.abs(second?.[index] ?? 0) / b!,
        Math.abs(third?.[index] ?? 0) / c!,
      );
      if (strength >= smallestShare) found.push({ shape, part, index, strength });
    }
  }
  const strengths = Float64Array.from(found, ({ strength }) => strength)
    .sort()
    .reverse();
  const placed = (entry: (typeof found)[number]) => placeIn(entry.shape, entry.part, entry.index);
  let ordered: typeof found = [];
  /** The strongest, twice as many as asked for: numbers are sorted faster than what they belong to. */
  function orderTo(place: number): void {
    const last = strengths[Math.min(strengths.length - 1, 2 * place + mostShown)]!;
    ordered = found.filter(({ strength }) => strength >= last);
    ordered.sort((left, right) => {
      if (left.strength !== right.strength) return right.strength - left.strength;
      const [before, after] = [placed(left), placed(right)];
      return before.layer - after.layer || before.token - after.token;
    });
  }
  const made = new Map<number, CircuitComponent>();
  return {
    strengths,
    component(place) {
      let component = made.get(place);
      if (component === undefined) {
        if (place >= ordered.length) orderTo(place);
        const entry = ordered[place]!;
        component = withScores(placed(entry), limits, (kind) => all.get(entry.part)![kind]?.values[entry.index] ?? 0);
        made.set(place, component);
      }
      return component;
    },
  };
}

/** One component whatever it scores; `limits` are those of `limitsOf`. Null for what is no key. */
export function componentIn(tables: ScoreTables, choice: Scale, limits: Limits, key: string): CircuitComponent | null {
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

function withScores(component: Component, limits: Limits, score: (place: number) => number): CircuitComponent {
  const scores = { informative: score(0), upstream: score(1), downstream: score(2) };
  return { ...component, key: keyOf(component), scores, ...roleOf(scores, limits) };
}

/** The kind of the largest score after scaling, and that score's absolute value as a share of its limit. */
export function roleOf(scores: CircuitComponent['scores'], limits: Limits): Pick<CircuitComponent, 'role' | 'strength'> {
  let [role, strength]: [Kind, number] = ['informative', 0];
  for (const kind of kinds) {
    const share = limits[kind] === 0 ? 0 : Math.abs(scores[kind]) / limits[kind];
    if (share > strength) [role, strength] = [kind, share];
  }
  return { role, strength };
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

/** The strongest `count` (`mostShown` at most), and the pinned ones whatever they score. */
export function chosen(ranked: Ranking, count: number, pinned: readonly CircuitComponent[]): CircuitComponent[] {
  const size = Math.min(count, mostShown, ranked.strengths.length);
  const shown = Array.from({ length: size }, (_, place) => ranked.component(place));
  const known = new Set(shown.map(({ key }) => key));
  return [...shown, ...pinned.filter(({ key }) => !known.has(key))];
}

/** How many of the ranked components have at least this strength. */
export function countAbove({ strengths }: Ranking, threshold: number): number {
  let [low, high] = [0, strengths.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (strengths[middle]! >= threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The slider's place, 0 (everything down to half a per cent) to 1 (only the largest), as a share of the largest; even steps are even factors. */
export const shareAt = (place: number): number => smallestShare ** (1 - place);

export const placeOf = (share: number): number =>
  1 - Math.log(Math.max(smallestShare, Math.min(1, share))) / Math.log(smallestShare);

/** A threshold that leaves about this many components. */
export function thresholdFor({ strengths }: Ranking, count: number): number {
  const last = strengths[Math.min(count, strengths.length) - 1];
  return last === undefined ? 1 : Math.max(smallestShare, last);
}
