/**
 * A JSON file that is a whole data set of facts: whether it holds what it must, with every problem by its list and row.
 * Tables and lists of records are import-rows.ts's; what the host refuses is checked there again.
 */
import type { LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import { mostRows } from '../../src-main/shared/dataset-limits.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { answersOf } from './import-rows.ts';
import { type ImportProblem, isRecord, mostProblems } from './import-table.ts';

/** The content, null where there are problems; their lines count the entries of the list they name. Left out options are the answers. */
export function readWhole(value: Record<string, unknown>): { content: LinkedFacts | null; problems: ImportProblem[] } {
  const problems: ImportProblem[] = [];
  const wrong = (column: string, message: string, line = 1) => problems.push({ line, column, code: 'BadDataset', message });
  const known = ['train', 'test', 'options', 'links'];
  for (const key of Object.keys(value))
    if (!known.includes(key)) wrong(key, `A data set has ${known.join(', ')} and nothing else.`);
  const train = pairs('train', value.train, wrong);
  const test = pairs('test', value.test, wrong);
  const given = value.options ?? {};
  if (!isRecord(given)) wrong('options', 'It is not an object with the lists train and test.');
  const lists = isRecord(given) ? given : {};
  const options = {
    train: texts('options.train', lists.train, answersOf(train), wrong),
    test: texts('options.test', lists.test, answersOf(test), wrong),
  };
  const links = value.links === undefined ? undefined : readLinks(value.links, [value.train, value.test], wrong);
  const rows = Math.max(train.length, test.length);
  if (rows > mostRows) {
    const message = `The file has ${rows} rows; at most ${mostRows} are kept in one data set.`;
    problems.push({ line: mostRows + 1, column: '', code: 'TooManyRows', message });
  }
  if (problems.length > 0) return { content: null, problems: problems.slice(0, mostProblems) };
  return { content: { train, test, options, ...(links === undefined ? {} : { links }) }, problems };
}

type Wrong = (column: string, message: string, line?: number) => void;

function pairs(name: string, list: unknown, wrong: Wrong): Pair[] {
  if (!Array.isArray(list)) {
    wrong(name, 'It is not a list of pairs.');
    return [];
  }
  return list.flatMap((entry: unknown, index): Pair[] => {
    const line = index + 1;
    if (!Array.isArray(entry)) wrong(name, `There is ${wordsOf(entry)} where a prompt and a continuation belong.`, line);
    else if (entry.length !== 2) wrong(name, `There are ${entry.length} values where a prompt and a continuation belong.`, line);
    else {
      const [prompt, continuation]: unknown[] = entry;
      if (isText(prompt) && isText(continuation)) return [[prompt, continuation]];
      const [what, held] = isText(prompt) ? ['continuation', continuation] : ['prompt', prompt];
      wrong(name, `The ${what} is ${wordsOf(held)}, not a text that holds something.`, line);
    }
    return [];
  });
}

function texts(name: string, list: unknown, otherwise: string[], wrong: Wrong): string[] {
  if (list === undefined) return otherwise;
  if (!Array.isArray(list)) {
    wrong(name, 'It is not a list of texts.');
    return [];
  }
  return list.filter((entry: unknown, index): entry is string => {
    if (!isText(entry)) wrong(name, `It is ${wordsOf(entry)}, not a text that holds something.`, index + 1);
    return isText(entry);
  });
}

function readLinks(list: unknown, [train, test]: [unknown, unknown], wrong: Wrong): number[] {
  const [facts, implications] = [train, test].map((pairs) => (Array.isArray(pairs) ? pairs.length : 0)) as [number, number];
  if (!Array.isArray(list)) {
    wrong('links', 'It is not a list of numbers.');
    return [];
  }
  if (list.length !== implications) wrong('links', `There are ${list.length} for ${implications} implications.`);
  return list.filter((fact: unknown, index): fact is number => {
    const good = typeof fact === 'number' && Number.isInteger(fact) && fact >= -1 && fact < facts;
    if (!good) wrong('links', `It is no fact: ${facts === 0 ? '-1' : `-1 to ${facts - 1}`} can be named.`, index + 1);
    return good;
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function wordsOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return value.trim() === '' ? 'empty' : 'a text';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `the ${typeof value === 'boolean' ? 'value' : 'number'} ${String(value)}`;
}
