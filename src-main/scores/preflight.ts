/**
 * The preflight: what a data set looks like to one model's tokenizer, before anything runs. Names options that cannot be told apart, answers that
 * are missing, texts that do not fit and prompts that do not align; it judges tokens only and runs no model.
 */
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import { encodePair } from '../engine/training/batch.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Finding } from '../shared/records.ts';
import type { CollisionRule } from './evaluation.ts';
import { counted, groupedBy, named, type PreflightList, type ReadItem } from './findings.ts';
import { alignmentFindings } from './preflight-alignment.ts';
import { type Candidates, candidatesOf, firstToken } from './rank.ts';

export interface PreflightSettings {
  tokenizer: Tokenizer;
  /** Most tokens that the model takes. */
  context: number;
  /** With `merge` colliding options are a warning, else an error. */
  collisions: CollisionRule;
}

const severities = ['error', 'warning', 'note'] as const;

/** Everything worth saying about the lists, the gravest first. Nothing is thrown for what a data set may hold. */
export function preflight(lists: readonly PreflightList[], settings: PreflightSettings): Finding[] {
  const findings = [...lists.flatMap((list) => listFindings(list, settings)), ...sharedPrompts(lists)];
  return severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}

function listFindings(list: PreflightList, settings: PreflightSettings): Finding[] {
  const { set, pairs } = list;
  const { tokenizer, context } = settings;
  const findings: Finding[] = [];
  const examples = pairs.map((pair, item) => orFinding(findings, { set, items: [item] }, () => encodePair(tokenizer, pair)));
  const candidates = orFinding(findings, { set, items: [] }, () => candidatesOf(tokenizer, list.options));
  if (candidates) findings.push(...optionFindings(list, candidates, settings));
  findings.push(...repeated(list));

  const read = examples.flatMap((example, item) => (example ? [{ item, example }] : []));
  // The last counted token is only predicted, so it needs no place
  const tooLong = read.filter(({ example }) => example.lastLabel > context).map(({ item }) => item);
  if (tooLong.length > 0) {
    findings.push({
      severity: 'error',
      code: 'TextTooLong',
      message: `${set}: ${counted(tooLong.length, 'item')} of up to ${Math.max(...tooLong.map((item) => examples[item]!.lastLabel))} tokens exceed the model's context of ${context}: ${named(tooLong.map((item) => pairs[item]![0]))}. Shorten them.`,
      set,
      items: tooLong,
    });
  }
  findings.push(...unknownWords(list, read, tokenizer), ...lengthFindings(list, read, tokenizer));
  findings.push(...alignmentFindings(list, read, tokenizer));
  return findings;
}

/** The value, or null with the HopscopeError that stood in its way as a finding. */
function orFinding<T>(findings: Finding[], at: Pick<Finding, 'set' | 'items'>, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof HopscopeError)) throw error;
    findings.push({ severity: 'error', code: error.code, message: `${at.set}: ${error.message}`, ...at });
    return null;
  }
}

function optionFindings({ set, pairs, options }: PreflightList, candidates: Candidates, settings: PreflightSettings): Finding[] {
  const findings: Finding[] = [];
  const itemsWithAnswer = (accept: (answer: string) => boolean) =>
    pairs.flatMap(([, answer], item) => (accept(answer) ? [item] : []));
  for (const group of candidates.collisions) {
    const merged = settings.collisions === 'merge';
    findings.push({
      severity: merged ? 'warning' : 'error',
      code: 'OptionsShareFirstToken',
      message: `${set}: the options ${named(group)} begin with the same token${merged ? ' and count as one.' : ', so a rank cannot tell them apart. Change all but one of them, or let the experiment count them as one option.'}`,
      set,
      items: itemsWithAnswer((answer) => group.includes(answer)),
    });
  }
  const twice = [...new Set(options.filter((option, index) => options.indexOf(option) !== index))];
  if (twice.length > 0) {
    const message = `${set}: the options ${named(twice)} are listed more than once and count once.`;
    findings.push({ severity: 'note', code: 'RepeatedOption', message, set, items: [] });
  }
  const known = new Set(options);
  const missing: number[] = [];
  const readAsAnother: number[] = [];
  pairs.forEach(([, answer], item) => {
    if (known.has(answer) || answer.trim() === '') return;
    (candidates.tokens.includes(firstToken(settings.tokenizer, answer)) ? readAsAnother : missing).push(item);
  });
  const answers = (items: readonly number[]) => named([...new Set(items.map((item) => pairs[item]![1]))]);
  if (missing.length > 0) {
    findings.push({
      severity: 'error',
      code: 'AnswerNotAnOption',
      message: `${set}: the answers ${answers(missing)} of ${counted(missing.length, 'item')} are not among the options; add them.`,
      set,
      items: missing,
    });
  }
  if (readAsAnother.length > 0) {
    findings.push({
      severity: 'warning',
      code: 'AnswerReadAsOption',
      message: `${set}: the answers ${answers(readAsAnother)} are no options but begin with the same token as one, which is ranked in their place.`,
      set,
      items: readAsAnother,
    });
  }
  return findings;
}

/** Prompts that occur twice in one list: with the same answer they count twice, with another one they contradict each other. */
function repeated({ set, pairs }: PreflightList): Finding[] {
  const byPrompt = groupedBy([...pairs.keys()], (item) => pairs[item]![0]);
  const groups = [...byPrompt.values()].filter(({ length }) => length > 1);
  const contradicting = groups.filter((items) => new Set(items.map((item) => pairs[item]![1])).size > 1);
  const plain = groups.filter((items) => !contradicting.includes(items));
  const finding = (code: string, what: string, items: number[][]): Finding[] =>
    items.length === 0
      ? []
      : [
          {
            severity: 'warning',
            code,
            message: `${set}: ${named(items.map(([first]) => pairs[first!]![0]))} ${what}.`,
            set,
            items: items.flat(),
          },
        ];
  return [
    ...finding('RepeatedPrompt', 'occurs more than once with the same answer and is trained and counted as often', plain),
    ...finding('Contradiction', 'occurs with different answers, which cannot all be learned', contradicting),
  ];
}

/** Prompts that two lists share, unless one list is another assignment of the other's prompts. */
function sharedPrompts(lists: readonly PreflightList[]): Finding[] {
  return lists.flatMap(({ set, pairs }, index) =>
    lists.slice(0, index).flatMap((earlier): Finding[] => {
      const answers = new Map(earlier.pairs);
      const items = pairs.flatMap(([prompt], item) => (answers.has(prompt) ? [item] : []));
      const otherwiseAnswered = items.filter((item) => answers.get(pairs[item]![0]) !== pairs[item]![1]);
      if (items.length === 0 || otherwiseAnswered.length === pairs.length) return [];
      return [
        {
          severity: 'warning',
          code: 'SharedPrompt',
          message: `${set}: ${counted(items.length, 'prompt')} also stand in ${earlier.set}, such as ${JSON.stringify(pairs[items[0]!]![0])}; what is trained there says nothing about generalization here.`,
          set,
          items,
        },
      ];
    }),
  );
}

/** How vocabularies write the token of what they do not have. */
const unknownTokens = new Set(['<unk>', '[UNK]', '<UNK>', '<|unk|>']);

function unknownWords({ set, pairs, options }: PreflightList, read: readonly ReadItem[], tokenizer: Tokenizer): Finding[] {
  const isUnknown = (ids: readonly number[]) => tokenizer.tokens(ids).some((token) => unknownTokens.has(token));
  const items = read.flatMap(({ item, example }) => (isUnknown(example.ids) ? [item] : []));
  const lost = options.filter((option) => isUnknown(tokenizer.encode(` ${option}`, { special: false })));
  if (items.length + lost.length === 0) return [];
  const what = [
    ...(items.length > 0 ? [`${counted(items.length, 'item')} (${named(items.map((item) => pairs[item]!.join(' ')))})`] : []),
    ...(lost.length > 0 ? [`the options ${named(lost)}`] : []),
  ];
  return [
    {
      severity: 'warning',
      code: 'UnknownWords',
      message: `${set}: the tokenizer has no tokens for words of ${what.join(' and ')}; all such words look the same to the model.`,
      set,
      items,
    },
  ];
}

function lengthFindings({ set, pairs, options }: PreflightList, read: readonly ReadItem[], tokenizer: Tokenizer): Finding[] {
  if (read.length === 0) return [];
  const prompts = read.map(({ example }) => example.questionEnd + 1 - tokenizer.prefixSpecialTokens);
  const continuations = read.map(({ example }) => example.lastLabel - example.firstLabel + 1);
  const optionLengths = options.map((option) => tokenizer.encode(` ${option}`, { special: false }).length);
  const range = (counts: readonly number[]) => {
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    return least === most ? counted(least, 'token') : `${least} to ${most} tokens`;
  };
  const message = `${set}: prompts have ${range(prompts)}, continuations ${range(continuations)}, options ${range(optionLengths)}; ranks look at the first token of each option.`;
  const findings: Finding[] = [{ severity: 'note', code: 'TokenCounts', message, set, items: [] }];
  const unusual = (what: string, places: readonly number[], texts: readonly string[], items: readonly number[]) => {
    if (places.length === 0) return;
    const message = `${set}: ${what} of unusual length: ${named(places.map((place) => texts[place]!))}.`;
    findings.push({ severity: 'note', code: 'UnusualLength', message, set, items: [...items] });
  };
  const long = outliers(continuations);
  const longItems = long.map((place) => read[place]!.item);
  unusual(
    'continuations',
    long,
    read.map(({ item }) => pairs[item]![1]),
    longItems,
  );
  unusual('options', outliers(optionLengths), options, []);
  return findings;
}

/** Places of values beyond 1.5 interquartile ranges from the quartiles (Tukey, Exploratory Data Analysis, 1977). */
function outliers(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const quartile = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const [low, high] = [quartile(0.25), quartile(0.75)];
  const reach = 1.5 * (high - low);
  return values.flatMap((value, place) => (value < low - reach || value > high + reach ? [place] : []));
}
