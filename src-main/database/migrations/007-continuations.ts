/**
 * Schema version 7: what the model says after each item's prompt, before and after a training. It is never edited once released.
 */
export const continuations = `
CREATE TABLE continuations (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  seed INTEGER NOT NULL,
  stage TEXT NOT NULL,
  item_set TEXT NOT NULL,
  item INTEGER NOT NULL, -- index in the list
  before TEXT NOT NULL, -- by the model as it was given
  after TEXT NOT NULL, -- by the weights that the stage ended with
  UNIQUE (run, item_set, item, seed, stage)
) STRICT;
`;
