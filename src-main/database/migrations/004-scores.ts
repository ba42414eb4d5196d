/**
 * Schema version 4: scores of components, each table of numbers as one compressed blob. It is never edited once released.
 */
export const scores = `
CREATE TABLE scores (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  stage TEXT NOT NULL,
  item_set TEXT NOT NULL,
  point INTEGER NOT NULL, -- item index, or -1 for the average
  name TEXT NOT NULL,
  shape TEXT NOT NULL, -- JSON
  data BLOB NOT NULL, -- float32, little-endian, deflated (zlib)
  UNIQUE (run, seed, stage, point, name)
) STRICT;
`;
