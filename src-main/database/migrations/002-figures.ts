/**
 * Schema version 2: the figures that an experiment made of its results, beside them. It is never edited once released.
 */
export const figures = `
ALTER TABLE runs ADD COLUMN figures TEXT NOT NULL DEFAULT '[]'; -- JSON
`;
