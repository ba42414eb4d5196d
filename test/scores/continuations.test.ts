/** Greedy continuations with logits that are given: where a text ends, which token is taken, and what passes there are. */
import { expect, test } from 'vitest';
import type { Executor, TokenBatch } from '../../src-main/engine/execution/executor.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import { floatTensor } from '../../src-main/engine/tensor.ts';
import { greedyContinuations } from '../../src-main/scores/continuations.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { fixturePath } from '../parity/fixture.ts';

const { tokenizer, checkpoint, configuration } = await openModel(fixturePath('models', 'llama'));
checkpoint.close();
const { vocabulary } = configuration;

const pairs: Pair[] = [
  ['Ada Quill lives in', 'Lisbon'],
  ['The people in the city Ada Quill is from speak', 'Lisbon'],
];
const setOf = (of: Pair[]) => encodeSet(tokenizer, 'items', of, [...new Set(of.map(([, answer]) => answer))], 'merge');
const idsOf = (text: string) => tokenizer.encode(text, { special: false });

/** Answers with the tokens that `next` says, after the prompt number `item` of the pass and `written` tokens. */
function scripted(next: (item: number, written: number) => number, context = configuration.context, equal?: number) {
  const passes: { batch: TokenBatch; rows: readonly number[] }[] = [];
  const first: number[] = [];
  const executor = {
    outline: { configuration: { ...configuration, context } },
    async logits(_: unknown, batch: TokenBatch, rows: readonly number[]) {
      passes.push({ batch: { ...batch, tokens: batch.tokens.slice() }, rows });
      const logits = floatTensor([rows.length, vocabulary], new Float32Array(rows.length * vocabulary));
      for (const [item, row] of rows.entries()) {
        first[item] ??= row;
        const token = next(item, row - first[item]!);
        logits.data[item * vocabulary + token] = token === -1 ? 0 : 1;
        if (equal !== undefined) logits.data[item * vocabulary + equal] = 1;
        if (token === -1) logits.data.fill(Number.NaN, item * vocabulary, (item + 1) * vocabulary);
      }
      return logits;
    },
  };
  return { executor: executor as unknown as Executor, passes };
}

const write = (script: ReturnType<typeof scripted>, tokens: number, of = pairs, others = {}) =>
  greedyContinuations({ executor: script.executor, weights: new Map(), tokenizer, set: setOf(of), tokens, ...others });

test('texts follow the prompt, one token at a time, in the list’s order', async () => {
  const words = idsOf(' the city');
  const script = scripted((item, written) => (item === 0 ? words : idsOf(' people in'))[written % 2]!);
  const reversed = pairs.toReversed();
  const texts = await write(script, 2, reversed);
  // Short prompts run first
  expect(texts).toEqual([tokenizer.decode(idsOf('x people in')).slice(1), ' the city']);
  expect(script.passes).toHaveLength(2);
  const { batch, rows } = script.passes[1]!;
  expect(batch.tokens[rows[0]!]).toBe(words[0]);
  expect(batch.positions).toBe(script.passes[0]!.batch.positions);
  expect(batch.positions % 8).toBe(0);
});

test('a text ends before a line break and before a special token, the others go on', async () => {
  const newline = idsOf('a\nb').find((id) => tokenizer.decode([id]) === '\n')!;
  const end = tokenizer.encode('')[0]!;
  const word = idsOf(' city')[0]!;
  const script = scripted((item, written) => (written < 1 ? word : item === 0 ? newline : written < 3 ? word : end));
  const [first, second] = await write(script, 8);
  expect(first).toBe(tokenizer.decode([word]));
  expect(second).toBe(tokenizer.decode([word]).repeat(3));
  expect(script.passes).toHaveLength(4);
});

test('a text ends where the context is full', async () => {
  const word = idsOf(' city')[0]!;
  const longest = setOf(pairs).examples[1]!.questionEnd + 1;
  const script = scripted(() => word, longest + 2);
  const texts = await write(script, 8);
  expect(script.passes[0]!.batch.positions).toBe(longest + 2);
  // The last token is read from a full context
  expect(texts[1]).toBe(tokenizer.decode([word]).repeat(3));
  expect(texts[0]).toBe(tokenizer.decode([word]).repeat(8));
});

test('of equal logits the smaller token; none that is no number', async () => {
  const [a, b] = [idsOf(' city')[0]!, idsOf(' people')[0]!];
  const script = scripted(() => Math.max(a, b), configuration.context, Math.min(a, b));
  const text = tokenizer.decode([Math.min(a, b)]);
  expect(await write(script, 1)).toEqual([text, text]);
  await expect(
    write(
      scripted(() => -1),
      1,
    ),
  ).rejects.toMatchObject({ code: 'LogitNotFinite' });
});

test('progress reaches its end also where texts are short, and a pause or stop comes between passes', async () => {
  const end = tokenizer.encode('')[0]!;
  const told: number[] = [];
  await write(
    scripted(() => end),
    8,
    pairs,
    { progress: (done: number) => told.push(done) },
  );
  expect(told.at(-1)).toBe(1);
  const script = scripted(() => end);
  const stop = async () => {
    throw new Error('stopped');
  };
  await expect(write(script, 8, pairs, { beforePass: stop })).rejects.toThrow('stopped');
  expect(script.passes).toHaveLength(0);
});
