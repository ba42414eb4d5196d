/** What prompts have in common is computed once: which rows those are, and that every reading stays what it is for each prompt alone. */
import { describe, expect, test } from 'vitest';
import type { ExecutionMode } from '../../../src-main/engine/execution/executor.ts';
import type { Question } from '../../../src-main/engine/execution/feeds.ts';
import { type LayerReading, Observer } from '../../../src-main/engine/execution/observer.ts';
import { components } from '../../../src-main/engine/execution/score-programs.ts';
import { distinctRows } from '../../../src-main/engine/execution/shared-rows.ts';
import { floatTensor } from '../../../src-main/engine/tensor.ts';
import { padTokens } from '../../../src-main/engine/training/batch.ts';
import type { Weights } from '../../../src-main/engine/weights.ts';
import { expectClose, openFixtureModel } from '../../parity/fixture.ts';

const candidates = [3, 9, 17];

function questionOf(prompts: readonly (readonly number[])[]): Question {
  const batch = padTokens(prompts);
  return { batch, rows: prompts.map((prompt, item) => item * batch.positions + prompt.length - 1), candidates };
}

describe('distinct rows', () => {
  test('a row is known by its token and all before it; padding stands at place 0', () => {
    const { first, places } = distinctRows(
      questionOf([
        [1, 5, 6, 7],
        [1, 5, 8],
        [2, 5, 6],
        [1, 5, 6, 7],
      ]),
    );
    expect(first).toEqual([0, 1, 2, 3, 6, 8, 9, 10]);
    expect(places).toEqual([0, 1, 2, 3, 0, 1, 4, 0, 5, 6, 7, 0, 0, 1, 2, 3]);
  });

  test('where nothing is shared every row is one of its own', () => {
    const { first, places } = distinctRows(
      questionOf([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    expect(first).toEqual([0, 1, 2, 3, 4, 5]);
    expect(places).toEqual(first);
  });
});

const prompts = [
  [1, 20, 31, 42, 53, 7],
  [1, 20, 31, 9, 7],
  [1, 20, 31, 42, 54, 8, 7],
];

interface Read {
  logits: Float32Array;
  layers: LayerReading[];
  strict: LayerReading['values'][];
}

async function readAll(
  observer: Observer,
  weights: Weights,
  changed: Weights,
  of: readonly (readonly number[])[],
): Promise<Read> {
  const question = questionOf(of);
  const coefficients = Float32Array.from(of.flatMap(() => [1 / 3, 1 / 3 - 1, 1 / 3]));
  const { logits, layer } = await observer.read(weights, question, coefficients, changed);
  const layers: LayerReading[] = [];
  const strict: LayerReading['values'][] = [];
  for (let index = observer.outline.configuration.layers - 1; index >= 0; index--) {
    const reading = await layer(index);
    layers[index] = reading;
    strict[index] = await observer.onGivenInputs(changed, index, question, reading.inputs);
  }
  return { logits: logits.data, layers, strict };
}

/** The first rows of an item in a tensor [batch * positions, width]. */
function rowsOfItem(
  { data, shape }: { data: Float32Array; shape: readonly number[] },
  item: number,
  tokens: number,
  positions: number,
) {
  const width = shape[1]!;
  return data.subarray(item * positions * width, (item * positions + tokens) * width);
}

describe.each(['whole', 'blocks'] satisfies ExecutionMode[])('%s', (mode) => {
  test('prompts that begin alike read together as they do alone', async () => {
    const { outline, weights } = openFixtureModel('llama');
    const moved = outline.parameters.blocks.flat().filter(({ role }) => role.startsWith('mlp.') || role === 'attn.o');
    const changed = new Map(weights);
    for (const { name } of moved) {
      const { shape, data } = weights.get(name)!;
      changed.set(
        name,
        floatTensor(
          shape,
          data.map((value, index) => value + 0.01 * Math.sin(index)),
        ),
      );
    }
    const observer = new Observer(outline, { device: 'cpu', threads: 1, mode });
    const positions = Math.max(...prompts.map(({ length }) => length));
    expect(distinctRows(questionOf(prompts)).first.length).toBeLessThan(prompts.length * positions);
    const together = await readAll(observer, weights, changed, prompts);
    for (const [item, prompt] of prompts.entries()) {
      const alone = await readAll(observer, weights, changed, [prompt]);
      const tokens = prompt.length;
      expectClose('logits', together.logits.subarray(item * 3, (item + 1) * 3), alone.logits, 1e-5, 0);
      for (const [layer, reading] of alone.layers.entries()) {
        const both = together.layers[layer]!;
        const same = (what: string, left: LayerReading['values']['attn.z'], right: LayerReading['values']['attn.z']) =>
          expectClose(
            `layer ${layer}, ${what}`,
            rowsOfItem(left, item, tokens, positions),
            rowsOfItem(right, 0, tokens, tokens),
            1e-6,
            1e-5,
          );
        for (const name of components) {
          same(`value of ${name}`, both.values[name], reading.values[name]);
          same(`gradient of ${name}`, both.gradients[name], reading.gradients[name]);
          same(`${name} on given inputs`, together.strict[layer]![name], alone.strict[layer]![name]);
        }
        for (const [role, value] of reading.informative) {
          same(`informative of ${role}`, both.informative.get(role)!, value);
          const scores = value.data.some((score) => score !== 0);
          expect(scores, role).toBe(moved.some((parameter) => parameter.role === role));
        }
      }
    }
    observer.release();
  });
});
