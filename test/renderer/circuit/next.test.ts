/** From a component to the experiment that tests it, and the stored curve of L over the strength of the change. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src-main/shared/records.ts';
import {
  ablationOfChosen,
  ablationOfTop,
  freezingOf,
  frozenInWords,
  targetsInWords,
  topCount,
  wizardAddress,
} from '../../../src-renderer/circuit/next-experiment.ts';
import type { ScoreTables } from '../../../src-renderer/circuit/scores.ts';
import { strengthCurve } from '../../../src-renderer/circuit/strength.ts';

const spec = {
  experiment: 'extractive-scores',
  model: 'small-world',
  dataset: 'first-hop',
  lr: 3e-4,
  seeds: [0, 1],
  accumulation: null,
};
const tables: ScoreTables = new Map([
  ['downstream.mlp', { layers: 2, heads: null, tokens: 2, values: [5, -9, 1, 2] }],
  ['downstream.attn', { layers: 2, heads: 2, tokens: 2, values: [0, 3, 0, 0, 4, 0, 0, 6] }],
]);

describe('the next experiment', () => {
  it('ablates down to the component, in the order of its score', () => {
    expect(topCount(tables, 'downstream', { part: 'mlp', layer: 0, head: null, token: 0 })).toBe(2);
    expect(topCount(tables, 'downstream', { part: 'mlp', layer: 1, head: null, token: 0 })).toBe(6);
    expect(topCount(tables, 'downstream', { part: 'attn', layer: 1, head: null, token: 0 })).toBe(3);
    expect(topCount(tables, 'downstream', { part: 'attn', layer: 1, head: 1, token: 1 })).toBe(1);
    expect(topCount(tables, 'downstream', { part: 'mlp', layer: 0, head: null, token: 1 })).toBeNull();
    expect(topCount(tables, 'upstream', { part: 'mlp', layer: 0, head: null, token: 0 })).toBeNull();
    expect(ablationOfTop(spec, 'downstream', 6, 'patch-old')).toEqual({
      experiment: 'ablation',
      values: {
        model: 'small-world',
        dataset: 'first-hop',
        lr: 3e-4,
        seeds: [0, 1],
        method: 'patch-old',
        by: 'downstream',
        k: [1, 2, 4, 6],
      },
    });
    expect(ablationOfTop(spec, 'upstream', 1, 'mean').values.k).toEqual([1]);
  });

  const mlp = { part: 'mlp', layer: 3, head: null, token: 7 } as const;
  const head = { part: 'attn', layer: 1, head: 5, token: null } as const;

  it('ablates exactly what was chosen, each place once', () => {
    const prompt = { prompt: 'The people in X Y speak', answer: 'Arvish' };
    expect(ablationOfChosen(spec, [mlp], { tokens: 9, prompt }, 'mean')).toEqual({
      experiment: 'ablation',
      values: {
        model: 'small-world',
        dataset: 'first-hop',
        lr: 3e-4,
        seeds: [0, 1],
        method: 'mean',
        by: 'chosen',
        components: [mlp],
        accumulation: prompt,
      },
    });
    const all = [head, { ...head, token: 1 }, mlp, { ...head, head: null, token: 0 }];
    const { values } = ablationOfChosen(spec, all, { tokens: 2, prompt: null }, 'patch-old');
    // Head 5 at token 0 is part of the attention that is named whole there
    expect(values.components).toEqual([{ ...head, token: 1 }, mlp, { ...head, head: null, token: 0 }]);
    expect(values).not.toHaveProperty('accumulation');
    const tokens = ['The', 'city'];
    expect(targetsInWords([{ ...mlp, token: 1 }], tokens)).toBe('MLP of layer 3 at “city” (token 1)');
    expect(targetsInWords([mlp, head], tokens)).toBe('MLP of layer 3 at token 7 and head 5 of layer 1 at every token');
    expect(targetsInWords([mlp, mlp, mlp, mlp, mlp], tokens)).toBe('these 5 components');
  });

  it('freezes exactly the components’ matrices, in as few sets as name them', () => {
    const of = (part: 'mlp' | 'attn', layer: number) => ({ part, layer });
    expect(freezingOf(spec, [mlp], 5).values.free_sets).toEqual({
      'all but MLP of layer 3': { except: { layers: [3], modules: ['mlp'] } },
      'only MLP of layer 3': { layers: [3], modules: ['mlp'] },
    });
    expect(freezingOf(spec, [of('mlp', 3), of('attn', 1), of('attn', 3), of('mlp', 1)], 5).values.free_sets).toEqual({
      'all but MLPs and attention of layers 1, 3': { except: { layers: [1, 3], modules: ['mlp', 'attention'] } },
      'only MLPs and attention of layers 1, 3': { layers: [1, 3], modules: ['mlp', 'attention'] },
    });
    expect(Object.keys(freezingOf(spec, [of('mlp', 3), of('attn', 1)], 5).values.free_sets as object)).toEqual([
      'all but MLP of layer 3',
      'only MLP of layer 3',
      'all but attention of layer 1',
      'only attention of layer 1',
    ]);
    expect(frozenInWords([of('mlp', 3), of('attn', 1)])).toBe('MLP of layer 3, and then attention of layer 1');
    expect(freezingOf({ ...spec, dataset: 'daxwug' }, [of('mlp', 0), of('attn', 0)], 1).values).toEqual({
      model: 'small-world',
      lr: 3e-4,
      seeds: [0, 1],
      free_sets: { 'only MLP and attention of layer 0': { layers: [0], modules: ['mlp', 'attention'] } },
    });
  });

  it('has an address that the wizard reads', () => {
    const address = wizardAddress({ experiment: 'ablation', values: { k: [1, 2] } });
    expect(JSON.parse(new URLSearchParams(address.split('?')[1]).get('values')!)).toEqual({ k: [1, 2] });
  });
});

describe('the strength of the change', () => {
  const check = (factor: number): Json => ({
    scales: [0, 0.5, 1],
    change: [
      [0, 0],
      [-1 * factor, -3 * factor],
      [-2 * factor, -2 * factor],
    ],
    predictedByMaps: [-2 * factor, -4 * factor],
    predictedByAll: [-3 * factor, -5 * factor],
  });
  const results: Json = {
    seeds: [
      { seed: 0, first_order: check(1) },
      { seed: 3, first_order: check(3) },
    ],
  };

  it('is read by seed and item, or as means', () => {
    expect(strengthCurve(results, 3, 1)).toEqual({ scales: [0, 0.5, 1], change: [0, -9, -6], slope: -12, slopeOfAll: -15 });
    expect(strengthCurve(results, null, -1)).toEqual({ scales: [0, 0.5, 1], change: [0, -4, -4], slope: -6, slopeOfAll: -8 });
    for (const [seed, point] of [
      [7, -1],
      [0, 2],
    ] as const)
      expect(strengthCurve(results, seed, point)).toBeNull();
    expect(strengthCurve(null, null, -1)).toBeNull();
  });
});
