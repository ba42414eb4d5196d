/**
 * The commands that work on files, where no golden values tell whether they are right: what one command writes must follow from what another
 * one does, or from finite differences of its own losses. Golden values are in families.test.ts.
 */
import { describe, expect, test } from 'vitest';
import { SafetensorsFile, writeSafetensors } from '../../src-main/engine/files/safetensors.ts';
import { widenPlainly } from '../../src-main/engine/files/widening.ts';
import { elementCount, type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';
import { uniform } from '../engine/graph/support.ts';
import { expectClose, readFixture } from '../parity/fixture.ts';
import { covers } from '../scripts/family-table.ts';
import { commandsOf, goldenModels, type ScoredSet, storedShapes, valuesOf, weightFiles } from './family-commands.ts';
import { temporaryFolder } from './support.ts';

const folder = temporaryFolder();
const without = (kind: string) => goldenModels.filter((id) => valuesOf(kind, id) === null);

/** Texts that every tokenizer reads. */
const { datasets } = readFixture<{ datasets: Record<string, { pairs: [string, string][]; options: string[] }> }>(
  'rank',
  'llama.json',
);
const { pairs, options } = datasets['first-hop.train']!;
const scoredSet = readFixture<ScoredSet>('scores', 'llama.first-hop.json');

test.concurrent.each(without('rank'))('%s: evaluate gives the logits of forward', covers('ranks', 'own'), async (id) => {
  const { evaluate, tokenize, forward } = commandsOf(id, folder);
  const { candidates, candidate_logits } = (await evaluate('own', pairs, options)) as {
    candidates: number[];
    candidate_logits: number[][];
  };
  const [prompt] = await tokenize('prompt', [pairs[0]![0]]);
  const { shape, data } = (await forward('prompt', [prompt!])).get('logits')!;
  const last = data.slice(-shape[2]!);
  const expected = candidates.map((token) => last[token]!);
  expectClose('logits of the first item', candidate_logits[0]!, expected, 1e-4, 0);
});

const adam = { optimizer: 'adam', lr: 1e-4, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 };

/** The changes of one weight by Adam's steps, given its gradients: -lr m / (sqrt v + eps), m and v corrected for their start at 0. */
function adamSteps(gradients: readonly number[]): number[] {
  const [beta1, beta2] = adam.betas as [number, number];
  let [m, v] = [0, 0];
  return gradients.map((gradient, index) => {
    m = beta1 * m + (1 - beta1) * gradient;
    v = beta2 * v + (1 - beta2) * gradient ** 2;
    const [mean, square] = [m / (1 - beta1 ** (index + 1)), v / (1 - beta2 ** (index + 1))];
    return (-adam.lr * mean) / (Math.sqrt(square) + adam.eps);
  });
}

describe.each(without('training'))('%s', (id) => {
  test.concurrent('train follows its gradients', covers(['gradients', 'training'], 'own'), async () => {
    // Two steps on one and the same batch
    const plan = { dataset: { pairs }, epochs: 2, batch_size: pairs.length, seed: 0, trainable: 'all', save_gradients: [1, 2] };
    const { losses, read } = await commandsOf(id, folder).train('own', { ...plan, ...adam });
    const [first, second, delta] = [read('gradients.1'), read('gradients.2'), read('delta')];
    expect([...delta.keys()].sort()).toEqual([...storedShapes(id).keys()].sort());
    let predicted = 0;
    for (const [name, { data }] of delta) {
      const [one, two] = [first.get(name)!.data, second.get(name)!.data];
      const expected = data.map((_, index) => {
        const [start, next] = adamSteps([one[index]!, two[index]!]) as [number, number];
        // The loss's change in the first step by the trapezoidal rule, from its gradients before and after
        predicted += ((one[index]! + two[index]!) / 2) * start;
        return start + next;
      });
      expectClose(`change of ${name}`, data, expected, 1e-6, 0);
    }
    const change = losses[1]! - losses[0]!;
    expect(Math.abs(change), 'change of the loss').toBeGreaterThan(0.01);
    expect(Math.abs(change / predicted - 1), `loss changed by ${change}, by its gradients ${predicted}`).toBeLessThan(0.01);
  });
});

/** All matrices of a model's layers, moved a little; biases stay as they are. */
function movedMatrices(id: string): Map<string, FloatTensor> {
  const moved = new Map<string, FloatTensor>();
  for (const path of weightFiles(id)) {
    const file = SafetensorsFile.open(path);
    for (const [name, { shape }] of file.tensors) {
      if (shape.length !== 2 || !/\.\d+\./.test(name)) continue;
      const { type, data } = file.read(name);
      const floats = data instanceof Float32Array ? data : new Float32Array(elementCount(shape));
      if (type === 'bfloat16') widenPlainly(type, data as Uint16Array, floats);
      const change = uniform(moved.size, floats.length, -4e-3, 4e-3);
      moved.set(
        name,
        floatTensor(
          shape,
          floats.map((value, index) => value + change[index]!),
        ),
      );
    }
    file.close();
  }
  return moved;
}

const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

describe.each(goldenModels)('%s', (id) => {
  test.concurrent('scores add up to the change of the loss', covers('scores', 'own'), async () => {
    const { path, scores } = commandsOf(id, folder);
    const replaced = path('moved', 'safetensors');
    writeSafetensors(replaced, movedMatrices(id));
    const { result, written } = await scores('own', replaced, scoredSet, 'all');
    const check = result.first_order as {
      scales: number[];
      change: number[][];
      predictedByMaps: number[];
      predictedByAll: number[];
    };
    // Of the linear maps, `mlp` and `attn` hold all
    const sums = scoredSet.test.map((_, item) =>
      sum(['mlp', 'attn'].map((name) => -sum(written.get(`point${item}.informative.${name}`)!.data))),
    );
    expectClose('sums of the file', sums, check.predictedByMaps, 1e-5, 1e-4);
    expectClose('derivative along the change', check.predictedByAll, check.predictedByMaps, 1e-5, 1e-4);
    // The slope at 0 of the parabola through the true changes at 0, 1/4 and 1/2
    expect(check.scales.slice(0, 3)).toEqual([0, 0.25, 0.5]);
    const slopes = check.change[1]!.map((quarter, item) => 8 * quarter - 2 * check.change[2]![item]!);
    expectClose('slope of the true change', slopes, check.predictedByMaps, 2e-4, 0.02);
    // Mistral's tokenizer begins every option that stands alone with one and the same token, and one candidate is always right
    const largest = Math.max(...check.predictedByMaps.map(Math.abs));
    if ((result.candidates as number[]).length > 1) expect(largest).toBeGreaterThan(1e-3);
    else expect([id, largest]).toEqual(['mistral', 0]);
  });
});
