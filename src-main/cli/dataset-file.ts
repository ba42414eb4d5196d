/**
 * Reads `--dataset` files of the commands that work on files: `{"pairs": [[prompt, continuation], ...], "options": [...]}`.
 * Data sets of experiments, with facts and implications, are another matter (datasets of specs).
 */
import { isJsonObject, type JsonValue } from '../engine/files/strict-json.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Pair } from '../shared/records.ts';
import { readJsonFile } from './files.ts';

export interface DatasetFile {
  pairs: Pair[];
  options: string[];
}

/** The last two serve `scores` and are not looked at here. */
const knownKeys = ['pairs', 'options', 'counterfactuals', 'accumulation'];

/** Errors: `CannotRead`, `BadJson`, `BadDataset`, `UnknownKey`. */
export function readDatasetFile(path: string): DatasetFile {
  const value = readJsonFile(path);
  if (!isJsonObject(value)) throw bad(path, 'an object with `pairs` and `options` is expected');
  const unknown = Object.keys(value).find((key) => !knownKeys.includes(key));
  if (unknown !== undefined) {
    throw new HopscopeError(
      'UnknownKey',
      `${path}: the key ${JSON.stringify(unknown)} is unknown; known are ${knownKeys.join(', ')}.`,
    );
  }
  const { pairs, options } = value;
  if (!Array.isArray(pairs) || pairs.length === 0) throw bad(path, '`pairs` must be a list of [prompt, continuation]');
  if (!Array.isArray(options) || options.length === 0) throw bad(path, '`options` must be a list of texts');
  const wrong = options.findIndex((option) => typeof option !== 'string');
  if (wrong !== -1) throw bad(path, `options[${wrong}] is not a text`);
  return {
    pairs: pairs.map((pair, index) => {
      if (isPair(pair)) return pair;
      throw bad(path, `pairs[${index}] is not [prompt, continuation]`);
    }),
    options: options.filter((option) => typeof option === 'string'),
  };
}

function isPair(value: JsonValue): value is Pair {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string');
}

function bad(path: string, reason: string): HopscopeError {
  return new HopscopeError('BadDataset', `${path}: ${reason}.`);
}
