/**
 * The runs table: what was asked, by whom it is run, how far it is and how it ended. What a run measures is in measurements.ts.
 * Every state change is one statement that names the states it may come from, so that no two processes can both make it.
 */

import type { RunQuery } from '../shared/contract-projects.ts';
import type { ErrorRecord } from '../shared/errors.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Figure } from '../shared/figures.ts';
import type { ExperimentSpec, Json, Progress, Provenance, RunDetail, RunState, RunSummary } from '../shared/records.ts';
import { type Database, inTransaction, reading } from './open.ts';
import { recentProject } from './projects.ts';
import { wordCondition } from './words.ts';

export interface NewRun {
  run: string;
  owner: string;
  experiment: string;
  title: string;
  model: string;
  dataset: string;
  spec: ExperimentSpec;
  /** ISO 8601, UTC; as are `started` and `finished`. */
  created: string;
  /** The project looked at last where it is left out. */
  project?: number;
  prediction?: Json;
  datasetVersion?: number;
}

export interface Outcome {
  state: 'finished' | 'failed' | 'stopped' | 'interrupted';
  finished: string;
  seconds: number;
  error: ErrorRecord | null;
  results: Json;
}

interface Row {
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
  spec: string;
  results: string | null;
  provenance: string | null;
  warnings: string;
  notes: string;
  prediction: string | null;
  dataset_version: number | null;
}

const summaryColumns =
  'run, project, experiment, title, model, dataset, state, created, started, finished, seconds, progress, error';

/** What a search for words looks through. */
const searched = `title || ' ' || experiment || ' ' || model || ' ' || dataset || ' ' || state || ' ' || run || ' ' || notes`;

export function createRun(database: Database, run: NewRun): void {
  const { spec, prediction = null, datasetVersion = null, project, ...columns } = run;
  inTransaction(database, () =>
    database
      .prepare(
        `INSERT INTO runs (run, owner, project, experiment, title, model, dataset, spec, prediction, dataset_version, state, created)
         VALUES (@run, @owner, @project, @experiment, @title, @model, @dataset, @spec, @prediction, @datasetVersion, 'queued', @created)`,
      )
      .run({
        ...columns,
        project: project ?? recentProject(database),
        spec: JSON.stringify(spec),
        prediction: prediction === null ? null : JSON.stringify(prediction),
        datasetVersion,
      }),
  );
}

/** False when the run is no longer queued. */
export function markRunning(database: Database, run: string, started: string): boolean {
  return inTransaction(
    database,
    () =>
      database.prepare(`UPDATE runs SET state = 'running', started = ? WHERE run = ? AND state = 'queued'`).run(started, run)
        .changes === 1,
  );
}

/** False when the run had ended already. */
export function markEnded(database: Database, run: string, outcome: Outcome): boolean {
  const results = outcome.results === null ? null : JSON.stringify(outcome.results);
  const error = outcome.error === null ? null : JSON.stringify(outcome.error);
  return inTransaction(
    database,
    () =>
      database
        .prepare(
          `UPDATE runs SET state = @state, finished = @finished, seconds = @seconds, error = @error, results = @results
           WHERE run = @run AND state IN ('queued', 'running')`,
        )
        .run({ ...outcome, error, results, run }).changes === 1,
  );
}

/** Ends every unfinished run of a process that is gone and returns their names. `seconds` stay as last stored. */
export function interruptRunsOf(database: Database, owner: string, finished: string, error: ErrorRecord): string[] {
  return inTransaction(
    database,
    () =>
      database
        .prepare(
          `UPDATE runs SET state = 'interrupted', finished = ?, error = ? WHERE owner = ? AND state IN ('queued', 'running') RETURNING run`,
        )
        .pluck()
        .all(finished, JSON.stringify(error), owner) as string[],
  );
}

/** Owners of unfinished runs. */
export function activeOwners(database: Database): string[] {
  return reading(
    database,
    () => database.prepare(`SELECT DISTINCT owner FROM runs WHERE state IN ('queued', 'running')`).pluck().all() as string[],
  );
}

/** Unfinished runs of other owners. */
export function activeRunsOfOthers(database: Database, owner: string): string[] {
  return reading(
    database,
    () =>
      database
        .prepare(`SELECT run FROM runs WHERE state IN ('queued', 'running') AND owner <> ? ORDER BY id`)
        .pluck()
        .all(owner) as string[],
  );
}

/** Asks the owner, which is another process, to stop a run. */
export function requestStop(database: Database, run: string): void {
  inTransaction(database, () => database.prepare(`UPDATE runs SET stop_requested = 1 WHERE run = ?`).run(run));
}

/** Runs of `owner` that another process wants stopped. */
export function stopRequests(database: Database, owner: string): string[] {
  return reading(
    database,
    () =>
      database
        .prepare(`SELECT run FROM runs WHERE owner = ? AND stop_requested = 1 AND state IN ('queued', 'running')`)
        .pluck()
        .all(owner) as string[],
  );
}

/** Hides an ended run, which keeps everything it measured until purge.ts removes it. Errors: `RunNotFound`, `RunActive`. */
export function deleteRun(database: Database, run: string, deleted: string): void {
  inTransaction(database, () => {
    const state = stateOf(database, run);
    if (state === 'queued' || state === 'running') {
      throw new HopscopeError('RunActive', `Run ${run} is ${state}: stop it before deleting it.`);
    }
    database.prepare('UPDATE runs SET deleted = ? WHERE run = ?').run(deleted, run);
  });
}

/** Brings a deleted run back; one that was not deleted stays as it is. Errors: `RunNotFound`. */
export function restoreRun(database: Database, run: string): void {
  inTransaction(database, () => {
    if (database.prepare('UPDATE runs SET deleted = NULL WHERE run = ?').run(run).changes === 0) throw notFound(run);
  });
}

/** `notes`: Markdown. Errors: `RunNotFound`. */
export function saveRunNotes(database: Database, run: string, notes: string): void {
  inTransaction(database, () => {
    if (database.prepare('UPDATE runs SET notes = ? WHERE run = ? AND deleted IS NULL').run(notes, run).changes === 0)
      throw notFound(run);
  });
}

/** Errors: `RunNotFound`. */
export function stateOf(database: Database, run: string): RunState {
  const state = reading(database, () =>
    database.prepare('SELECT state FROM runs WHERE run = ? AND deleted IS NULL').pluck().get(run),
  ) as RunState | undefined;
  if (state === undefined) throw notFound(run);
  return state;
}

/** Newest first. Runs of deleted projects are listed with none but that project. */
export function listRuns(database: Database, query: RunQuery): { runs: RunSummary[]; total: number } {
  const words = wordCondition(searched, query.search ?? '');
  const conditions = ['deleted IS NULL', words.sql];
  const values: (string | number)[] = [...words.values];
  for (const name of ['project', 'state', 'experiment'] as const) {
    const value = query[name];
    if (value === undefined) continue;
    conditions.push(`${name} = ?`);
    values.push(value);
  }
  if (query.project === undefined) conditions.push('project NOT IN (SELECT id FROM projects WHERE deleted IS NOT NULL)');
  const where = conditions.join(' AND ');
  return reading(database, () => {
    const rows = database
      .prepare(`SELECT ${summaryColumns} FROM runs WHERE ${where} ORDER BY id DESC LIMIT ? OFFSET ?`)
      .all(...values, query.limit, query.offset) as Row[];
    const total = database
      .prepare(`SELECT count(*) FROM runs WHERE ${where}`)
      .pluck()
      .get(...values) as number;
    return { runs: rows.map(summaryOf), total };
  });
}

/** Errors: `RunNotFound`. */
export function getRun(database: Database, run: string): RunDetail {
  const row = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT ${summaryColumns}, spec, results, provenance, warnings, notes, prediction, dataset_version
           FROM runs WHERE run = ? AND deleted IS NULL`,
        )
        .get(run) as Row | undefined,
  );
  if (row === undefined) throw notFound(run);
  return {
    ...summaryOf(row),
    spec: JSON.parse(row.spec) as ExperimentSpec,
    provenance: parsed<Provenance>(row.provenance),
    results: parsed<Json>(row.results),
    warnings: JSON.parse(row.warnings) as string[],
    notes: row.notes,
    prediction: parsed<Json>(row.prediction),
    datasetVersion: row.dataset_version,
  };
}

/** Figures of a run, empty until it has finished. Errors: `RunNotFound`. */
export function getFigures(database: Database, run: string): Figure[] {
  const figures = reading(
    database,
    () => database.prepare('SELECT figures FROM runs WHERE run = ? AND deleted IS NULL').pluck().get(run) as string | undefined,
  );
  if (figures === undefined) throw notFound(run);
  return JSON.parse(figures) as Figure[];
}

function summaryOf(row: Row): RunSummary {
  const { run, project, experiment, title, model, dataset, state, created, started, finished, seconds } = row;
  const progress = parsed<Progress>(row.progress);
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
    progress,
    error: parsed<ErrorRecord>(row.error),
  };
}

function parsed<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

function notFound(run: string): HopscopeError {
  return new HopscopeError(
    'RunNotFound',
    `There is no run ${JSON.stringify(run)} in this data folder; "hopscope runs" lists them.`,
  );
}
