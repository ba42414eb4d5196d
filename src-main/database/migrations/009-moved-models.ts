/**
 * Schema version 9: where a model's folder was before it was moved, so that its runs are still found. It is never edited once released.
 * Runs keep the path that they were asked for with; nothing here changes them.
 */
export const movedModels = `
CREATE TABLE model_paths (
  model INTEGER NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  path TEXT NOT NULL, -- an earlier one
  PRIMARY KEY (model, path)
) STRICT;
CREATE INDEX model_paths_by_path ON model_paths (path);
`;
