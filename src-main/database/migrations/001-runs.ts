/**
 * Schema version 1: settings, runs, and what a run measures. It is never edited once released; a later version adds a file.
 * JSON columns hold the records of shared/records.ts that are only ever read whole.
 */
export const runs = `
CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- in order of creation
  run TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL, -- the process that may run it, see owner-lock.ts
  experiment TEXT NOT NULL,
  title TEXT NOT NULL,
  model TEXT NOT NULL,
  dataset TEXT NOT NULL,
  spec TEXT NOT NULL, -- JSON
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'finished', 'failed', 'stopped', 'interrupted')),
  stop_requested INTEGER NOT NULL DEFAULT 0, -- 1: another process asks the owner to stop it
  created TEXT NOT NULL,
  started TEXT,
  finished TEXT,
  seconds REAL NOT NULL DEFAULT 0,
  progress TEXT, -- JSON
  error TEXT, -- JSON
  results TEXT, -- JSON
  provenance TEXT, -- JSON
  warnings TEXT NOT NULL DEFAULT '[]' -- JSON
) STRICT;
CREATE INDEX runs_by_state ON runs (state);

CREATE TABLE steps (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  stage TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  step INTEGER NOT NULL,
  loss REAL NOT NULL,
  seconds REAL NOT NULL
) STRICT;
CREATE INDEX steps_by_run ON steps (run);

CREATE TABLE item_sets (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  pairs TEXT NOT NULL, -- JSON
  options TEXT NOT NULL, -- JSON
  candidates TEXT NOT NULL, -- JSON
  answers TEXT NOT NULL, -- JSON
  UNIQUE (run, name)
) STRICT;

CREATE TABLE evaluations (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  stage TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  item_set TEXT NOT NULL,
  mean_rank REAL NOT NULL,
  loss REAL NOT NULL
) STRICT;
CREATE INDEX evaluations_by_run ON evaluations (run);

CREATE TABLE items (
  evaluation INTEGER NOT NULL REFERENCES evaluations (id) ON DELETE CASCADE,
  position INTEGER NOT NULL, -- in the order measured
  item INTEGER NOT NULL,
  rank REAL NOT NULL,
  logits BLOB NOT NULL, -- float32, little-endian, in the order of the set's candidates
  PRIMARY KEY (evaluation, position)
) STRICT, WITHOUT ROWID;
`;
