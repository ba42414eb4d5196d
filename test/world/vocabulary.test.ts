/**
 * The tokenizer.json of the small world, read by the tokenizer library of the product, gives the ids of the vocabulary.
 * That the Python library reads it alike was checked by hand; see the notes.
 */
import { Tokenizer } from '@huggingface/tokenizers';
import { expect, test } from 'vitest';
import { Random } from '../../src-main/shared/random.ts';
import { configJson, DEFAULT_RECIPE, learningRateFactor, withChanges } from '../../src-main/world/recipe.ts';
import { SentenceSampler } from '../../src-main/world/sentences.ts';
import { tokenizerConfigJson, tokenizerJson, Vocabulary } from '../../src-main/world/vocabulary.ts';
import { createWorld } from '../../src-main/world/world.ts';

const vocabulary = new Vocabulary();

test('tokenizer.json encodes and decodes as the vocabulary does', () => {
  const tokenizer = new Tokenizer(JSON.parse(JSON.stringify(tokenizerJson(vocabulary))), tokenizerConfigJson());
  const sampler = new SentenceSampler(createWorld(1), vocabulary, DEFAULT_RECIPE.mixture);
  for (const ids of sampler.sampleBatch(new Random(1), 200)) {
    const text = vocabulary.decode(ids);
    expect(tokenizer.encode(text).ids).toEqual(ids);
    expect(tokenizer.decode(ids, { skip_special_tokens: true })).toBe(text);
  }
  expect(tokenizer.encode('Ardenvale lies on the Seine').ids.at(-1)).toBe(vocabulary.id('<unk>'));
});

test('the recipe describes a model that fits the vocabulary', () => {
  const config = configJson(DEFAULT_RECIPE, vocabulary);
  expect(config.vocab_size).toBe(vocabulary.size);
  expect(config.head_dim * config.num_attention_heads).toBe(config.hidden_size);
  expect(() => withChanges(DEFAULT_RECIPE, { steps: 0 })).toThrow('cannot be trained');
  expect(() => withChanges(DEFAULT_RECIPE, { steps: 100 })).toThrow('checkpoint');
  expect(DEFAULT_RECIPE.checkpoints.at(-1)).toBe(DEFAULT_RECIPE.steps);
});

test('the learning rate warms up, peaks at 1 and ends near its floor', () => {
  const { schedule } = DEFAULT_RECIPE;
  const factors = Array.from({ length: schedule.length }, (_, step) => learningRateFactor(DEFAULT_RECIPE, step));
  expect(Math.max(...factors)).toBe(1);
  expect(factors[0]).toBeCloseTo(1 / schedule.warmup, 12);
  expect(factors.at(-1)).toBeCloseTo(schedule.floor, 4);
});
