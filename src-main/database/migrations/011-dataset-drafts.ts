/**
 * Schema version 11: what was written into a data set and not saved yet, and a name for the data folder that no other one has.
 * It is never edited once released. Windows tell by that name what they kept themselves while they had no connection.
 */
export const datasetDrafts = `
CREATE TABLE dataset_drafts (
  dataset INTEGER PRIMARY KEY REFERENCES datasets (id) ON DELETE CASCADE,
  base INTEGER NOT NULL, -- number of the version that it changes; 0: there was none yet
  written TEXT NOT NULL,
  content BLOB NOT NULL -- JSON of rows and options as their cells hold them, deflated (zlib)
) STRICT;

INSERT INTO settings (name, value) VALUES ('folder', '"' || lower(hex(randomblob(16))) || '"');
`;
