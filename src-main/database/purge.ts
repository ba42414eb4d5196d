/**
 * Removes for good what was deleted long ago, with all that belongs to it. What is deleted now stays: it can be brought back.
 */
import { type Database, inTransaction } from './open.ts';

/** For how long what was deleted can be brought back: 30 days, in milliseconds. */
export const keptMilliseconds = 30 * 24 * 60 * 60 * 1000;

/**
 * Removes what was deleted before `time` (ISO 8601). A data set stays while a run that stays used one of its versions, and a project
 * while anything of it does.
 */
export function purge(database: Database, time: string): void {
  const gone = 'deleted IS NOT NULL AND deleted < @time';
  const ofGone = `project IN (SELECT id FROM projects WHERE ${gone})`;
  const ended = `state NOT IN ('queued', 'running')`;
  inTransaction(database, () => {
    const run = (sql: string) => database.prepare(sql).run({ time });
    run(`DELETE FROM runs WHERE ${ended} AND ((${gone}) OR ${ofGone})`);
    for (const table of ['models', 'specs']) run(`DELETE FROM ${table} WHERE (${gone}) OR ${ofGone}`);
    run(`DELETE FROM circuits WHERE ${gone}`);
    const unused = `((${gone}) OR ${ofGone}) AND NOT EXISTS (
      SELECT 1 FROM runs JOIN dataset_versions ON dataset_versions.id = runs.dataset_version WHERE dataset_versions.dataset = datasets.id)`;
    run(`DELETE FROM dataset_versions WHERE dataset IN (SELECT id FROM datasets WHERE ${unused})`);
    run(`DELETE FROM datasets WHERE ${unused}`);
    run(`DELETE FROM projects WHERE ${gone}
      AND NOT EXISTS (SELECT 1 FROM runs WHERE project = projects.id) AND NOT EXISTS (SELECT 1 FROM datasets WHERE project = projects.id)`);
  });
}
