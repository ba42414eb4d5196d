/**
 * The runs table: what was asked, by whom it is run, how far it is and how it ended. Lists of runs are run-list.ts's, what
 * a run measures is in measurements.ts.
 * Every state change is one statement that names the states it may come from, so that no two processes can both make it.
 */

import type { ErrorRecord } from '../shared/errors.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Figure } from '../shared/figures.ts';
import type { ExperimentSpec, Json, Provenance, RunDetail, RunPause, RunState } from '../shared/records.ts';
import { isUnderWay } from '../shared/run-state.ts';
import { changeRow } from './changes.ts';
import { requireLatestNotes } from './notes.ts';
import { type Database, inTransaction, reading } from './open.ts';
import { recentProject } from './projects.ts';
import { parsed, type SummaryRow, summaryColumns, summaryOf } from './run-list.ts';

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

interface RunWithState {
  run: string;
  state: RunState;
}

interface Row extends SummaryRow {
  spec: string;
  results: string | null;
  provenance: string | null;
  warnings: string;
  notes: string;
  prediction: string | null;
  dataset_version: number | null;
}

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
    if (isUnderWay(state)) {
      throw new HopscopeError('RunActive', `Run ${run} is ${state}: stop it before deleting it.`);
    }
    database.prepare('UPDATE runs SET deleted = ? WHERE run = ?').run(deleted, run);
  });
}

/** Brings a deleted run back; one that was not deleted stays as it is. Errors: `RunNotFound`. */
export function restoreRun(database: Database, run: string): void {
  changeRow(database, 'UPDATE runs SET deleted = NULL WHERE run = @run', { run }, () => notFound(run));
}

/** Hides those of the runs that have ended, as `deleteRun` does, and returns them. */
export function deleteRuns(database: Database, runs: readonly string[], deleted: string): RunWithState[] {
  return inTransaction(
    database,
    () =>
      database
        .prepare(
          `UPDATE runs SET deleted = @deleted
           WHERE run IN (SELECT value FROM json_each(@runs)) AND deleted IS NULL AND state NOT IN ('queued', 'running') RETURNING run, state`,
        )
        .all({ runs: JSON.stringify(runs), deleted }) as RunWithState[],
  );
}

/** Brings those of the runs back that are deleted, and returns them. */
export function restoreRuns(database: Database, runs: readonly string[]): RunWithState[] {
  return inTransaction(
    database,
    () =>
      database
        .prepare(
          `UPDATE runs SET deleted = NULL
           WHERE run IN (SELECT value FROM json_each(?)) AND deleted IS NOT NULL RETURNING run, state`,
        )
        .all(JSON.stringify(runs)) as RunWithState[],
  );
}

/** Errors: `RunNotFound`. */
export function renameRun(database: Database, run: string, title: string): void {
  changeRow(database, 'UPDATE runs SET title = @title WHERE run = @run AND deleted IS NULL', { run, title }, () => notFound(run));
}

/** Notes that a running run was halted or goes on at `time`; said twice, the first time counts. Errors: `RunNotFound`. */
export function markPaused(database: Database, run: string, paused: boolean, time: string): void {
  inTransaction(database, () => {
    const text = database.prepare('SELECT pauses FROM runs WHERE run = ?').pluck().get(run) as string | undefined;
    if (text === undefined) throw notFound(run);
    const pauses = JSON.parse(text) as RunPause[];
    const last = pauses.at(-1);
    const isPaused = last !== undefined && last.ended === null;
    if (isPaused === paused) return;
    if (isPaused) last.ended = time;
    else pauses.push({ begun: time, ended: null });
    database.prepare('UPDATE runs SET pauses = ? WHERE run = ?').run(JSON.stringify(pauses), run);
  });
}

/** Titles by run, of those of the runs that exist. */
export function titlesOf(database: Database, runs: readonly string[]): Map<string, string> {
  const rows = reading(
    database,
    () =>
      database.prepare('SELECT run, title FROM runs WHERE run IN (SELECT value FROM json_each(?))').all(JSON.stringify(runs)) as {
        run: string;
        title: string;
      }[],
  );
  return new Map(rows.map(({ run, title }) => [run, title]));
}

/** `notes`: Markdown; `base`: those that were changed; null: whatever is stored. Errors: `RunNotFound`, `NotesChanged`. */
export function saveRunNotes(database: Database, run: string, notes: string, base: string | null = null): void {
  inTransaction(database, () => {
    const stored = database.prepare('SELECT notes FROM runs WHERE run = ? AND deleted IS NULL').pluck().get(run);
    if (typeof stored === 'string') requireLatestNotes(stored, notes, base);
    changeRow(database, 'UPDATE runs SET notes = @notes WHERE run = @run AND deleted IS NULL', { run, notes }, () =>
      notFound(run),
    );
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
    pauses: JSON.parse(row.pauses) as RunPause[],
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

function notFound(run: string): HopscopeError {
  return new HopscopeError(
    'RunNotFound',
    `There is no run ${JSON.stringify(run)} in this data folder; it may have been deleted, or be in another data folder.`,
  );
}
