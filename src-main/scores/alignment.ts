/**
 * Which token of one prompt stands where a token of another does: shared beginning, shared end of the prompt, and the middle from the right.
 * It compares token ids only and knows no text.
 */

/** Token ids of a text, and the index of its prompt's last token; the answer follows. */
export interface PromptTokens {
  ids: readonly number[];
  questionEnd: number;
}

/**
 * For every token of `a` the index of its counterpart in `b`. The shared prefix and the shared suffix (counted back from the prompts' last
 * tokens) map onto each other; a suffix that would overlap the prefix is cut. The centres are aligned at the right: where b's is longer its
 * leftmost tokens have no counterpart, where it is shorter its first token repeats, where it is empty the token after it stands for it.
 * Answer tokens map to the last token of b's prompt.
 */
export function align(a: PromptTokens, b: PromptTokens): number[] {
  const lengthA = a.questionEnd + 1;
  const lengthB = b.questionEnd + 1;
  const shorter = Math.min(lengthA, lengthB);
  let prefix = 0;
  while (prefix < shorter && a.ids[prefix] === b.ids[prefix]) prefix++;
  let suffix = 0;
  while (suffix < shorter - prefix && a.ids[lengthA - 1 - suffix] === b.ids[lengthB - 1 - suffix]) suffix++;
  return a.ids.map((_, token) => {
    if (token >= lengthA) return b.questionEnd;
    if (token < prefix) return token;
    // Suffix and centre alike keep their distance to the end, but never reach back into the prefix
    return Math.min(Math.max(token - lengthA + lengthB, prefix), b.questionEnd);
  });
}
