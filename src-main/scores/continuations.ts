/**
 * What a model goes on to say after each prompt of a list: greedy continuations, the most probable token each time, up to a number of tokens.
 * It compares them with no answer; ranks are evaluation.ts's.
 */
import type { Executor, TokenBatch } from '../engine/execution/executor.ts';
import type { Tokenizer } from '../engine/files/tokenizer.ts';
import type { Weights } from '../engine/weights.ts';
import { type EncodedSet, itemsPerPass } from './evaluation.ts';
import { requireFinite } from './rank.ts';

export interface ContinuationRequest {
  executor: Executor;
  weights: Weights;
  tokenizer: Tokenizer;
  set: EncodedSet;
  /** Tokens at the most. */
  tokens: number;
  /** Awaited before every pass; what it throws ends the generation. */
  beforePass?(): Promise<void>;
  /** Called after every pass with the share that is done, 0 to 1. */
  progress?(done: number): void;
}

/** Widths are rounded up to a multiple, so that lists of about the same length share a program. */
const widthStep = 8;

/**
 * The text after every prompt, in the list's order, as it follows the prompt (most begin with a space). A text ends before a special token (the
 * end of text among them) and before a line break, or where the model's context is full. Each token takes a whole pass over its batch, whose
 * width is fixed from the start so that one program serves all of them. Of equally probable tokens the one of the smaller id is taken.
 * Errors: `LogitNotFinite`, and those of the engine.
 */
export async function greedyContinuations(request: ContinuationRequest): Promise<string[]> {
  const { set, tokens, executor, progress } = request;
  const prompts = set.examples.map(({ ids, questionEnd }) => ids.slice(0, questionEnd + 1));
  const order = prompts.map((_, index) => index).sort((a, b) => prompts[a]!.length - prompts[b]!.length || a - b);
  const texts = new Array<string>(prompts.length).fill('');
  for (let start = 0; start < order.length; start += itemsPerPass) {
    const members = order.slice(start, start + itemsPerPass);
    const writings = members.map((index) => new Writing(request.tokenizer, prompts[index]!));
    const longest = prompts[members.at(-1)!]!.length + tokens - 1;
    const positions = Math.min(Math.ceil(longest / widthStep) * widthStep, executor.outline.configuration.context);
    for (let token = 0; token < tokens && writings.some(({ open }) => open); token++) {
      await request.beforePass?.();
      await writeOne(request, writings, positions);
      progress?.((start + (members.length * (token + 1)) / tokens) / order.length);
    }
    progress?.((start + members.length) / order.length);
    for (const [item, index] of members.entries()) texts[index] = writings[item]!.text;
  }
  return texts;
}

/** Adds one token to every text that is open. */
async function writeOne(
  { executor, weights }: ContinuationRequest,
  writings: readonly Writing[],
  positions: number,
): Promise<void> {
  const batch: TokenBatch = { tokens: new Int32Array(writings.length * positions), batch: writings.length, positions };
  for (const [item, { ids }] of writings.entries()) batch.tokens.set(ids, item * positions);
  const rows = writings.map(({ ids }, item) => item * positions + ids.length - 1);
  const { data, shape } = await executor.logits(weights, batch, rows);
  const vocabulary = shape[1]!;
  for (const [item, writing] of writings.entries()) {
    if (writing.open) writing.add(mostProbable(data.subarray(item * vocabulary, (item + 1) * vocabulary)), positions);
  }
}

function mostProbable(logits: Float32Array): number {
  let best = 0;
  for (const [token, logit] of logits.entries()) {
    requireFinite(logit, token);
    if (logit > logits[best]!) best = token;
  }
  return best;
}

/** A prompt and what was written after it so far. */
class Writing {
  /** What the model reads: the prompt and the continuation so far. */
  readonly ids: number[];
  open = true;
  text = '';
  readonly #tokenizer: Tokenizer;
  readonly #prompt: readonly number[];
  /** The prompt as the decoder gives it back. */
  readonly #before: string;
  readonly #written: number[] = [];

  constructor(tokenizer: Tokenizer, prompt: readonly number[]) {
    this.ids = [...prompt];
    this.#tokenizer = tokenizer;
    this.#prompt = prompt;
    this.#before = tokenizer.decode(prompt);
  }

  /** `most`: tokens that the model can read. */
  add(token: number, most: number): void {
    if (this.#tokenizer.has(token)) this.#written.push(token);
    const whole = this.#textOfWritten();
    const end = this.#tokenizer.isSpecial(token) ? whole.length : whole.indexOf('\n');
    this.text = end < 0 ? whole : whole.slice(0, end);
    this.open = end < 0 && this.ids.length < most;
    if (this.open) this.ids.push(token);
  }

  #textOfWritten(): string {
    // Decoders leave out a space at the start of a text, so that it is read together with the prompt
    const whole = this.#tokenizer.decode([...this.#prompt, ...this.#written]);
    return whole.startsWith(this.#before) ? whole.slice(this.#before.length) : this.#tokenizer.decode(this.#written);
  }
}
