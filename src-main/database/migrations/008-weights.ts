/**
 * Schema version 8: which files hold what trainings learned, and paths of strengths that were walked. It is never edited once released.
 * The files lie beside the database; a row without its file, or a file without its row, is sorted out when the data folder is opened.
 */
export const weights = `
CREATE TABLE weights (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  stage TEXT NOT NULL,
  file TEXT NOT NULL UNIQUE, -- below the folder of kept weights
  form TEXT NOT NULL, -- values, low-rank
  bytes INTEGER NOT NULL,
  hash TEXT NOT NULL, -- sha256 of the file
  UNIQUE (run, seed, stage)
) STRICT;

CREATE TABLE dial_paths (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  stage TEXT NOT NULL,
  points TEXT NOT NULL, -- JSON
  created TEXT NOT NULL,
  deleted TEXT
) STRICT;
CREATE INDEX dial_paths_by_run ON dial_paths (run);
`;
