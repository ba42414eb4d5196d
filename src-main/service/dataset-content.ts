/**
 * Whether what a screen wants to keep is a data set, how many rows it has and its hash. Compute judges it again before it is used;
 * nothing here knows tokens or models.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../shared/canonical-json.ts';
import type { DatasetContent, DatasetKindName, LinkedFacts } from '../shared/contract-datasets.ts';
import { mostRows } from '../shared/dataset-limits.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Daxwug, Json } from '../shared/records.ts';

/** Most characters of a data set in all. */
const mostCharacters = 6_000_000;

/** The content as it is stored, with its size and hash. Errors: `BadDataset`, `DatasetTooLarge`. */
export function readContent(kind: DatasetKindName, given: unknown): { content: DatasetContent; rows: number; hash: string } {
  const content = kind === 'facts' ? readFacts(given) : readDaxwug(given);
  const text = canonicalJson(content as unknown as Json);
  const rows = kind === 'facts' ? rowsOf(content as LinkedFacts) : (content as Daxwug).variant_1.left.length;
  if (rows > mostRows || text.length > mostCharacters) {
    throw new HopscopeError(
      'DatasetTooLarge',
      `The data set has ${rows} rows and ${text.length} characters; at most ${mostRows} rows and ${mostCharacters} characters are kept. Split it.`,
    );
  }
  return { content, rows, hash: createHash('sha256').update(text).digest('hex') };
}

/** Rows of the editing grid: each fact with its first implication in one, every further implication in one of its own. */
function rowsOf({ train, test, links }: LinkedFacts): number {
  const linked = links ?? (train.length === test.length ? test.map((_, index) => index) : test.map(() => -1));
  const withFact = new Set(linked.filter((fact) => fact >= 0));
  return train.length + test.length - withFact.size;
}

function readFacts(given: unknown): LinkedFacts {
  const { train, test, options, links } = record(given, 'it', ['train', 'test', 'options', 'links'], ['links']);
  const lists = record(options, 'options', ['train', 'test']);
  const facts: LinkedFacts = {
    train: pairs(train, 'train'),
    test: pairs(test, 'test'),
    options: { train: texts(lists.train, 'options.train'), test: texts(lists.test, 'options.test') },
  };
  if (links === undefined) return facts;
  const good =
    Array.isArray(links) &&
    links.length === facts.test.length &&
    links.every((fact) => Number.isInteger(fact) && fact >= -1 && fact < facts.train.length);
  if (!good) throw bad('links does not name a fact, or -1, for every implication');
  return { ...facts, links: links as number[] };
}

function readDaxwug(given: unknown): Daxwug {
  const keys = ['variant_1', 'variant_2', 'options', 'test_slice', 'train_slice'];
  const root = record(given, 'it', keys);
  const sides = ['left', 'right', 'both'];
  for (const key of ['variant_1', 'variant_2']) {
    const variant = record(root[key], key, sides);
    for (const side of sides) pairs(variant[side], `${key}.${side}`);
  }
  const options = record(root.options, 'options', sides);
  for (const side of sides) texts(options[side], `options.${side}`);
  for (const key of ['test_slice', 'train_slice']) {
    const slice = root[key];
    if (!Array.isArray(slice) || slice.length !== 2 || !slice.every((end) => Number.isInteger(end) && end >= 0))
      throw bad(`${key} is not [first, end)`);
  }
  return root as unknown as Daxwug;
}

function record(
  value: unknown,
  what: string,
  keys: readonly string[],
  optional: readonly string[] = [],
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`${what} is not an object`);
  const unknown = Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw bad(`the key ${JSON.stringify(unknown)} of ${what} is not known`);
  const missing = keys.find((key) => !optional.includes(key) && !Object.hasOwn(value, key));
  if (missing !== undefined) throw bad(`${what} has no key ${missing}`);
  return value as Record<string, unknown>;
}

function pairs(value: unknown, what: string): [string, string][] {
  if (!Array.isArray(value) || value.length === 0) throw bad(`${what} has no pairs`);
  const wrong = value.findIndex((pair) => !(Array.isArray(pair) && pair.length === 2 && pair.every(isText)));
  if (wrong >= 0) throw bad(`${what}[${wrong}] is not a prompt and a continuation that hold something`);
  return value as [string, string][];
}

function texts(value: unknown, what: string): string[] {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isText))
    throw bad(`${what} is not a list of texts that hold something`);
  return value as string[];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function bad(reason: string): HopscopeError {
  return new HopscopeError('BadDataset', `The data set cannot be kept: ${reason}.`);
}
