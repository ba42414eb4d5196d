/**
 * Facts and implications as the rows of a grid and back, without loss: a row is a fact with an implication of it, rows below without a
 * fact are further implications of the fact above, and implications above the first fact follow from none.
 */
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import type { Pair } from '../../src-main/shared/records.ts';

export const factColumns = ['Fact prompt', 'Fact continuation', 'Implication prompt', 'Implication continuation'] as const;

/** A cell that is missing for a complete pair; `row` counts from 0. */
export interface TableProblem {
  row: number;
  column: number;
  message: string;
}

export interface FactsOfRows {
  content: LinkedFacts;
  /** The grid's row of every fact and of every implication. */
  factRows: number[];
  implicationRows: number[];
  problems: TableProblem[];
}

/** The rows of facts and implications, links of implications deciding where they stand. */
export function rowsOf({ train, test, links }: LinkedFacts): string[][] {
  const linked = links ?? plainLinks(train.length, test.length);
  const of = new Map<number, Pair[]>();
  for (const [index, pair] of test.entries()) {
    const fact = linked[index] ?? -1;
    const others = of.get(fact);
    if (others) others.push(pair);
    else of.set(fact, [pair]);
  }
  const alone = (of.get(-1) ?? []).map((pair) => ['', '', ...pair]);
  const facts = train.flatMap((fact, index) => {
    const [first = ['', ''], ...others] = of.get(index) ?? [];
    return [[...fact, ...first], ...others.map((pair) => ['', '', ...pair])];
  });
  return [...alone, ...facts];
}

/** What rows hold. A pair with one half missing is left out and named; rows without any text are nothing. */
export function factsOf(rows: readonly (readonly string[])[], options: LinkedFacts['options']): FactsOfRows {
  const found: FactsOfRows = {
    content: { train: [], test: [], options: { train: [...options.train], test: [...options.test] } },
    factRows: [],
    implicationRows: [],
    problems: [],
  };
  const { train, test } = found.content;
  const links: number[] = [];
  for (const [row, cells] of rows.entries()) {
    const fact = pairAt(cells, row, 0, found.problems);
    if (fact !== null) {
      found.factRows.push(row);
      train.push(fact);
    }
    const implication = pairAt(cells, row, 2, found.problems);
    if (implication === null) continue;
    found.implicationRows.push(row);
    test.push(implication);
    links.push(train.length - 1);
  }
  const plain = plainLinks(train.length, test.length);
  if (links.some((fact, index) => fact !== plain[index])) found.content.links = links;
  return found;
}

/** Rows with an implication but no fact of their own, and the index of the fact that it follows from; -1: of none. */
export function linkedRows({
  factRows,
  implicationRows,
}: Pick<FactsOfRows, 'factRows' | 'implicationRows'>): Map<number, number> {
  const linked = new Map<number, number>();
  let facts = 0;
  for (const row of implicationRows) {
    while (facts < factRows.length && factRows[facts]! <= row) facts++;
    if (factRows[facts - 1] !== row) linked.set(row, facts - 1);
  }
  return linked;
}

/** What a data set must have and this one does not, yet; '' where nothing is missing. */
export function gapOf({ train, test }: Pick<LinkedFacts, 'train' | 'test'>): string {
  if (train.length === 0) return 'There is no fact yet.';
  return test.length === 0 ? 'There is no implication yet: a data set has at least one fact and one implication.' : '';
}

/** Answers that are not among the options, each once, in order of appearance. */
export function missingOptions(pairs: readonly Pair[], options: readonly string[]): string[] {
  const known = new Set(options);
  return [...new Set(pairs.map(([, answer]) => answer))].filter((answer) => !known.has(answer));
}

/** Where nothing is said: the n-th implication follows from the n-th fact if there are as many, else none from any. */
function plainLinks(facts: number, implications: number): number[] {
  return Array.from({ length: implications }, (_, index) => (facts === implications ? index : -1));
}

function pairAt(cells: readonly string[], row: number, column: number, problems: TableProblem[]): Pair | null {
  const [prompt = '', continuation = ''] = [cells[column], cells[column + 1]];
  const [hasPrompt, hasContinuation] = [prompt.trim() !== '', continuation.trim() !== ''];
  if (hasPrompt && hasContinuation) return [prompt, continuation];
  if (hasPrompt || hasContinuation) {
    const missing = column + (hasPrompt ? 1 : 0);
    problems.push({ row, column: missing, message: `Row ${row + 1} has no ${factColumns[missing]!.toLowerCase()}.` });
  }
  return null;
}
