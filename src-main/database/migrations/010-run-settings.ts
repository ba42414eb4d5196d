/**
 * Schema version 10: the settings of each run as words to search for, and when each run was paused. It is never edited once released.
 * The view says how the words follow from a run's spec; the trigger stores them with every new run.
 *
 * Words are `name value`. A small number comes both ways people write it, `0.0001 1e-4`; data and given batches are left out.
 */
export const runSettings = `
CREATE VIEW run_settings (run, settings) AS
SELECT runs.id, (
  SELECT substr(coalesce(group_concat(words, ' '), ''), 1, 2000) FROM (
    SELECT key || ' ' || CASE
      WHEN type = 'real' AND abs(value) > 0 AND abs(value) < 0.01 THEN
        rtrim(printf('%.12f', value), '0') || ' ' ||
        rtrim(rtrim(substr(printf('%.3e', value), 1, instr(printf('%.3e', value), 'e') - 1), '0'), '.') || 'e-' ||
        ltrim(substr(printf('%.3e', value), instr(printf('%.3e', value), 'e') + 2), '0')
      WHEN type = 'true' THEN 'true'
      WHEN type = 'false' THEN 'false'
      ELSE coalesce(value, '')
    END AS words
    FROM json_each(runs.spec) WHERE key NOT IN ('experiment', 'model', 'dataset', 'orders')
  )
)
FROM runs;

ALTER TABLE runs ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN pauses TEXT NOT NULL DEFAULT '[]'; -- JSON
UPDATE runs SET settings = (SELECT run_settings.settings FROM run_settings WHERE run_settings.run = runs.id);
CREATE TRIGGER run_settings_stored AFTER INSERT ON runs BEGIN
  UPDATE runs SET settings = (SELECT run_settings.settings FROM run_settings WHERE run_settings.run = new.id) WHERE id = new.id;
END;
DROP INDEX runs_listed;
CREATE INDEX runs_listed ON runs (project, deleted, id, run, experiment, title, model, dataset, state, created, started, finished,
  seconds, progress, error, outcome, notes, settings, pauses);
`;
