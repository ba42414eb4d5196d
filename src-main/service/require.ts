/**
 * Checks of what callers pass to the service: they may sit behind a port, where types are only a promise.
 * What a value means is not checked here.
 */

import type { RunOrder, RunPlan, RunQuery } from '../shared/contract-projects.ts';
import { HopscopeError } from '../shared/errors.ts';
import { longestName } from '../shared/name-lengths.ts';
import type { ExperimentSpec, ScoreQuery } from '../shared/records.ts';
import { runStates } from '../shared/run-state.ts';
import { cleanName } from './names.ts';

/** Rows that one answer may have. */
export const largestPage = 1000;

const largestOffset = 2 ** 40;
const longestPrediction = 100_000;
const runOrders: readonly RunOrder[] = ['created', 'title', 'experiment', 'model', 'state', 'facts', 'implications', 'seconds'];

/** The fields of what ought to be a `T`, each still to be checked; none where it is no object. */
export function fieldsOf<T>(value: unknown): Partial<T> {
  return typeof value === 'object' && value !== null ? (value as Partial<T>) : {};
}

/** Errors here and below: `BadArgument`. */
export function requireText(value: unknown, name: string, longest = 4096): string {
  if (typeof value !== 'string' || value.length > longest)
    throw new HopscopeError('BadArgument', `${name} is not a text of up to ${longest} characters.`);
  return value;
}

/** A clean name, on one line. Errors: `EmptyName` besides. */
export function requireName(value: unknown, longest = longestName): string {
  const name = cleanName(requireText(value, 'name', longest));
  if (name === '') throw new HopscopeError('EmptyName', 'The name is empty: give one of at least one letter.');
  return name;
}

/** The number of a row. */
export function requireNumber(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new HopscopeError('BadArgument', `${name} is not a whole number.`);
  return value;
}

/** A whole number of at most `most`, `absent` where there is none. */
export function requireWhole(value: unknown, absent: number, most: number): number {
  if (value === undefined || value === null) return absent;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new HopscopeError('BadArgument', 'A page is given by two whole numbers.');
  return Math.min(value, most);
}

/** Errors: `BadSpec`. */
export function requireSpec(spec: unknown): ExperimentSpec {
  const { experiment, model } = fieldsOf<ExperimentSpec>(spec);
  if (typeof experiment !== 'string' || typeof model !== 'string') {
    throw new HopscopeError('BadSpec', 'A spec is an object with at least `experiment` and `model`, both texts.');
  }
  return spec as ExperimentSpec;
}

export function requireScoreQuery(query: unknown): ScoreQuery {
  const { seed, point, stage, names } = fieldsOf<ScoreQuery>(query);
  const isGood =
    Number.isSafeInteger(seed) &&
    Number.isSafeInteger(point) &&
    (stage === undefined || typeof stage === 'string') &&
    (names === undefined ||
      (Array.isArray(names) && names.length <= largestPage && names.every((name) => typeof name === 'string')));
  if (!isGood) {
    throw new HopscopeError(
      'BadArgument',
      'Scores are asked for by a seed and a point (an item index, or -1 for the average), and optionally a stage and names.',
    );
  }
  return query as ScoreQuery;
}

/** A query with a page of at most 1000 runs, the newest 100 where nothing is said. */
export function requireRunQuery(query: unknown): RunQuery {
  const { limit, offset, project, search, state, experiment, model, sort } = objectOf(query) as Partial<RunQuery>;
  if (state !== undefined && !runStates.includes(state))
    throw new HopscopeError('BadArgument', `state is none of ${runStates.join(', ')}.`);
  if (sort !== undefined && !runOrders.includes(sort?.by))
    throw new HopscopeError('BadArgument', `sort.by is none of ${runOrders.join(', ')}.`);
  return {
    limit: requireWhole(limit, 100, largestPage),
    offset: requireWhole(offset, 0, largestOffset),
    ...(project === undefined ? {} : { project: requireNumber(project, 'project') }),
    ...(search === undefined ? {} : { search: requireText(search, 'search') }),
    ...(state === undefined ? {} : { state }),
    ...(experiment === undefined ? {} : { experiment: requireText(experiment, 'experiment') }),
    ...(model === undefined ? {} : { model: requireText(model, 'model') }),
    ...(sort === undefined ? {} : { sort: { by: sort.by, descending: sort.descending === true } }),
  };
}

/** What is fixed about a run before it starts. */
export function requireRunPlan(plan: unknown): RunPlan {
  const { project, prediction, datasetVersion } = objectOf(plan) as Partial<RunPlan>;
  if (prediction !== undefined && JSON.stringify(prediction).length > longestPrediction)
    throw new HopscopeError('BadArgument', `prediction is longer than ${longestPrediction} characters.`);
  return {
    ...(project === undefined ? {} : { project: requireNumber(project, 'project') }),
    ...(prediction === undefined ? {} : { prediction }),
    ...(datasetVersion === undefined ? {} : { datasetVersion: requireNumber(datasetVersion, 'datasetVersion') }),
  };
}

function objectOf(value: unknown): object {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object') throw new HopscopeError('BadArgument', 'The options are not an object.');
  return value;
}
