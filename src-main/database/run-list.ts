/**
 * Lists of runs: which fit a question, in which order, a page at a time, each with what it came to. It changes none; runs.ts does,
 * and measurements.ts stores the outcomes.
 */
import type { RunOrder, RunQuery } from '../shared/contract-projects.ts';
import type { ErrorRecord } from '../shared/errors.ts';
import type { Progress, RunOutcome, RunPause, RunState, RunSummary } from '../shared/records.ts';
import { pathsOfModel } from './models.ts';
import { type Database, reading } from './open.ts';
import { wordCondition } from './words.ts';

/** The columns of a summary; those that are objects are JSON. */
export interface SummaryRow {
  run: string;
  project: number;
  experiment: string;
  title: string;
  model: string;
  dataset: string;
  state: RunState;
  created: string;
  started: string | null;
  finished: string | null;
  seconds: number;
  progress: string | null;
  error: string | null;
  outcome: string | null;
  pauses: string;
}

/** In the index `runs_listed`, from which lists are read: results of megabytes lie between a row's columns. */
export const summaryColumns =
  'run, project, experiment, title, model, dataset, state, created, started, finished, seconds, progress, error, outcome, pauses';

/** Said to SQLite, which would read the rows themselves. */
const listed = 'runs INDEXED BY runs_listed';

/** What a search for words looks through. */
const searched = `title || ' ' || experiment || ' ' || model || ' ' || dataset || ' ' || state || ' ' || run || ' ' || notes || ' ' || settings`;

/** What rows are sorted by; null comes last. */
const sortKeys: { [Order in RunOrder]: string } = {
  created: 'id',
  title: 'title COLLATE NOCASE',
  experiment: 'experiment COLLATE NOCASE',
  model: 'model COLLATE NOCASE',
  // From the beginning of a run's life to its ends
  state: `CASE state WHEN 'queued' THEN 0 WHEN 'running' THEN 1 WHEN 'finished' THEN 2 WHEN 'stopped' THEN 3 WHEN 'interrupted' THEN 4 ELSE 5 END`,
  facts: `outcome ->> '$.lists.facts.last'`,
  implications: `outcome ->> '$.lists.implications.last'`,
  seconds: 'nullif(seconds, 0)',
};

/** Newest first unless the query says otherwise. Runs of deleted projects are listed with none but that project. */
export function listRuns(database: Database, query: RunQuery): { runs: RunSummary[]; total: number } {
  const { where, values } = conditionOf(query);
  const { by, descending } = query.sort ?? { by: 'created', descending: true };
  const order = `${sortKeys[by]} ${descending ? 'DESC' : 'ASC'} NULLS LAST, id DESC`;
  return reading(database, () => {
    const rows = database
      .prepare(`SELECT ${summaryColumns} FROM ${listed} WHERE ${where} ORDER BY ${order} LIMIT ? OFFSET ?`)
      .all(...values, query.limit, query.offset) as SummaryRow[];
    const total = database
      .prepare(`SELECT count(*) FROM ${listed} WHERE ${where}`)
      .pluck()
      .get(...values) as number;
    return { runs: rows.map(summaryOf), total };
  });
}

export function summaryOf(row: SummaryRow): RunSummary {
  const { run, project, experiment, title, model, dataset, state, created, started, finished, seconds } = row;
  return {
    run,
    project,
    experiment,
    title,
    model,
    dataset,
    state,
    created,
    started,
    finished,
    seconds,
    progress: parsed<Progress>(row.progress),
    error: parsed<ErrorRecord>(row.error),
    outcome: parsed<RunOutcome>(row.outcome),
    paused: state === 'running' && (JSON.parse(row.pauses) as RunPause[]).at(-1)?.ended === null,
  };
}

/** A JSON column; null stays null. */
export function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

function conditionOf(query: RunQuery): { where: string; values: (string | number)[] } {
  const words = wordCondition(searched, query.search ?? '');
  const conditions = ['deleted IS NULL', words.sql];
  const values: (string | number)[] = [...words.values];
  for (const name of ['project', 'state', 'experiment'] as const) {
    const value = query[name];
    if (value === undefined) continue;
    conditions.push(`${name} = ?`);
    values.push(value);
  }
  if (query.model !== undefined) {
    conditions.push(`json_extract(spec, '$.model') IN (${pathsOfModel('?')})`);
    values.push(query.model, query.model);
  }
  if (query.project === undefined) conditions.push('project NOT IN (SELECT id FROM projects WHERE deleted IS NOT NULL)');
  return { where: conditions.join(' AND '), values };
}
