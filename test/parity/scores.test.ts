/** Extractive scores of every golden model, point by point and averaged, and the alignment rules, against the published method in float64. */
import { describe, expect, test } from 'vitest';
import type { ExecutionMode } from '../../src-main/engine/execution/executor.ts';
import { Observer } from '../../src-main/engine/execution/observer.ts';
import { openModel } from '../../src-main/engine/models/model.ts';
import type { FloatTensor } from '../../src-main/engine/tensor.ts';
import { encodePair } from '../../src-main/engine/training/batch.ts';
import { align } from '../../src-main/scores/alignment.ts';
import { encodeSet } from '../../src-main/scores/evaluation.ts';
import { type ExtractiveScores, extractiveScores } from '../../src-main/scores/extractive-scores.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { covers } from '../scripts/family-table.ts';
import { expectClose, fixturePath, openFixtureModel, readFixture, readTensors } from './fixture.ts';

interface ScoresFixture {
  test: Pair[];
  options: string[];
  candidate_tokens: number[];
  points: {
    input_ids: number[];
    question_end: number;
    counterfactuals: number[];
    counterfactual_alignments: number[][];
    accumulation_alignment: number[];
    loss_old: number;
    loss_new: number;
  }[];
  accumulation: { prompt: string; answer: string; input_ids: number[]; question_end: number };
}

interface AlignmentCase {
  a: number[];
  a_last_prompt: number;
  b: number[];
  b_last_prompt: number;
  alignment: number[];
}

test.each(readFixture<AlignmentCase[]>('scores', 'alignments.json'))(
  'alignment of $a to $b',
  ({ a, a_last_prompt: lastA, b, b_last_prompt: lastB, alignment }) => {
    expect(align({ ids: a, questionEnd: lastA }, { ids: b, questionEnd: lastB })).toEqual(alignment);
  },
);

/** All tensors of a result under the names of the golden file. */
function namedTensors({ points, average }: ExtractiveScores): Map<string, FloatTensor> {
  const ofPoints = points.flatMap((scores, point) =>
    [...scores].map(([name, tensor]) => [`point${point}.${name}`, tensor] as const),
  );
  return new Map([...ofPoints, ...[...average].map(([name, tensor]) => [`average.${name}`, tensor] as const)]);
}

const models = ['llama', 'qwen2', 'olmo', 'olmo-clip', 'gemma2', 'gpt-neox'];

describe.each(models)('%s', covers('scores'), (id) => {
  test.each(['first-hop', 'second-hop'])('%s', async (hop) => {
    const fixture = readFixture<ScoresFixture>('scores', `${id}.${hop}.json`);
    const { outline, weights } = openFixtureModel(id);
    const changed = new Map([...weights, ...readTensors('scores', `${id}.${hop}.new-weights.safetensors`)]);
    const { tokenizer, checkpoint } = await openModel(fixturePath('models', id));
    checkpoint.close();
    const set = encodeSet(tokenizer, hop, fixture.test, fixture.options, 'merge');
    expect(set.items.candidates).toEqual(fixture.candidate_tokens);
    const accumulation = encodePair(tokenizer, [fixture.accumulation.prompt, fixture.accumulation.answer]);
    expect([...accumulation.ids]).toEqual(fixture.accumulation.input_ids);
    for (const [index, point] of fixture.points.entries()) {
      const example = set.examples[index]!;
      expect([...example.ids]).toEqual(point.input_ids);
      const alignments = point.counterfactuals.map((other) => align(example, set.examples[other]!));
      expect(alignments).toEqual(point.counterfactual_alignments);
      expect(align(accumulation, example)).toEqual(point.accumulation_alignment);
    }

    const observerOf = (mode: ExecutionMode) => new Observer(outline, { device: 'cpu', threads: 1, mode });
    const [whole, blocks] = [observerOf('whole'), observerOf('blocks')];
    const request = {
      observer: whole,
      old: weights,
      new: changed,
      set,
      accumulation,
      counterfactuals: fixture.points.map((point) => point.counterfactuals),
      eachCounterfactual: true,
    };
    const together = await extractiveScores(request);
    const alone = await extractiveScores({ ...request, observer: blocks, itemsPerBatch: 1 });
    whole.release();
    blocks.release();

    const expected = readTensors('scores', `${id}.${hop}.safetensors`);
    const [actual, alternative] = [namedTensors(together), namedTensors(alone)];
    expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, { shape, data }] of expected) {
      expect(actual.get(name)!.shape, name).toEqual(shape);
      expectClose(name, actual.get(name)!.data, data, 1e-5, 1e-4);
      expectClose(
        `${name}, together in one program and alone block by block`,
        actual.get(name)!.data,
        alternative.get(name)!.data,
        1e-5,
        1e-5,
      );
    }
    expectClose(
      'loss_old',
      together.oldLosses,
      fixture.points.map((point) => point.loss_old),
      1e-4,
      0,
    );
    expectClose(
      'loss_new',
      together.newLosses,
      fixture.points.map((point) => point.loss_new),
      1e-4,
      0,
    );
  });
});
