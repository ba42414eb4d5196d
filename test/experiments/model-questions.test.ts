/** Questions to a model: what its tokenizer makes of a text, and what it expects next, against the engine's own logits. */
import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelQuestions } from '../../src-main/experiments/model-questions.ts';
import { temporaryFolder } from '../database/support.ts';

const project = join(import.meta.dirname, '..', '..');
const smallWorld = join(project, 'resources', 'small-world');
const fixture = (name: string) => join(project, 'test', 'fixtures', 'models', name);
const questions = modelQuestions((path) => (path === 'small-world' ? smallWorld : path));

describe('tokenize', () => {
  test('names tokens, ids, ranges, special ones and the text again', async () => {
    const text = 'Nobody Miller lives in Ardenvale';
    const { kind, vocabulary, texts } = await questions.tokenize('small-world', [text, '']);
    expect([kind, vocabulary]).toEqual(['word-level', 371]);
    expect(texts[0]).toMatchObject({
      text,
      tokens: ['<s>', '<unk>', 'Miller', 'lives', 'in', 'Ardenvale'],
      special: [true, true, false, false, false, false],
      offsets: [
        [0, 0],
        [0, 6],
        [7, 13],
        [14, 19],
        [20, 22],
        [23, 32],
      ],
      decoded: 'Miller lives in Ardenvale',
    });
    expect(texts[1]?.tokens).toEqual(['<s>']);
  });

  test.each(['gpt2', 'llama', 'gemma2'])('%s decodes to the text it was given, spaces and all', async (name) => {
    const text = ' The café  sells ☕ and\n𝄞.';
    const [read] = (await questions.tokenize(fixture(name), [text])).texts;
    expect(read?.decoded.trim()).toBe(text.trim());
    for (const list of [read?.tokens, read?.special, read?.offsets]) expect(list).toHaveLength(read!.ids.length);
    const length = [...text].length;
    expect(Math.max(...(read?.offsets ?? []).map(([, end]) => end))).toBe(length);
  });

  test('says what is wrong by name', async () => {
    await expect(questions.tokenize('/nowhere', ['a'])).rejects.toMatchObject({ code: 'ModelNotFound' });
    await expect(questions.tokenize('small-world', 'a' as never)).rejects.toMatchObject({ code: 'BadArgument' });
  });
});

test('a hash is that of the files, wherever they are', async () => {
  const copy = join(temporaryFolder(), 'copy');
  cpSync(fixture('gpt2'), copy, { recursive: true });
  const hash = await questions.modelHash(fixture('gpt2'));
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(await questions.modelHash(copy)).toBe(hash);
  appendFileSync(join(copy, 'config.json'), '\n');
  expect(await questions.modelHash(copy)).not.toBe(hash);
  await expect(questions.modelHash('/nowhere')).rejects.toMatchObject({ code: 'ModelNotFound' });
});

describe('nextTokens', () => {
  test('the small world knows what is spoken in a city', async () => {
    const options = ['Velish', 'Tormic', 'Sarnese', 'Ondrian', 'Kelvish', 'Brathic', 'Tormic', 'Nowhere'];
    const {
      top,
      options: asked,
      promptTokens,
      residency,
    } = await questions.nextTokens('small-world', 'The people in Ardenvale speak', { top: 200, options });
    expect([promptTokens, residency, top.length]).toEqual([6, 'memory', 200]);
    expect(top.map(({ rank }) => rank)).toEqual(top.map((_, place) => place));
    expect(top.every(({ logit }, place) => place === 0 || logit <= top[place - 1]!.logit)).toBe(true);
    const total = top.reduce((sum, { probability }) => sum + probability, 0);
    expect(total).toBeGreaterThan(0.9);
    expect(total).toBeLessThan(1 + 1e-9);
    // Softmax: ratios of probabilities are those of exponentials
    expect(top[0]!.probability / top[1]!.probability).toBeCloseTo(Math.exp(top[0]!.logit - top[1]!.logit), 6);
    expect(top[0]!.text).toBe(` ${top[0]!.token}`);
    // Ranks among these follow the logits; the same option twice counts once, an unknown word is the unknown token
    const distinct = [...new Map(asked.map((option) => [option.id, option])).values()].sort((a, b) => b.logit - a.logit);
    expect(distinct).toHaveLength(7);
    for (const [place, { id }] of distinct.entries())
      for (const option of asked.filter((each) => each.id === id)) expect(option.rankAmong).toBe(place);
    expect(asked.at(-1)?.token).toBe('<unk>');
    for (const option of asked) {
      const listed = top.find(({ id }) => id === option.id);
      if (listed !== undefined) expect([option.rank, option.logit]).toEqual([listed.rank, listed.logit]);
    }
  });

  test('refuses what cannot be asked', async () => {
    const ask = (prompt: string, options: string[] = []) => questions.nextTokens('small-world', prompt, { top: 5, options });
    await expect(questions.nextTokens('small-world', 'The', { top: 201, options: [] })).rejects.toMatchObject({
      code: 'BadArgument',
    });
    await expect(ask('  ')).rejects.toMatchObject({ code: 'PromptEmpty' });
    await expect(ask('in '.repeat(500))).rejects.toMatchObject({ code: 'PromptTooLong' });
    await expect(ask('The', [' '])).rejects.toMatchObject({ code: 'BadOption' });
    await expect(questions.nextTokens('/nowhere', 'a', { top: 5, options: [] })).rejects.toMatchObject({ code: 'ModelNotFound' });
    const abort = new AbortController();
    abort.abort();
    await expect(questions.nextTokens('small-world', 'The', { top: 5, options: [] }, abort.signal)).rejects.toMatchObject({
      code: 'Interrupted',
    });
    // One refused question does not hold up the next
    expect((await ask('The')).top).toHaveLength(5);
  });

  test.each([
    ['mistral', '▁'],
    ['gpt2', 'Ġ'],
  ])('%s: a token with a space in front has it in its text', async (name, mark) => {
    const { top } = await questions.nextTokens(fixture(name), 'The cat', { top: 200, options: [] });
    const spaced = top.filter(({ token }) => token.startsWith(mark) && /^[a-z]+$/i.test(token.slice(1)));
    expect(spaced.length).toBeGreaterThan(3);
    for (const { token, text } of spaced) expect(text).toBe(` ${token.slice(1)}`);
  });
});
