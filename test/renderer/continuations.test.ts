/** What the model said after an item's prompt: which option a text begins with, and in which order texts are shown. */
import { expect, test } from 'vitest';
import type { ContinuationRow, ItemSet } from '../../src-main/shared/records.ts';
import { sayingsOf } from '../../src-renderer/measures/continuations.ts';

const set: ItemSet = {
  set: 'facts',
  pairs: [
    ['Ada lives in', 'New Rome'],
    ['Bram lives in', 'Oslo'],
  ],
  options: ['Rome', 'New Rome', 'New', 'Oslo'],
  candidates: [1, 2, 3, 4],
  labels: [],
  answers: [1, 3],
};
const row = (seed: number, before: string, after: string, stage = 'finetune'): ContinuationRow => ({
  seed,
  stage,
  set: 'facts',
  rows: [{ item: 0, before, after }],
});

test('before training once, then after each training', () => {
  const rows = [row(0, ' the', ' New Rome.'), row(2, ' the', ' Oslo'), row(0, ' the', ' x', 'later')];
  expect(sayingsOf(rows, set, 0).map(({ training, verdict }) => [training, verdict])).toEqual([
    [null, 'none'],
    [{ stage: 'finetune', seed: 0 }, 'right'],
    [{ stage: 'finetune', seed: 2 }, 'wrong'],
    [{ stage: 'later', seed: 0 }, 'none'],
  ]);
});

test.each<[string, string, string, string]>([
  [' New Rome. It', ' New Rome', '. It', 'right'],
  ['New Rome', 'New Rome', '', 'right'],
  [' New York', ' New', ' York', 'wrong'],
  [' Newton', '', ' Newton', 'none'],
  [' Rome', ' Rome', '', 'wrong'],
  ['', '', '', 'none'],
])('%j', (text, option, rest, verdict) => {
  expect(sayingsOf([row(0, '', text)], set, 0)[1]).toMatchObject({ option, rest, verdict });
});

test('nothing of another list or item', () => {
  expect(sayingsOf([row(0, 'a', 'b')], set, 1)).toEqual([]);
  expect(sayingsOf([{ ...row(0, 'a', 'b'), set: 'implications' }], set, 0)).toEqual([]);
  expect(sayingsOf([], set, 0)).toEqual([]);
});
