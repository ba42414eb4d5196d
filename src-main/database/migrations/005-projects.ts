/**
 * Schema version 5: projects and what belongs to them. It is never edited once released.
 * What is deleted keeps its row with the time of deletion, so that it can be brought back; `purge` of projects.ts removes it for good later.
 */
export const projects = `
CREATE TABLE projects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  notes TEXT NOT NULL DEFAULT '', -- Markdown
  created TEXT NOT NULL,
  opened TEXT NOT NULL, -- when it was last looked at
  archived TEXT,
  deleted TEXT
) STRICT;

INSERT INTO projects (name, created, opened)
VALUES ('First project', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

ALTER TABLE runs ADD COLUMN project INTEGER REFERENCES projects (id);
ALTER TABLE runs ADD COLUMN deleted TEXT;
ALTER TABLE runs ADD COLUMN notes TEXT NOT NULL DEFAULT ''; -- Markdown
ALTER TABLE runs ADD COLUMN prediction TEXT; -- JSON: what was expected, fixed before the run
ALTER TABLE runs ADD COLUMN dataset_version INTEGER; -- of dataset_versions, where the project's own data were used
UPDATE runs SET project = 1;
CREATE INDEX runs_by_project ON runs (project);

CREATE TABLE models (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL REFERENCES projects (id),
  path TEXT NOT NULL, -- of the folder, never a copy of it
  added TEXT NOT NULL,
  deleted TEXT
) STRICT;
CREATE INDEX models_by_project ON models (project);

CREATE TABLE datasets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL, -- as in datasets/dataset.ts
  created TEXT NOT NULL,
  deleted TEXT
) STRICT;
CREATE INDEX datasets_by_project ON datasets (project);

CREATE TABLE dataset_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dataset INTEGER NOT NULL REFERENCES datasets (id),
  number INTEGER NOT NULL, -- 1, 2, ... in each data set
  created TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  rows INTEGER NOT NULL,
  hash TEXT NOT NULL, -- sha256 of the canonical JSON
  content BLOB NOT NULL, -- JSON, deflated (zlib)
  UNIQUE (dataset, number)
) STRICT;

CREATE TABLE specs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  project INTEGER NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  spec TEXT NOT NULL, -- JSON
  created TEXT NOT NULL,
  changed TEXT NOT NULL,
  deleted TEXT
) STRICT;
CREATE INDEX specs_by_project ON specs (project);

CREATE TABLE circuits (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  view TEXT NOT NULL, -- JSON: threshold, pins, groups, notes, positions
  created TEXT NOT NULL,
  changed TEXT NOT NULL,
  deleted TEXT
) STRICT;
CREATE INDEX circuits_by_run ON circuits (run);
`;
