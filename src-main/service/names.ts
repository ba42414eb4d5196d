/**
 * What people may call things: names of projects, runs, specs, data sets and circuits are cleaned here before they are stored.
 * Texts that are notes or data are not names and stay as they were given.
 */
/**
 * Characters that show nothing and change how their neighbours are shown: marks, embeddings, overrides and isolates of writing direction
 * (Unicode's Bidi_Control), zero-width space, word joiner, byte order mark. Joiners stay, since scripts and emoji are written with them.
 */
const unseen = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

/** A name on one line: unseen characters are taken out, control characters and line ends become spaces, space around it goes. */
export function cleanName(text: string): string {
  return text
    .replaceAll(unseen, '')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
}
