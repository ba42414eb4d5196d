/**
 * The preflight of alignment: which prompts of a list do not share its template, have another length, or overlap when two are laid on each other.
 * The alignment itself, which copes with all of it, is alignment.ts's.
 */
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import type { Finding } from '../shared/records.ts';
import { counted, groupedBy, named, type PreflightList, type ReadItem } from './findings.ts';

/** Share of the prompts that must have a token in common for it to belong to their template. */
const templateShare = 3 / 4;

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

function templateFindings(set: string, prompts: readonly Prompt[], tokenizer: Tokenizer): Finding[] {
  const front = commonStart(prompts.map(({ ids }) => ids));
  const back = commonStart(prompts.map(({ ids }) => [...ids].reverse())).reverse();
  if (front.length + back.length === 0) {
    const message = `${set}: the prompts have no beginning or end in common, so score maps cannot be averaged over them token by token.`;
    return [{ severity: 'warning', code: 'NoTemplate', message, set, items: [] }];
  }
  const findings: Finding[] = [];
  const written = (ids: readonly number[]) => JSON.stringify(tokenizer.decode(ids).trim());
  const template = [...(front.length > 0 ? [written(front)] : []), '…', ...(back.length > 0 ? [written(back)] : [])].join(' ');
  const follows = ({ ids }: Prompt) =>
    front.every((id, place) => ids[place] === id) && back.every((id, place) => ids[ids.length - back.length + place] === id);
  const others = prompts.filter((prompt) => !follows(prompt));
  if (others.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'TemplateDiffers',
      message: `${set}: ${counted(others.length, 'prompt')} do not follow the template of the others, ${template}: ${named(others.map(({ text }) => text))}. Score maps align them with the others only where they agree.`,
      set,
      items: others.map(({ item }) => item),
    });
  }
  const byLength = groupedBy(prompts, ({ ids }) => ids.length);
  const [most] = [...byLength].sort(([a, x], [b, y]) => y.length - x.length || a - b);
  const unequal = prompts.filter(({ ids }) => ids.length !== most![0]);
  if (unequal.length > 0) {
    const starts = prompts.filter(follows).map(({ ids }) => ids.length - back.length);
    const shifted =
      back.length > 0 && starts.length > 0
        ? ` The shared end ${written(back)} begins after ${Math.min(...starts)} to ${Math.max(...starts)} tokens.`
        : '';
    findings.push({
      severity: 'note',
      code: 'LengthsDiffer',
      message: `${set}: ${unequal.length} of ${prompts.length} prompts do not have ${counted(most![0], 'token')} as most do: ${named(unequal.map(({ text }) => text))}.${shifted} Scores align such prompts at the end of what differs; ranks are not concerned.`,
      set,
      items: unequal.map(({ item }) => item),
    });
  }
  return findings;
}

/** Tokens that at least three quarters of all sequences begin with. */
function commonStart(sequences: readonly (readonly number[])[]): number[] {
  const start: number[] = [];
  let agreeing = sequences;
  while (true) {
    const byToken = groupedBy(
      agreeing.filter(({ length }) => length > start.length),
      (ids) => ids[start.length]!,
    );
    const [largest] = [...byToken].sort(([, a], [, b]) => b.length - a.length);
    if (!largest || largest[1].length < templateShare * sequences.length) return start;
    start.push(largest[0]);
    agreeing = largest[1];
  }
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
