/** Gradients and scores of every family against finite differences of its own loss, in both ways of execution; goldens of some families are in test/parity. */
import { describe, expect, test } from 'vitest';
import { Observer } from '../../../src-main/engine/execution/observer.ts';
import { openModel } from '../../../src-main/engine/models/model.ts';
import type { Parameter } from '../../../src-main/engine/models/parameters.ts';
import { elementCount, type FloatTensor, floatTensor } from '../../../src-main/engine/tensor.ts';
import { encodePair, lossInputs, lossTargets } from '../../../src-main/engine/training/batch.ts';
import { defaultTraining, Trainer } from '../../../src-main/engine/training/trainer.ts';
import { encodeSet } from '../../../src-main/scores/evaluation.ts';
import { extractiveScores } from '../../../src-main/scores/extractive-scores.ts';
import { firstOrderCheck } from '../../../src-main/scores/first-order-check.ts';
import type { Pair } from '../../../src-main/shared/records.ts';
import { expectClose, fixturePath, openFixtureModel, readFixture } from '../../parity/fixture.ts';
import { uniform } from '../graph/support.ts';

// Not olmo-clip: moving a weight takes some values over the edge of the clip, where the loss has a kink
const models = [
  'llama',
  'qwen2',
  'mistral',
  'olmo',
  'olmo2',
  'gemma2',
  'gpt2',
  'gpt2-hub-names',
  'gpt-neox',
  'gpt-neox-sequential',
];
const {
  train,
  test: implications,
  options,
} = readFixture<{ train: Pair[]; test: Pair[]; options: string[] }>('scores', 'llama.first-hop.json');

/** weights + scale * direction of one parameter. */
function moved(
  weights: ReadonlyMap<string, FloatTensor>,
  { name }: Parameter,
  direction: ArrayLike<number>,
  scale: number,
): Map<string, FloatTensor> {
  const { shape, data } = weights.get(name)!;
  return new Map([
    ...weights,
    [
      name,
      floatTensor(
        shape,
        data.map((value, index) => value + scale * direction[index]!),
      ),
    ],
  ]);
}

async function examplesOf(id: string) {
  const { tokenizer, checkpoint } = await openModel(fixturePath('models', id));
  checkpoint.close();
  return { tokenizer, examples: train.slice(0, 3).map((pair) => encodePair(tokenizer, pair)) };
}

describe.each(models)('%s', (id) => {
  const { outline, weights, executor } = openFixtureModel(id);
  const { all } = outline.parameters;

  test.each(['whole', 'blocks'] as const)('gradients of every parameter, %s', async (mode) => {
    const { examples } = await examplesOf(id);
    const batch = lossInputs(examples);
    const targets = lossTargets(examples, batch.positions);
    const run = executor(mode);
    const gradients = new Map<string, Float32Array>();
    const trainer = await Trainer.create(run, weights, { ...defaultTraining, learningRate: 1e-3, trainable: 'all' });
    const observe = ({ name }: Parameter, gradient: Float32Array) => void gradients.set(name, gradient.slice());
    await trainer.step(batch, targets, { observe });
    expect([...gradients.keys()].sort()).toEqual(all.map(({ name }) => name).sort());

    const nothing = { buffer: () => new Float32Array(), complete: () => {}, completeRows: () => {} };
    const lossAt = (at: ReadonlyMap<string, FloatTensor>) => run.lossAndGradients(at, batch, targets, new Set(), nothing);
    for (const [index, parameter] of all.entries()) {
      const gradient = gradients.get(parameter.name)!;
      const norm = Math.hypot(...gradient);
      // Keys are compared with each other only: softmax does not see what is added to all of them
      if (parameter.role === 'attn.k.bias') continue;
      expect(norm, parameter.name).toBeGreaterThan(1e-4);
      const signs = uniform(index, elementCount(parameter.shape)).map((value) => Math.sign(value) / Math.sqrt(gradient.length));
      const along = gradient.map((value) => value / norm);
      for (const direction of [along, signs.map((sign, i) => sign + along[i]!)]) {
        const step = Math.min(0.005 / norm, 0.005 * Math.hypot(...weights.get(parameter.name)!.data));
        const [above, below] = [
          await lossAt(moved(weights, parameter, direction, step)),
          await lossAt(moved(weights, parameter, direction, -step)),
        ];
        const slope = (above - below) / (2 * step);
        const expected = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
        expect(Math.abs(slope - expected) / norm, `${parameter.name}: slope ${slope}, gradient ${expected}`).toBeLessThan(0.002);
      }
    }
    run.release();
  });

  test('scores of linear maps add up to the derivative of the loss, and are the same in both ways', async () => {
    const { tokenizer } = await examplesOf(id);
    const encoded = encodeSet(tokenizer, 'implications', implications, options, 'merge');
    // The tokens that follow the prompts: Mistral's tokenizer begins every option that stands alone with one and the same token
    const following = encoded.examples.map(({ ids, questionEnd }) => ids[questionEnd + 1]!);
    const candidates = [...new Set(following)];
    const answers = following.map((token) => candidates.indexOf(token));
    const set = { ...encoded, items: { ...encoded.items, candidates, answers } };
    expect(candidates.length).toBeGreaterThan(1);
    const changed = new Map(
      [...weights].map(([name, tensor], index) => {
        const { role, shape, layer } = all.find((parameter) => parameter.name === name)!;
        if (layer === null || role.startsWith('norm')) return [name, tensor];
        const change = uniform(index, elementCount(shape), -0.02, 0.02);
        return [
          name,
          floatTensor(
            shape,
            tensor.data.map((value, i) => value + change[i]!),
          ),
        ];
      }),
    );
    const request = {
      old: weights,
      new: changed,
      set,
      counterfactuals: set.examples.map((_, item) => [(item + 1) % set.examples.length]),
      accumulation: encodePair(tokenizer, implications[0]!),
    };
    const [whole, blocks] = (['whole', 'blocks'] as const).map(
      (mode) => new Observer(outline, { device: 'cpu', threads: 1, mode }),
    ) as [Observer, Observer];
    const scores = await extractiveScores({ observer: whole, ...request });
    const { predictedByMaps, predictedByAll } = await firstOrderCheck({ observer: whole, ...request, scores });
    expect(Math.max(...predictedByAll.map(Math.abs))).toBeGreaterThan(1e-3);
    expectClose('sum of scores', predictedByMaps, predictedByAll, 1e-5, 1e-4);
    const other = await extractiveScores({ observer: blocks, ...request });
    for (const [name, { data }] of scores.average) expectClose(name, other.average.get(name)!.data, data, 1e-5, 1e-4);
    const { heads } = outline.configuration;
    const attention = [...scores.average].filter(([name]) =>
      /^informative\..*(q_proj|k_proj|v_proj|o_proj|c_attn|attn\.c_proj|query_key_value|dense)$/.test(name),
    );
    const sum = (tensors: [string, FloatTensor][]) =>
      tensors.reduce((total, [, { data }]) => total + data.reduce((a, b) => a + b, 0), 0);
    expect(scores.average.get('informative.attn')!.shape[1]).toBe(heads);
    expect(sum([['attn', scores.average.get('informative.attn')!]])).toBeCloseTo(sum(attention), 4);
    whole.release();
    blocks.release();
  });
});
