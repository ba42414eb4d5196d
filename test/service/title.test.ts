/** Titles of runs: what was done with which data and model, and the settings that tell runs of a sweep apart. */
import { expect, test } from 'vitest';
import { titleOf } from '../../src-main/service/title.ts';
import type { Json } from '../../src-main/shared/records.ts';

const titled = (settings: { [name: string]: Json }) =>
  titleOf(
    { experiment: 'layer-freezing', model: '/models/olmo/', dataset: 'second-hop', ...settings },
    { changed: Object.keys(settings) },
  ).title;

test('without changed settings a title is experiment, data and model', () => {
  expect(titled({})).toBe('Layer freezing · second-hop · olmo');
  expect(titleOf({ experiment: 'ocr', model: 'small-world', dataset: { train: [] } }, { named: 'Mayors, version 2' })).toEqual({
    title: 'OCR · Mayors, version 2 · small-world',
    model: 'small-world',
    dataset: 'Mayors, version 2',
  });
});

test.each<[{ [name: string]: Json }, string]>([
  [{ lr: 3e-4, epochs: 8 }, 'lr 3e-4, 8 epochs'],
  [{ lr: 0.05, epochs: 1 }, 'lr 0.05, 1 epoch'],
  [{ seeds: [5] }, 'seed 5'],
  [{ seeds: [0, 1] }, 'seeds 0, 1'],
  [{ trainable: { layers: [4, 5] } }, 'trainable layers 4 5'],
  [{ trainable: 'mlp_attn', batch_size: 16 }, 'trainable mlp_attn, batch size 16'],
  [{ trainable: Array.from({ length: 40 }, (_, layer) => `model.layers.${layer}`) }, 'other trainable'],
  [{ random_control: false }, 'no random control'],
  [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, 'a 1, b 2, c 3, d 4, 2 more'],
  [{ orders: [[[0]]] }, 'given batches'],
])('%j is named', (settings, text) => {
  expect(titled(settings)).toBe(`Layer freezing · second-hop · ${text} · olmo`);
});

test('what only the machine does differently is not named', () => {
  expect(titled({ threads: 1, device: 'cpu', memory: '8GiB', keep: 'none' })).toBe('Layer freezing · second-hop · olmo');
});
