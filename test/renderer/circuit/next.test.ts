/** From a component to the experiment that tests it, and the stored curve of L over the strength of the change. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src-main/shared/records.ts';
import { ablationOf, freezingOf, topCount, wizardAddress } from '../../../src-renderer/circuit/next-experiment.ts';
import type { ScoreTables } from '../../../src-renderer/circuit/scores.ts';
import { changeAt, strengthCurve } from '../../../src-renderer/circuit/strength.ts';

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
    expect(ablationOf(spec, 'downstream', 6, 'patch-old')).toEqual({
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
    expect(ablationOf(spec, 'upstream', 1, 'mean').values.k).toEqual([1]);
  });

  it('freezes the components’ layers, or leaves only their modules free', () => {
    const chosen = [
      { part: 'mlp', layer: 3 },
      { part: 'attn', layer: 1 },
      { part: 'mlp', layer: 1 },
    ] as const;
    expect(freezingOf(spec, chosen, 5).values.free_sets).toEqual({
      'all but layers 1, 3': { layers: [0, 2, 4] },
      'only MLPs and attention of layers 1, 3': { layers: [1, 3], modules: ['mlp', 'attention'] },
    });
    expect(freezingOf({ ...spec, dataset: 'daxwug' }, [{ part: 'mlp', layer: 0 }], 1).values).toEqual({
      model: 'small-world',
      lr: 3e-4,
      seeds: [0, 1],
      free_sets: { 'only MLPs of layer 0': { layers: [0], modules: ['mlp'] } },
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

  it('goes straight between what was measured', () => {
    const curve = strengthCurve(results, 0, 1)!;
    expect([0, 0.25, 0.5, 0.75, 1].map((part) => changeAt(curve, part))).toEqual([0, -1.5, -3, -2.5, -2]);
  });
});
