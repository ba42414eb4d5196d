/**
 * Searching by words, each of which must be somewhere in a text, whatever the case. Which texts are searched is the list's business.
 */

/** The words of what was typed. */
export function searchWords(typed: string): string[] {
  return typed.toLowerCase().split(/\s+/).filter(Boolean);
}

/** Whether all words, as `searchWords` gives them, are in the text; no words are in any. */
export function hasWords(text: string, words: readonly string[]): boolean {
  const searched = text.toLowerCase();
  return words.every((word) => searched.includes(word));
}
