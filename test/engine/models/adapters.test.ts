/** Which linear maps get low-rank adapters, under which names and in which form, and what is said of choices that do not fit. */
import { describe, expect, test } from 'vitest';
import { planMemory } from '../../../src-main/engine/execution/memory-plan.ts';
import { trainingOf } from '../../../src-main/engine/models/adapters.ts';
import { type LoraChoice, loraWithin } from '../../../src-main/engine/models/lora-targets.ts';
import { openModel } from '../../../src-main/engine/models/model.ts';
import { trainableNames } from '../../../src-main/engine/models/parameters.ts';
import { readPlan } from '../../../src-main/engine/training/plan.ts';
import { fixturePath, openFixtureModel } from '../../parity/fixture.ts';
import { errorOf } from '../files/scratch.ts';

const adaptersOf = (id: string, lora: LoraChoice = {}) => trainingOf(openFixtureModel(id).outline, { lora }).adapters;
const rolesOf = (id: string, lora: LoraChoice = {}) => [...new Set(adaptersOf(id, lora).map(({ target }) => target.role))];

test.each([
  ['llama', ['attn.q', 'attn.v']],
  ['gemma2', ['attn.q', 'attn.v']],
  ['olmo2', ['attn.q', 'attn.v']],
  ['gpt2', ['attn.qkv']],
  ['gpt-neox', ['attn.qkv.heads']],
])('%s: what PEFT takes', (id, roles) => {
  expect(rolesOf(id)).toEqual(roles);
  const { outline } = openFixtureModel(id);
  expect(trainableNames(outline.parameters, 'lora')).toEqual(trainableNames(outline.parameters, { lora: {} }));
});

describe('targets', () => {
  test('by role, by module and by tensor', () => {
    expect(rolesOf('llama', { targets: ['attn.o', 'gate_proj', 'mlp.down_proj'] })).toEqual(['attn.o', 'mlp.gate', 'mlp.down']);
    expect(rolesOf('gpt2', { targets: ['c_proj'] })).toEqual(['attn.o', 'mlp.down']);
    expect(rolesOf('gpt2', { targets: ['attn.c_proj'] })).toEqual(['attn.o']);
    expect(rolesOf('gpt-neox', { targets: ['attn.qkv', 'dense'] })).toEqual(['attn.qkv.heads', 'attn.o']);
    expect(rolesOf('llama', { targets: 'all' })).toHaveLength(7);
    const one = adaptersOf('llama', { targets: ['model.layers.1.mlp.up_proj.weight'] });
    expect(one.map(({ target }) => target.name)).toEqual(['model.layers.1.mlp.up_proj.weight']);
    expect(adaptersOf('llama', { layers: [0, 1] }).map(({ target }) => target.layer)).toEqual([0, 0, 1, 1]);
  });

  test('names are PEFT’s, and shapes follow the map, not the form of its matrix', () => {
    for (const id of ['gpt2', 'gpt2-hub-names']) {
      const [adapter] = adaptersOf(id, { rank: 3, targets: ['mlp.up'], layers: [1] });
      const { target, a, b, inputFirst, module } = adapter!;
      expect(target.name).toBe(id === 'gpt2' ? 'transformer.h.1.mlp.c_fc.weight' : 'h.1.mlp.c_fc.weight');
      expect([module, inputFirst]).toEqual(['mlp.c_fc', true]);
      expect(a.name).toBe('base_model.model.transformer.h.1.mlp.c_fc.lora_A.weight');
      expect(b.name).toBe('base_model.model.transformer.h.1.mlp.c_fc.lora_B.weight');
      const [input, output] = target.shape;
      expect([a.shape, b.shape]).toEqual([
        [3, input],
        [output, 3],
      ]);
    }
    for (const { target, a, b, inputFirst } of adaptersOf('llama', { rank: 2, targets: 'all' })) {
      const [output, input] = target.shape;
      expect([a.shape, b.shape, inputFirst]).toEqual([[2, input], [output, 2], false]);
    }
  });

  test('layers with and without adapters do not share programs', () => {
    const { outline } = openFixtureModel('llama');
    const { family, configuration } = trainingOf(outline, { lora: { layers: [1] } }).outline;
    const kinds = [0, 1, 2].map((layer) => family.layerKind(configuration, layer));
    expect(kinds[0]).toBe(outline.family.layerKind(configuration, 0));
    expect(kinds[1]).not.toBe(kinds[0]);
    expect(kinds[2]).toBe(kinds[0]);
  });
});

test.each<[LoraChoice, string]>([
  [{ rank: 0 }, 'rank 0'],
  [{ rank: 1.5 }, 'rank 1.5'],
  [{ rank: 1000 }, 'model.layers.0.self_attn.q_proj.weight'],
  [{ alpha: 0 }, 'alpha 0'],
  [{ targets: ['c_attn'] }, 'attn.q (self_attn.q_proj)'],
  [{ targets: ['norm.attn'] }, 'no linear map'],
  [{ targets: [] }, 'targets'],
  [{ layers: [99] }, 'layer 99'],
  [{ layers: [] }, 'layers'],
  [{ targets: ['model.layers.0.mlp.up_proj'], layers: [1] }, 'no target'],
  [{ dropout: 0.1 } as LoraChoice, 'dropout'],
])('%j is refused', (lora, mentions) => {
  const message = errorOf(() => adaptersOf('llama', lora));
  expect(message).toMatch(/^BadTrainable: /);
  expect(message).toContain(mentions);
});

test('limited to a set of parameters', () => {
  const { parameters } = openFixtureModel('llama').outline;
  const within = (lora: LoraChoice, modules: ('mlp' | 'attention')[]) =>
    loraWithin(parameters, { lora }, trainableNames(parameters, { layers: [1], modules }));
  expect(within({ rank: 2, layers: [0, 1] }, ['attention'])).toEqual({
    lora: {
      rank: 2,
      alpha: 16,
      seed: 0,
      targets: ['model.layers.1.self_attn.q_proj.weight', 'model.layers.1.self_attn.v_proj.weight'],
    },
  });
  expect(errorOf(() => within({}, ['mlp']))).toMatch(/^BadTrainable: .*low-rank adapter/);
  expect(loraWithin(parameters, 'mlp_attn', new Set())).toBeNull();
});

describe('plans', () => {
  const plan = (trainable: unknown) =>
    JSON.parse(JSON.stringify({ dataset: { pairs: [['a', 'b']] }, batch_size: 1, lr: 1, trainable }));

  test('are read', () => {
    expect(readPlan(plan('lora'), 'plan').trainable).toBe('lora');
    const lora = { rank: 4, alpha: 8, targets: ['q_proj'], layers: [0], seed: 2 };
    expect(readPlan(plan({ lora }), 'plan').trainable).toEqual({ lora });
  });

  test.each([
    [{ lora: { rank: -1 } }, 'rank -1'],
    [{ lora: { r: 8 } }, '"r"'],
    [{ lora: 8 }, 'trainable.lora'],
    [{ lora: {}, layers: [0] }, '"layers"'],
    [{ lora: null }, 'trainable'],
  ])('%j is refused', (trainable, mentions) => {
    const message = errorOf(() => readPlan(plan(trainable), 'plan'));
    expect(message).toMatch(/^BadPlan: plan: /);
    expect(message).toContain(mentions);
  });

  test('memory is that of the adapters, and never on disk', async () => {
    const model = await openModel(fixturePath('models', 'llama'));
    const work = (trainable: Parameters<typeof trainableNames>[1]) =>
      ({ kind: 'train', batch: 2, positions: 8, rows: 8, trainable }) as const;
    const peak = (rank: number) => planMemory(model, work({ lora: { rank } }), 2 ** 33).peak;
    const bytes = (rank: number) =>
      adaptersOf('llama', { rank }).reduce(
        (sum, { a, b }) => sum + 4 * (a.shape[0]! * a.shape[1]! + b.shape[0]! * b.shape[1]!),
        0,
      );
    // Values, two moments and gradients
    const share = (peak(4) - peak(1)) / (bytes(4) - bytes(1));
    expect(share).toBeGreaterThan(3.5);
    expect(share).toBeLessThan(4.5);
    expect(peak(4)).toBeLessThan(planMemory(model, work('all'), 2 ** 33).peak);
    expect(planMemory(model, work({ lora: { rank: 4 } }), peak(4))).toMatchObject({ state: 'memory', scratchBytes: 0 });
    expect(errorOf(() => planMemory(model, work('lora'), 1000))).toMatch(/^NotEnoughMemory: /);
    model.checkpoint.close();
  });
});
