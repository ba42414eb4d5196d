/**
 * Schema version 6: what each run came to, beside the run, so that a list of runs reads neither measurements nor results. It is never edited once released.
 * The view says how an outcome follows from a run's evaluations; measurements.ts stores it anew whenever some are added.
 *
 * Of a run's main training (its first stage where nothing trained yet), for each list measured in it: the mean rank at the seeds'
 * first epoch and at the last epoch that any seed has reached, over the seeds that have reached it. The main training is the first one;
 * of emergence the last one begun, which starts from the model and not from a checkpoint of its pretraining.
 */
export const outcomes = `
CREATE VIEW run_outcomes (run, outcome) AS
SELECT runs.id, (
  WITH
    stages AS (
      SELECT stage, min(epoch) < max(epoch) AS trained, min(id) AS begun FROM evaluations WHERE run = runs.id GROUP BY stage
    ),
    main AS (SELECT stage, sum(trained) OVER () AS trainings FROM stages ORDER BY trained DESC,
      CASE WHEN trained AND runs.experiment = 'emergence' THEN -begun ELSE begun END LIMIT 1),
    measured AS ( -- one measured again at its epoch takes the first one's place
      SELECT stage, trainings, item_set, seed, epoch, mean_rank AS rank, max(id) AS id
      FROM main JOIN evaluations USING (stage) WHERE run = runs.id GROUP BY item_set, seed, epoch
    ),
    seeds AS (
      SELECT stage, trainings, item_set, epoch, rank AS last,
        first_value(rank) OVER (PARTITION BY item_set, seed ORDER BY epoch) AS first,
        row_number() OVER (PARTITION BY item_set, seed ORDER BY epoch DESC) AS place,
        max(epoch) OVER (PARTITION BY item_set) AS furthest
      FROM measured
    ),
    lists AS (
      SELECT stage, trainings, item_set, avg(first) AS first, avg(last) AS last
      FROM seeds WHERE place = 1 AND epoch = furthest GROUP BY item_set
    )
  SELECT json_object('stage', stage, 'trainings', trainings,
    'lists', json_group_object(item_set, json_object('first', first, 'last', last)))
  FROM lists HAVING count(*) > 0
)
FROM runs;

ALTER TABLE runs ADD COLUMN outcome TEXT; -- JSON
-- Rows of runs hold results of megabytes: lists are read from this index alone
CREATE INDEX runs_listed ON runs (project, deleted, id, run, experiment, title, model, dataset, state, created, started, finished,
  seconds, progress, error, outcome, notes);
UPDATE runs SET outcome = (SELECT run_outcomes.outcome FROM run_outcomes WHERE run_outcomes.run = runs.id);
`;
