/**
 * Conditions of SQL that find rows by words: every word must occur somewhere in a row's text, whatever the (ASCII) case.
 * It knows no table; what counts as a row's text is the caller's expression.
 */

/** As many words as a question may have; more are left out. */
const mostWords = 12;

/** A condition over the text expression with a `?` for each of `values`; without words it is true. */
export function wordCondition(expression: string, text: string): { sql: string; values: string[] } {
  const words = wordsOf(text);
  if (words.length === 0) return { sql: '1', values: [] };
  return {
    sql: words.map(() => `(${expression}) LIKE ? ESCAPE '\\'`).join(' AND '),
    values: words.map((word) => `%${word.replaceAll(/[\\%_]/g, (letter) => `\\${letter}`)}%`),
  };
}

/** The words of a question in small letters. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean).slice(0, mostWords);
}
