/** Masking, candidates, logits, ranks and losses of every golden data set against the published rule as transformers computes it. */
import { describe, expect, test } from 'vitest';
import { openModel } from '../../src-main/engine/models/model.ts';
import { encodePair } from '../../src-main/engine/training/batch.ts';
import { encodeSet, measure } from '../../src-main/scores/evaluation.ts';
import { candidatesOf, firstToken, logitLoss, rankOf } from '../../src-main/scores/rank.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { covers } from '../scripts/family-table.ts';
import { expectClose, fixturePath, openFixtureModel, readFixture } from './fixture.ts';

interface RankFixture {
  prefix_special_tokens: number;
  masking: { prompt: string; continuation: string; input_ids: number[]; labels: number[]; question_end: number }[];
  datasets: Record<
    string,
    {
      pairs: Pair[];
      options: string[];
      options_first_tokens: number[];
      candidates: number[];
      question_end: number[];
      candidate_logits: number[][];
      ranks: number[];
      mean_rank: number;
      mean_logit_loss: number[];
      mean_cross_entropy: number;
    }
  >;
}

interface Rule {
  name: string;
  answer_token: number;
  candidates: number[];
  logits: [number, number][] | Record<string, number>;
  rank: number | null;
  mean_logit_loss?: number | null;
}

const models = [
  'llama',
  'llama-rope-tied',
  'qwen2',
  'olmo',
  'olmo-clip',
  'olmo2',
  'gemma2',
  'gpt2',
  'gpt-neox',
  'gpt-neox-sequential',
];

describe.each(models)('%s', covers('ranks'), (id) => {
  const fixture = readFixture<RankFixture>('rank', `${id}.json`);
  const { weights, executor } = openFixtureModel(id);

  test('masking', async () => {
    const { tokenizer, checkpoint } = await openModel(fixturePath('models', id));
    expect(tokenizer.prefixSpecialTokens).toBe(fixture.prefix_special_tokens);
    for (const { prompt, continuation, input_ids: ids, labels, question_end: questionEnd } of fixture.masking) {
      const example = encodePair(tokenizer, [prompt, continuation]);
      const own = example.ids.map((token, index) => (index >= example.firstLabel && index <= example.lastLabel ? token : -100));
      expect({ ids: [...example.ids], labels: own, questionEnd: example.questionEnd }, prompt).toEqual({
        ids,
        labels,
        questionEnd,
      });
    }
    checkpoint.close();
  });

  test.each(Object.keys(fixture.datasets))('%s', async (name) => {
    const { tokenizer, checkpoint } = await openModel(fixturePath('models', id));
    const expected = fixture.datasets[name]!;
    const set = encodeSet(tokenizer, name, expected.pairs, expected.options, 'merge');
    expect(expected.options.map((option) => firstToken(tokenizer, option))).toEqual(expected.options_first_tokens);
    expect(set.items.candidates).toEqual(expected.candidates);
    expect(set.examples.map(({ questionEnd }) => questionEnd)).toEqual(expected.question_end);
    for (const mode of ['whole', 'blocks'] as const) {
      const run = executor(mode);
      const measured = await measure(run, weights, set);
      expectClose(
        name,
        measured.items.flatMap(({ logits }) => logits),
        expected.candidate_logits.flat(),
        1e-4,
        0,
      );
      expect(measured.items.map(({ rank }) => rank)).toEqual(expected.ranks);
      expect(measured.meanRank).toBeCloseTo(expected.mean_rank, 12);
      expect(Math.abs(measured.loss - expected.mean_cross_entropy)).toBeLessThanOrEqual(1e-4);
      const losses = measured.items.map(({ item, logits }) =>
        logitLoss(set.items.candidates[set.items.answers[item]!]!, set.items.candidates, logits),
      );
      expectClose(`${name} mean logit loss`, losses, expected.mean_logit_loss, 1e-4, 0);
      run.release();
    }
    checkpoint.close();
  });
});

test.each(readFixture<Rule[]>('rank', 'rules.json'))(
  'rule: $name',
  ({ answer_token: answer, candidates, logits, rank, mean_logit_loss: loss }) => {
    const byToken = new Map(
      Array.isArray(logits) ? logits : Object.entries(logits).map(([token, value]) => [Number(token), value] as const),
    );
    const values = candidates.map((token) => byToken.get(token) ?? Number.NaN);
    if (rank === null) {
      expect(() => rankOf(answer, candidates, values)).toThrow();
      return;
    }
    expect(rankOf(answer, candidates, values)).toBe(rank);
    if (typeof loss === 'number') expect(logitLoss(answer, candidates, values)).toBeCloseTo(loss, 6);
  },
);

test('a logit that is no number gives no rank, and not the best one', () => {
  for (const odd of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => rankOf(4, [4, 8], [odd, 1])).toThrowError(expect.objectContaining({ code: 'LogitNotFinite' }));
});

test('options with one first token are named', () => {
  const tokenizer = { prefixSpecialTokens: 0, encode: (text: string) => [text.trim().charCodeAt(0)] };
  expect(candidatesOf(tokenizer, ['ant', 'bee', 'ape', 'ant'])).toEqual({
    tokens: [97, 98],
    labels: ['ant / ape', 'bee'],
    collisions: [['ant', 'ape']],
  });
});
