/**
 * What happened to each single fact or implication: rank and option logits before and after training.
 * Everything here derives from the stored logits; nothing is recomputed by the model.
 */
import type { EvaluationRow, ItemSet } from '../../src-main/shared/records.ts';

/** One line of the per-fact table. Ranks are null where that measurement is not stored yet. */
export interface ItemOutcome {
  item: number;
  prompt: string;
  answer: string;
  before: number | null;
  after: number | null;
}

/** One option of one item, with its logits at the prompt's last token. */
export interface OptionLogits {
  candidate: number;
  label: string;
  right: boolean;
  before: number | null;
  after: number | null;
}

/** The evaluations of a set before and after; `first` null where weights were evaluated that this stage did not train. */
export interface Ends {
  first: EvaluationRow | null;
  last: EvaluationRow;
}

/**
 * The first and the latest evaluation of a set under one seed, in one stage or (undefined) in any; null while there is none. Without `trained`
 * they are of the same weights, so the latest stands alone.
 */
export function endsOf(
  evaluations: readonly EvaluationRow[],
  set: string,
  { seed, stage, trained = true }: { seed: number; stage?: string | undefined; trained?: boolean },
): Ends | null {
  const rows = evaluations
    .filter((row) => row.set === set && row.seed === seed && (stage === undefined || row.stage === stage))
    .sort((a, b) => a.epoch - b.epoch);
  const first = rows[0];
  const last = rows.at(-1);
  return first === undefined || last === undefined ? null : { first: trained ? first : null, last };
}

/** One outcome per item of the set, in the set's order. */
export function itemOutcomes(set: ItemSet, ends: Ends | null): ItemOutcome[] {
  const before = new Map(ends?.first?.items.map((item) => [item.item, item.rank]));
  const after = new Map(ends?.last.items.map((item) => [item.item, item.rank]));
  return set.pairs.map(([prompt, answer], item) => ({
    item,
    prompt,
    answer,
    before: before.get(item) ?? null,
    after: after.get(item) ?? null,
  }));
}

/** The options of one item, highest latest logit first. */
export function optionLogits(set: ItemSet, ends: Ends | null, item: number): OptionLogits[] {
  const labels = candidateLabels(set);
  const before = ends?.first?.items.find((entry) => entry.item === item)?.logits;
  const after = ends?.last.items.find((entry) => entry.item === item)?.logits;
  return set.candidates
    .map((_, candidate) => ({
      candidate,
      label: labels[candidate] ?? '',
      right: set.answers[item] === candidate,
      before: before?.[candidate] ?? null,
      after: after?.[candidate] ?? null,
    }))
    .sort((a, b) => (b.after ?? b.before ?? 0) - (a.after ?? a.before ?? 0));
}

/**
 * The option text of each candidate token. Where the set does not say, right answers are known from the items, a last option left
 * over belongs to the last candidate left over, and the others are named by their token.
 */
export function candidateLabels(set: ItemSet): string[] {
  if (set.labels.length > 0) return set.labels;
  const known = new Map<number, Set<string>>();
  set.answers.forEach((candidate, item) => {
    const answer = set.pairs[item]?.[1];
    if (answer !== undefined) known.set(candidate, (known.get(candidate) ?? new Set()).add(answer));
  });
  const answers = new Set([...known.values()].flatMap((texts) => [...texts]));
  const unused = [...new Set(set.options)].filter((option) => !answers.has(option));
  const unnamed = set.candidates.length - known.size;
  return set.candidates.map((token, candidate) => {
    const texts = known.get(candidate);
    if (texts !== undefined) return [...texts].join(' / ');
    return unnamed === 1 && unused.length === 1 ? unused[0]! : `token ${token}`;
  });
}

export type SortKey = 'item' | 'prompt' | 'before' | 'after';

/** A sorted copy; missing ranks last either way, ties in the set's order. */
export function sortOutcomes(rows: readonly ItemOutcome[], key: SortKey, descending: boolean): ItemOutcome[] {
  const direction = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (key === 'prompt') return direction * a.prompt.localeCompare(b.prompt) || a.item - b.item;
    const left = a[key];
    const right = b[key];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || a.item - b.item;
    return direction * (left - right) || a.item - b.item;
  });
}
