/**
 * Cuts a text into what each of its tokens stands for, so that tokens can be shown in place. It computes no tokens.
 */
import type { TokenizedText } from '../../../src-main/shared/contract-models.ts';

export interface TokenPiece {
  id: number;
  /** As the vocabulary writes it. */
  token: string;
  /** What is shown: characters of the text with the space in front, or the token itself where it stands for none. */
  shown: string;
  /** [start, end) in code points; null where it stands for no character of the text, or that is not known. */
  range: [start: number, end: number] | null;
  special: boolean;
  /** Stands for a part of a character, of which other tokens are further parts. */
  isPart: boolean;
}

/** One piece for each token. Spaces that a tokenizer leaves out belong to the token after them. */
export function tokenPieces({ text, ids, tokens, offsets, special }: TokenizedText): TokenPiece[] {
  const characters = [...text];
  let end = 0;
  return ids.map((id, index) => {
    const range = offsets?.[index] ?? null;
    const common = { id, token: tokens[index]!, special: special[index]! };
    if (range === null || range[1] === range[0]) return { ...common, shown: common.token, range: null, isPart: false };
    const isPart = range[0] < end || (offsets?.[index + 1]?.[0] ?? range[1]) < range[1];
    const gap = characters.slice(end, range[0]);
    const from = gap.every((character) => /\s/.test(character)) && range[0] > end ? end : range[0];
    end = Math.max(end, range[1]);
    const isStandIn = common.special && characters.slice(range[0], range[1]).join('') !== common.token;
    // What the vocabulary does not hold reads better as the token that stands for it
    return { ...common, shown: isStandIn ? common.token : characters.slice(from, range[1]).join(''), range, isPart };
  });
}

/** White space made visible. */
export const visible = (text: string): string =>
  text.replaceAll(' ', '·').replaceAll('\n', '⏎').replaceAll('\t', '⇥').replaceAll('\u00a0', '⍽');

/** Whether a token is white space and nothing else, however its vocabulary writes the space: it tells no word from another. */
export const isSpaceOnly = ({ token, text }: { token: string; text: string }): boolean =>
  text.trim() === '' && /^(?:[\s▁Ġ]+|<0x20>)$/.test(token);
