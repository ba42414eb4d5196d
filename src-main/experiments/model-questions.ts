/**
 * Answers questions to one model: the hash of its files, how its tokenizer reads texts, and what it expects after a prompt.
 * It opens the folder for each answer and keeps nothing but the last tokenizers; no experiment is run here.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Executor } from '../engine/execution/executor.ts';
import { loadWeights } from '../engine/execution/load-weights.ts';
import { modeOf, planMemory } from '../engine/execution/memory-plan.ts';
import { openCheckpoint } from '../engine/files/checkpoint.ts';
import type { KeptWeights } from '../engine/files/kept-weights.ts';
import { Tokenizer } from '../engine/files/tokenizer.ts';
import { type Model, openModel } from '../engine/models/model.ts';
import { defaultThreads } from '../engine/runtime/device.ts';
import { padTokens } from '../engine/training/batch.ts';
import { candidatesOf, firstToken, rankOf, requireFinite } from '../scores/rank.ts';
import type {
  ModelQuestions,
  NextToken,
  NextTokenQuery,
  NextTokens,
  Tokenization,
  TokenizedText,
} from '../shared/contract-models.ts';
import { HopscopeError } from '../shared/errors.ts';
import { RecentMap } from '../shared/recent-map.ts';
import { openKept } from './kept-trainings.ts';

const mostTexts = 1000;
const longestText = 100_000;
const mostTop = 200;
const mostOptions = 200;
/** Tokenizers of large vocabularies take a second to open and some tens of megabytes. */
const keptTokenizers = 4;

/** `folderOf`: the folder that a spec's name for a model stands for. `threads`: of the CPU. */
export function modelQuestions(folderOf: (path: string) => string, threads = defaultThreads()): ModelQuestions {
  const tokenizers = new RecentMap<string, { stamp: number; tokenizer: Tokenizer }>(keptTokenizers);
  let turn: Promise<unknown> = Promise.resolve();

  function tokenizerOf(path: string): Tokenizer {
    const folder = folderOf(path);
    const stamp = statSync(join(folder, 'tokenizer.json'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const open = () => ({ stamp, tokenizer: Tokenizer.open(folder) });
    return tokenizers.get(folder, open, (known) => known.stamp === stamp).tokenizer;
  }

  return {
    async modelHash(path) {
      const checkpoint = openCheckpoint(folderOf(path));
      try {
        return checkpoint.hash();
      } finally {
        checkpoint.close();
      }
    },

    async tokenize(path, texts) {
      requireTexts(texts, 'texts', mostTexts);
      return tokenization(tokenizerOf(path), texts);
    },

    nextTokens(path, prompt, query, signal) {
      // One at a time: two models at once could be more than memory holds
      const answer = turn.then(() => answerNextTokens(folderOf(path), prompt, { ...query, threads }, signal));
      turn = answer.catch(() => {});
      return answer;
    },
  };
}

function tokenization(tokenizer: Tokenizer, texts: readonly string[]): Tokenization {
  return { kind: tokenizer.kind, vocabulary: tokenizer.vocabularySize, texts: texts.map((text) => tokenized(tokenizer, text)) };
}

function tokenized(tokenizer: Tokenizer, text: string): TokenizedText {
  const ids = tokenizer.encode(text);
  return {
    text,
    ids,
    tokens: tokenizer.tokens(ids),
    offsets: offsetsOf(tokenizer, text),
    special: ids.map((id) => tokenizer.isSpecial(id)),
    decoded: tokenizer.decode(ids),
  };
}

function offsetsOf(tokenizer: Tokenizer, text: string): TokenizedText['offsets'] {
  try {
    return tokenizer.encodeWithOffsets(text).offsets;
  } catch (error) {
    if (error instanceof HopscopeError && error.code === 'OffsetsUnknown') return null;
    throw error;
  }
}

async function answerNextTokens(
  folder: string,
  prompt: string,
  { top, options, kept, threads }: Parameters<ModelQuestions['nextTokens']>[2] & { threads: number },
  signal: AbortSignal | undefined,
): Promise<NextTokens> {
  requireTexts([prompt], 'prompt', 1);
  requireTexts(options, 'options', mostOptions);
  if (!Number.isInteger(top) || top < 1 || top > mostTop)
    throw new HopscopeError('BadArgument', `top is a whole number from 1 to ${mostTop}.`);
  const stopped = () => {
    if (signal?.aborted) throw new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted');
  };
  stopped();
  const started = performance.now();
  const model = await openModel(folder);
  let executor: Executor | null = null;
  let opened: KeptWeights | null = null;
  try {
    const ids = promptIds(model, prompt);
    const plan = planMemory(model, { kind: 'forward', batch: 1, positions: ids.length, rows: 1 });
    stopped();
    const settings = { device: 'cpu', threads } as const;
    executor = new Executor(model, { ...settings, ...modeOf(plan) });
    const own = loadWeights(model, plan.weightBytes, plan.keptInFiles);
    opened = kept ? openKept(kept, model) : null;
    const weights = opened ? new Map([...own, ...opened.trainedFrom(own)]) : own;
    // Loading hears of nothing: let an abort that came meanwhile arrive
    await new Promise((resolve) => setImmediate(resolve));
    stopped();
    const { data } = await executor.logits(weights, padTokens([ids]), [ids.length - 1]);
    stopped();
    return {
      promptTokens: ids.length,
      ...nextTokensOf(model.tokenizer, data, { last: ids.at(-1)!, top, options }),
      residency: plan.residency,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    executor?.release();
    opened?.close();
    model.checkpoint.close();
  }
}

function promptIds({ tokenizer, configuration }: Model, prompt: string): number[] {
  if (prompt.trim() === '')
    throw new HopscopeError('PromptEmpty', 'The prompt holds no text; write what the model is to continue.');
  const ids = tokenizer.encode(prompt);
  // What is put after every text ends it; the prompt is to go on
  const open = ids.slice(0, ids.length - tokenizer.suffixSpecialTokens);
  if (open.length > configuration.context) {
    throw new HopscopeError(
      'PromptTooLong',
      `The prompt is ${open.length} tokens, and the model reads ${configuration.context} at the most; shorten it.`,
    );
  }
  return open;
}

/** `logits` [vocabulary] after a prompt whose last token is `last`. Errors: `LogitNotFinite`, `BadOption`. */
function nextTokensOf(
  tokenizer: Tokenizer,
  logits: Float32Array,
  { last, top, options }: NextTokenQuery & { last: number },
): Pick<NextTokens, 'top' | 'options'> {
  logits.forEach(requireFinite);
  const sorted = logits.toSorted();
  const highest = sorted.at(-1)!;
  // Softmax, shifted so that nothing overflows
  const total = logits.reduce((sum, value) => sum + Math.exp(value - highest), 0);
  const describe = (id: number): NextToken => ({
    id,
    ...textOf(tokenizer, last, id),
    logit: logits[id]!,
    probability: Math.exp(logits[id]! - highest) / total,
    rank: logits.reduce((count, value, other) => count + Number(isAbove(value, other, logits[id]!, id)), 0),
  });
  const least = sorted[Math.max(0, sorted.length - top)]!;
  const best: number[] = [];
  for (const [id, value] of logits.entries()) if (value >= least) best.push(id);
  best.sort((a, b) => logits[b]! - logits[a]! || a - b);
  const candidates = candidatesOf(tokenizer, options).tokens;
  const ofCandidates = candidates.map((id) => logits[id]!);
  return {
    top: best.slice(0, top).map(describe),
    options: options.map((option) => {
      const id = firstToken(tokenizer, option);
      return { option, ...describe(id), rankAmong: rankOf(id, candidates, ofCandidates) };
    }),
  };
}

/** Among equal logits the smaller token id comes first, as in `rankOf`. */
const isAbove = (value: number, other: number, own: number, id: number) => value > own || (value === own && other < id);

/** A token's text where it follows `last`: decoders leave out a space at the start of a text. Rows of the matrix that no token has are named by number. */
function textOf(tokenizer: Tokenizer, last: number, id: number): { token: string; text: string } {
  try {
    const [token = ''] = tokenizer.tokens([id]);
    const before = tokenizer.decode([last], { skipSpecial: false });
    const both = tokenizer.decode([last, id], { skipSpecial: false });
    const alone = tokenizer.decode([id], { skipSpecial: false });
    return { token, text: both.startsWith(before) ? both.slice(before.length) : alone };
  } catch (error) {
    if (error instanceof HopscopeError && error.code === 'UnknownToken') return { token: `[${id}]`, text: '' };
    throw error;
  }
}

/** The host is trusted, what it passes on is not. */
function requireTexts(texts: unknown, name: string, most: number): void {
  const isGood =
    Array.isArray(texts) && texts.length <= most && texts.every((text) => typeof text === 'string' && text.length <= longestText);
  if (!isGood) {
    throw new HopscopeError('BadArgument', `${name}: at most ${most} texts of at most ${longestText} characters are expected.`);
  }
}
