/** Greedy continuations of golden models against transformers' generate(), as one program and block by block. */
import { describe, expect, test } from 'vitest';
import { openModel } from '../../src-main/engine/models/model.ts';
import { greedyContinuations } from '../../src-main/scores/continuations.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { fixturePath, openFixtureModel, readFixture } from './fixture.ts';

interface Golden {
  max_new_tokens: number;
  lists: Record<'train' | 'test', { pair: Pair; text: string; margin: number }[]>;
}

describe.each(['llama', 'gpt-neox'])('%s', (name) => {
  test.each(['whole', 'blocks'] as const)('%s', async (mode) => {
    const golden = readFixture<Golden>('continuations', `${name}.json`);
    const { weights, executor: executorIn } = openFixtureModel(name);
    const { tokenizer, checkpoint } = await openModel(fixturePath('models', name));
    checkpoint.close();
    const executor = executorIn(mode);
    for (const rows of Object.values(golden.lists)) {
      const pairs = rows.map(({ pair }) => pair);
      // Two runtimes choose the same tokens only where no choice is close
      for (const { margin } of rows) expect(margin).toBeGreaterThan(1e-4);
      const set = encodeSet(tokenizer, 'items', pairs, [...new Set(pairs.map(([, answer]) => answer))], 'merge');
      const texts = await greedyContinuations({ executor, weights, tokenizer, set, tokens: golden.max_new_tokens });
      expect(texts).toEqual(rows.map(({ text }) => text));
    }
    executor.release();
  });
});
