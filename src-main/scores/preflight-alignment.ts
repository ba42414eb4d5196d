/**
 * The preflight of alignment: which prompts of a list do not share its template, have another length, or overlap when two are laid on each other.
 * The alignment itself, which copes with all of it, is alignment.ts's.
 */
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import type { Finding } from '../shared/records.ts';
import { counted, groupedBy, named, type PreflightList, type ReadItem } from './findings.ts';

/** How many of a list's prompts may lack a word that the others share for it to belong to their template still: a tenth, but one of a few. */
function exceptions(prompts: number): number {
  return prompts < 4 ? 0 : Math.max(1, Math.floor(prompts / 10));
}

interface Prompt {
  item: number;
  text: string;
  answer: string;
  ids: readonly number[];
}

/** Findings of one list; its distinct prompts count. */
export function alignmentFindings({ set, pairs }: PreflightList, read: readonly ReadItem[], tokenizer: Tokenizer): Finding[] {
  const prompts: Prompt[] = read.map(({ item, example: { ids, questionEnd } }) => ({
    item,
    text: pairs[item]![0],
    answer: pairs[item]![1],
    ids: ids.slice(tokenizer.prefixSpecialTokens, questionEnd + 1),
  }));
  if (new Set(prompts.map(({ text }) => text)).size < 2) return [];
  return [...templateFindings(set, prompts, tokenizer), ...overlapFindings(set, prompts)];
}

/** The template is looked for in words: that a tokenizer joins two of them in one prompt makes no other template of it. */
function templateFindings(set: string, prompts: readonly Prompt[], tokenizer: Tokenizer): Finding[] {
  const worded = prompts.map((prompt) => ({ ...prompt, words: prompt.text.split(' ') }));
  const allowed = exceptions(prompts.length);
  const front = commonStart(
    worded.map(({ words }) => words),
    allowed,
  );
  const back = commonStart(
    worded.map(({ words }) => [...words].reverse()),
    allowed,
  ).reverse();
  if (front.length + back.length === 0) {
    const message = `${set}: the prompts have no beginning or end in common, so score maps cannot be averaged over them token by token.`;
    return [{ severity: 'warning', code: 'NoTemplate', message, set, items: [] }];
  }
  const findings: Finding[] = [];
  const followers = worded.filter(
    ({ words }) =>
      front.every((word, place) => words[place] === word) &&
      back.every((word, place) => words[words.length - back.length + place] === word),
  );
  const others = worded.filter((prompt) => !followers.includes(prompt));
  if (others.length > 0) {
    const template = JSON.stringify([...front, '…', ...back].join(' '));
    findings.push({
      severity: 'warning',
      code: 'TemplateDiffers',
      message: `${set}: ${others.length} of ${prompts.length} prompts are not of the others' form ${template}: ${named(others.map(({ text }) => text))}. Score maps align them only where they agree.`,
      set,
      items: others.map(({ item }) => item),
    });
  }
  const byLength = groupedBy(prompts, ({ ids }) => ids.length);
  const [commonest] = [...byLength].sort(([a, x], [b, y]) => y.length - x.length || a - b)[0]!;
  const unequal = prompts.filter(({ ids }) => ids.length !== commonest);
  if (unequal.length > 0) {
    const end = commonStart(
      followers.map(({ ids }) => [...ids].reverse()),
      0,
    ).reverse();
    const starts = followers.map(({ ids }) => ids.length - end.length);
    const shifted =
      end.length === 0
        ? ''
        : ` The shared end ${JSON.stringify(tokenizer.decode(end).trim())} begins after ${Math.min(...starts)} to ${Math.max(...starts)} tokens.`;
    findings.push({
      severity: 'note',
      code: 'LengthsDiffer',
      message: `${set}: most often prompts have ${counted(commonest, 'token')}; ${unequal.length} of ${prompts.length} do not: ${named(unequal.map(({ text }) => text))}.${shifted} Scores align them at the right end of what differs; ranks are not concerned.`,
      set,
      items: unequal.map(({ item }) => item),
    });
  }
  return findings;
}

/** What all sequences begin with, but for so many `exceptions`. */
function commonStart<T>(sequences: readonly (readonly T[])[], exceptions: number): T[] {
  const start: T[] = [];
  let agreeing = sequences;
  while (agreeing.length > 0) {
    const byNext = groupedBy(
      agreeing.filter(({ length }) => length > start.length),
      (sequence) => sequence[start.length]!,
    );
    const [largest] = [...byNext].sort(([, a], [, b]) => b.length - a.length);
    if (!largest || largest[1].length < sequences.length - exceptions) break;
    start.push(largest[0]);
    agreeing = largest[1];
  }
  return start;
}

/** Pairs of an item and a possible counterfactual whose shared beginning and shared end overlap in the shorter prompt. */
function overlapFindings(set: string, prompts: readonly Prompt[]): Finding[] {
  const concerned = prompts.flatMap((prompt) => {
    const other = prompts.find(
      (candidate) => candidate.text !== prompt.text && candidate.answer !== prompt.answer && overlap(prompt.ids, candidate.ids),
    );
    return other ? [{ prompt, other }] : [];
  });
  if (concerned.length === 0) return [];
  const [{ prompt, other }] = concerned as [{ prompt: Prompt; other: Prompt }];
  return [
    {
      severity: 'warning',
      code: 'AlignmentOverlaps',
      message: `${set}: ${counted(concerned.length, 'prompt')} overlap with a counterfactual when aligned, such as ${JSON.stringify(prompt.text)} with ${JSON.stringify(other.text)}: one differs from the other only in repeating or leaving out tokens. The shared end is cut there; the published code fails.`,
      set,
      items: concerned.map(({ prompt: { item } }) => item),
    },
  ];
}

function overlap(a: readonly number[], b: readonly number[]): boolean {
  const shorter = Math.min(a.length, b.length);
  let prefix = 0;
  while (prefix < shorter && a[prefix] === b[prefix]) prefix++;
  let suffix = 0;
  while (suffix < shorter && a.at(-1 - suffix) === b.at(-1 - suffix)) suffix++;
  return prefix + suffix > shorter;
}
