/**
 * The counterfactual twin of a data set: the same questions with other answers, so that nobody keeps theirs and facts still agree with implications.
 * It moves answers that are there and invents none.
 */
import { HopscopeError } from '../shared/errors.ts';
import { Random } from '../shared/random.ts';
import type { FactsAndImplications } from '../shared/records.ts';
import type { EntityRow } from './templates.ts';

/**
 * The table with the `moving` columns of each row taken from another row, together: a person who moves to another city also gets its language.
 * In no row does any moving column keep its value. The seed decides among the possible assignments.
 * Errors: `NoOtherAssignment` where a value is so common that someone would have to keep it, `UnknownColumn`.
 */
export function reassigned(rows: readonly EntityRow[], moving: readonly string[], seed: number | string): EntityRow[] {
  for (const column of moving) {
    const lacking = rows.find((row) => !Object.hasOwn(row, column));
    if (lacking)
      throw new HopscopeError('UnknownColumn', `The row ${JSON.stringify(lacking)} has no column ${JSON.stringify(column)}.`);
  }
  const sources = otherRows(
    rows.length,
    (row, source) => moving.every((column) => rows[row]![column] !== rows[source]![column]),
    seed,
  );
  return rows.map((row, index) => ({
    ...row,
    ...Object.fromEntries(moving.map((column) => [column, rows[sources[index]!]![column]!])),
  }));
}

/**
 * The twin of facts and implications without a table, whose n-th implication follows from the n-th fact: both take their answers from another place.
 * Errors: `NotPaired` where the lists have different lengths, `NoOtherAssignment`.
 */
export function counterfactualOf(data: FactsAndImplications, seed: number | string): FactsAndImplications {
  const { train, test, options } = data;
  if (train.length !== test.length) {
    throw new HopscopeError(
      'NotPaired',
      `There are ${train.length} facts and ${test.length} implications; answers move together only where each fact has its implication at the same place.`,
    );
  }
  const rows = train.map(([, fact], index) => ({ fact, implication: test[index]![1] }));
  const moved = reassigned(rows, ['fact', 'implication'], seed);
  return {
    train: train.map(([prompt], index) => [prompt, moved[index]!.fact!]),
    test: test.map(([prompt], index) => [prompt, moved[index]!.implication!]),
    options: { train: [...options.train], test: [...options.test] },
  };
}

/** A seeded one-to-one choice of a source for every row: Kuhn's augmenting paths over randomly ordered possibilities. */
function otherRows(count: number, mayTake: (row: number, source: number) => boolean, seed: number | string): number[] {
  const random = new Random(seed).fork('counterfactual');
  const possible = Array.from({ length: count }, (_, row) => random.permutation(count).filter((source) => mayTake(row, source)));
  const takenBy = new Array<number>(count).fill(-1);
  const place = (row: number, tried: Set<number>): boolean => {
    for (const source of possible[row]!) {
      if (tried.has(source)) continue;
      tried.add(source);
      if (takenBy[source] === -1 || place(takenBy[source]!, tried)) {
        takenBy[source] = row;
        return true;
      }
    }
    return false;
  };
  for (const row of random.permutation(count)) {
    if (place(row, new Set())) continue;
    throw new HopscopeError(
      'NoOtherAssignment',
      `The answers cannot be reassigned so that nobody keeps theirs: some answer belongs to more than half of the ${count} items. Use more different answers.`,
    );
  }
  const sources = new Array<number>(count);
  for (const [source, row] of takenBy.entries()) sources[row] = source;
  return sources;
}
