/**
 * What is within one paragraph of Markdown: emphasis, code, links, line breaks. Blocks are markdown.ts's business. An address that is
 * neither of the web nor of the workbench makes no link: its text stays text.
 */

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'break' }
  | { kind: 'strong' | 'emphasis' | 'struck'; inlines: Inline[] }
  /** `inside`: an address of the workbench, `#/...`. */
  | { kind: 'link'; address: string; inside: boolean; inlines: Inline[] };

/** Emphasis within emphasis; deeper marks stay text. */
const deepest = 8;

const marks = { '**': 'strong', __: 'strong', '~~': 'struck', '*': 'emphasis', _: 'emphasis' } as const;
const escapable = /[!-/:-@[-`{-~]/;
const bareAddress = /^https?:\/\/[^\s<>]+[^\s<>.,;:!?'")\]]/;
const wordLetter = /[\p{L}\p{N}]/u;

/** Reads the text of one paragraph, heading or cell. */
export function readInlines(text: string): Inline[] {
  return read(text, 0);
}

/** An address that a link may have, or null. */
export function safeAddress(address: string): { address: string; inside: boolean } | null {
  if (address.startsWith('#/')) return { address, inside: true };
  return /^(https?:\/\/|mailto:)[^\s]+$/i.test(address) ? { address, inside: false } : null;
}

function read(text: string, depth: number): Inline[] {
  const inlines: Inline[] = [];
  /** Marks that have no end from some place on: none is looked for again. */
  const endless = new Set<string>();
  let plain = '';
  let at = 0;

  function add(inline: Inline, next: number): void {
    if (plain !== '') inlines.push({ kind: 'text', text: plain });
    plain = '';
    inlines.push(inline);
    at = next;
  }

  while (at < text.length) {
    const letter = text[at]!;
    if (letter === '\\' && at + 1 < text.length && escapable.test(text[at + 1]!)) {
      plain += text[at + 1]!;
      at += 2;
      continue;
    }
    if (letter === '\n') {
      if (/( {2,}|\\)$/.test(plain)) {
        plain = plain.replace(/( +|\\)$/, '');
        add({ kind: 'break' }, at + 1);
      } else {
        plain += ' ';
        at += 1;
      }
      continue;
    }
    const found =
      letter === '`'
        ? readCode(text, at, endless)
        : letter === '['
          ? readLink(text, at, depth, endless)
          : letter === 'h'
            ? readBare(text, at)
            : '*_~'.includes(letter)
              ? readMarked(text, at, depth, endless)
              : null;
    if (found !== null) add(found.inline, found.next);
    else {
      const run = letter === '`' ? /^`+/.exec(text.slice(at, at + 64))![0] : letter;
      plain += run;
      at += run.length;
    }
  }
  if (plain !== '') inlines.push({ kind: 'text', text: plain });
  return inlines;
}

interface Reading {
  inline: Inline;
  next: number;
}

function readCode(text: string, at: number, endless: Set<string>): Reading | null {
  const mark = /^`+/.exec(text.slice(at, at + 64))![0];
  if (endless.has(mark)) return null;
  let end = text.indexOf(mark, at + mark.length);
  while (end >= 0 && (text[end + mark.length] === '`' || text[end - 1] === '`')) {
    let past = end + mark.length;
    while (text[past] === '`') past += 1;
    end = text.indexOf(mark, past);
  }
  if (end < 0) {
    endless.add(mark);
    return null;
  }
  const inner = text.slice(at + mark.length, end).replaceAll('\n', ' ');
  const trimmed = /^ .*\S.* $/.test(inner) ? inner.slice(1, -1) : inner;
  return { inline: { kind: 'code', text: trimmed }, next: end + mark.length };
}

function readLink(text: string, at: number, depth: number, endless: Set<string>): Reading | null {
  if (depth >= deepest || endless.has('[')) return null;
  const middle = text.indexOf('](', at);
  if (middle < 0) {
    endless.add('[');
    return null;
  }
  const label = text.slice(at + 1, middle);
  const found = /^<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\)/.exec(text.slice(middle + 2, middle + 2002));
  // A bracket within is the beginning of a later link.
  if (found === null || label === '' || label.includes('[')) return null;
  const target = safeAddress(found[1]!);
  if (target === null) return null;
  return { inline: { kind: 'link', ...target, inlines: read(label, depth + 1) }, next: middle + 2 + found[0].length };
}

function readBare(text: string, at: number): Reading | null {
  if (at > 0 && wordLetter.test(text[at - 1]!)) return null;
  const address = bareAddress.exec(text.slice(at, at + 2000))?.[0];
  if (address === undefined) return null;
  const inlines: Inline[] = [{ kind: 'text', text: address }];
  return { inline: { kind: 'link', address, inside: false, inlines }, next: at + address.length };
}

function readMarked(text: string, at: number, depth: number, endless: Set<string>): Reading | null {
  const double = text.slice(at, at + 2);
  const mark = double in marks ? double : text[at]!;
  if (depth >= deepest || !(mark in marks) || endless.has(mark)) return null;
  const begin = at + mark.length;
  const underscore = mark.startsWith('_');
  if (/\s/.test(text[begin] ?? ' ') || (underscore && at > 0 && wordLetter.test(text[at - 1]!))) return null;
  for (let end = text.indexOf(mark, begin + 1); end >= 0; end = text.indexOf(mark, end + 1)) {
    const after = end + mark.length;
    const escaped = text[end - 1] === '\\';
    const isPartOfDouble = mark.length === 1 && (text[after] === mark || text[end - 1] === mark);
    const insideWord = underscore && wordLetter.test(text[after] ?? ' ');
    if (escaped || isPartOfDouble || insideWord || /\s/.test(text[end - 1]!)) continue;
    return {
      inline: { kind: marks[mark as keyof typeof marks], inlines: read(text.slice(begin, end), depth + 1) },
      next: after,
    };
  }
  endless.add(mark);
  return null;
}
