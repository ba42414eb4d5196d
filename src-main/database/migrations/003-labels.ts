/**
 * Schema version 3: the option texts behind each candidate token. It is never edited once released.
 */
export const labels = `
ALTER TABLE item_sets ADD COLUMN labels TEXT NOT NULL DEFAULT '[]'; -- JSON
`;
