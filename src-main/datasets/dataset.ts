/**
 * The data set of a spec, whatever it was given as: a built-in name, a JSON file or inline. Built-in sets have a twin for small-world models.
 * It checks shape and sense, not tokens; those are the chosen model's matter.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readJson } from '../engine/files/strict-json.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { FactsAndImplications, Json, Pair } from '../shared/records.ts';

/** A checked data set and the sha256 of its canonical JSON. */
export interface ResolvedDataset {
  /** For titles: the built-in name, the file's path, or `inline`. */
  name: string;
  data: FactsAndImplications;
  hash: string;
}

/** Makes the built-in sets for one model. */
export type BuiltinDatasets = Readonly<Record<string, () => FactsAndImplications>>;

const maximumBytes = 64 * 2 ** 20;

/** Errors: `UnknownDataset`, `BadDataset`, and those of reading a file. */
export function resolveDataset(given: Json, builtin: BuiltinDatasets): ResolvedDataset {
  if (typeof given !== 'string') return checked('inline', given);
  const make = Object.hasOwn(builtin, given) ? builtin[given] : undefined;
  if (make) return checked(given, make() as unknown as Json);
  if (!existsSync(given)) {
    throw new HopscopeError('UnknownDataset', `dataset: ${JSON.stringify(given)} is neither a built-in set (${Object.keys(builtin).join(', ')}) nor a file.`);
  }
  return checked(given, readJson(given, { maximumBytes }) as Json);
}

/** JSON with keys in order, so that equal data have equal hashes. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

function checked(name: string, value: Json): ResolvedDataset {
  const fail = (reason: string): never => {
    throw new HopscopeError('BadDataset', `dataset ${name}: ${reason}. It needs {"train": [[prompt, continuation], ...], "test": [...], "options": {"train": [...], "test": [...]}}.`);
  };
  const record = (candidate: Json | undefined, what: string): { [key: string]: Json } =>
    typeof candidate === 'object' && candidate !== null && !Array.isArray(candidate) ? candidate : fail(`${what} is not an object`);
  const texts = (candidate: Json | undefined, what: string): string[] =>
    Array.isArray(candidate) && candidate.length > 0 && candidate.every((text) => typeof text === 'string' && text.trim() !== '')
      ? (candidate as string[])
      : fail(`${what} is not a list of texts that hold something`);
  const pairs = (candidate: Json | undefined, what: string): Pair[] => {
    if (!Array.isArray(candidate) || candidate.length === 0) return fail(`${what} is not a list of pairs`);
    return candidate.map((pair, index) => {
      const both = texts(pair, `${what}[${index}]`);
      return both.length === 2 ? [both[0]!, both[1]!] : fail(`${what}[${index}] has ${both.length} texts, not a prompt and a continuation`);
    });
  };
  const root = record(value, 'it');
  const unknown = Object.keys(root).find((key) => !['train', 'test', 'options'].includes(key));
  if (unknown !== undefined) fail(`its key ${JSON.stringify(unknown)} is not known`);
  const options = record(root.options, 'options');
  const data: FactsAndImplications = {
    train: pairs(root.train, 'train'),
    test: pairs(root.test, 'test'),
    options: { train: texts(options.train, 'options.train'), test: texts(options.test, 'options.test') },
  };
  return { name, data, hash: createHash('sha256').update(canonicalJson(data as unknown as Json)).digest('hex') };
}
