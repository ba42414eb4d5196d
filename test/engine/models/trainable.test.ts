/** The choice of what trains: all matrices but those of chosen modules, from a spec, from a plan and with adapters. */
import { describe, expect, test } from 'vitest';
import { loraWithin } from '../../../src-main/engine/models/lora-targets.ts';
import { layerChoiceProblem, type Trainable, trainableNames } from '../../../src-main/engine/models/parameters.ts';
import { readPlan } from '../../../src-main/engine/training/plan.ts';
import { openFixtureModel } from '../../parity/fixture.ts';
import { errorOf } from '../files/scratch.ts';

const models = ['llama', 'gpt2', 'gemma2', 'gpt-neox'];

describe.each(models)('%s', (id) => {
  const { parameters } = openFixtureModel(id).outline;
  const names = (trainable: Trainable) => trainableNames(parameters, trainable);

  test.each([{ layers: [1] }, { layers: [1], modules: ['mlp'] as const }, { layers: [0, 2], modules: ['attention'] as const }])(
    'except %j and the choice itself are all matrices, each once',
    (choice) => {
      const given = { layers: choice.layers, ...('modules' in choice ? { modules: [...choice.modules!] } : {}) };
      const [but, only] = [names({ except: given }), names(given)];
      expect(only.size).toBeGreaterThan(0);
      expect([...but].some((name) => only.has(name))).toBe(false);
      expect(new Set([...but, ...only])).toEqual(names('mlp_attn'));
    },
  );

  test('a layer’s MLP is frozen, its attention trains', () => {
    const but = names({ except: { layers: [1], modules: ['mlp'] } });
    const groups = parameters.blocks[1]!.filter(({ name }) => but.has(name)).map(({ group }) => group);
    expect(new Set(groups)).toEqual(new Set(['attention']));
  });
});

const { parameters } = openFixtureModel('llama').outline;

test('what leaves nothing, and layers that are not there, are refused', () => {
  expect(errorOf(() => trainableNames(parameters, { except: { layers: [0, 1, 2] } }))).toMatch(/^BadTrainable: .*nothing/);
  expect(errorOf(() => trainableNames(parameters, { except: { layers: [9] } }))).toMatch(/^BadTrainable: .*layer 9/);
  expect(errorOf(() => trainableNames(parameters, { except: { layers: [] } }))).toMatch(/^BadTrainable/);
});

test('adapters lie on their targets but those', () => {
  const free = trainableNames(parameters, { except: { layers: [1], modules: ['attention'] } });
  expect(loraWithin(parameters, 'lora', free)!.lora.targets).toEqual(
    [0, 2].flatMap((layer) => ['q', 'v'].map((map) => `model.layers.${layer}.self_attn.${map}_proj.weight`)),
  );
});

test.each<[unknown, string]>([
  [null, 'not an object'],
  [{}, 'layers'],
  [{ layers: ['1'] }, 'layers'],
  [{ layers: [1], modules: [] }, 'modules'],
  [{ layers: [1], modules: ['norm'] }, 'modules'],
  [{ layers: [1], heads: [0] }, '"heads"'],
])('%j is no choice of layers', (value, mentions) => {
  expect(layerChoiceProblem(value)).toContain(mentions);
});

test('plans have it', () => {
  const read = (trainable: unknown) =>
    readPlan(JSON.parse(JSON.stringify({ dataset: { pairs: [['a', 'b']] }, batch_size: 1, lr: 1, trainable })), 'plan').trainable;
  const except = { layers: [1], modules: ['mlp'] as const };
  expect(read({ except })).toEqual({ except });
  expect(read(except)).toEqual(except);
  expect(errorOf(() => read({ except, layers: [0] }))).toMatch(/^BadPlan: .*layers/);
  expect(errorOf(() => read({ except: { layers: 1 } }))).toMatch(/^BadPlan: .*trainable.except/);
  expect(errorOf(() => read({ layers: [0], lora: {} }))).toMatch(/^BadPlan: .*layers/);
});
