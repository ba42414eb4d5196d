/** `--device webgpu` from the command line: training, an experiment and forward passes, with the golden values. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWebGpu } from '../engine/runtime/webgpu-here.ts';
import { readFixture } from '../parity/fixture.ts';
import { hopscope, succeed, temporaryFolder, writeJson } from './support.ts';

interface TrainingFixture {
  lr: number;
  batches: { input_ids: number[][]; labels: number[][] }[];
  modes: { all: { losses: number[] } };
}

interface ExperimentFixture {
  'first-hop': object;
  orders: { layer_freezing: { 'first-hop': number[][][] } };
  results: {
    layer_freezing: {
      datasets: { 'first-hop': { ocr: { epochs: Record<'train' | 'test', { ranks: number[]; loss: number }>[] } } };
    };
  };
}

const folder = temporaryFolder();
const root = join(import.meta.dirname, '../..');
const model = 'test/fixtures/models/llama';
const device = ['--device', 'webgpu'];

describeWebGpu('webgpu', () => {
  test.concurrent('train', { timeout: 300_000 }, async () => {
    const { lr, batches, modes } = readFixture<TrainingFixture>('training', 'llama.json');
    const { input_ids, labels } = batches[0]!;
    const plan = writeJson(join(folder, 'plan.json'), { batches: [{ input_ids, labels }], lr, trainable: 'all' });
    const parameters = ['train', '--model', model, '--plan', plan, '--out', join(folder, 'trained'), ...device];
    const { losses } = (await succeed(parameters, { cwd: root })) as { losses: number[] };
    expect(losses).toHaveLength(1);
    expect(Math.abs(losses[0]! - modes.all.losses[0]!)).toBeLessThanOrEqual(1e-4);
  });

  test.concurrent('run', { timeout: 300_000 }, async () => {
    const fixture = readFixture<ExperimentFixture>('experiments', 'llama.json');
    const orders = fixture.orders.layer_freezing['first-hop'].slice(0, 1);
    const path = writeJson(join(folder, 'spec.yaml'), {
      experiment: 'ocr',
      model,
      dataset: fixture['first-hop'],
      lr: 1e-3,
      collisions: 'merge',
      epochs: 1,
      orders,
    });
    const { results } = await succeed(['run', path, '--data', join(folder, 'data'), ...device], { cwd: root });
    const { epochs } = results as { epochs: Record<'train' | 'test', { ranks: number[]; loss: number }>[] };
    const golden = fixture.results.layer_freezing.datasets['first-hop'].ocr.epochs;
    expect(epochs).toHaveLength(2);
    for (const [index, epoch] of epochs.entries()) {
      for (const side of ['train', 'test'] as const) {
        expect(epoch[side].ranks).toEqual(golden[index]![side].ranks);
        expect(Math.abs(epoch[side].loss - golden[index]![side].loss)).toBeLessThan(1e-3);
      }
    }
  });

  test.concurrent('a device with too little room is named, with what did not fit', { timeout: 300_000 }, async () => {
    const plan = writeJson(join(folder, 'other-plan.json'), {
      batches: [{ input_ids: [[1, 2, 3]], labels: [[-100, 2, 3]] }],
      lr: 1e-3,
      trainable: { layers: [1] },
    });
    const parameters = ['train', '--model', model, '--plan', plan, '--out', join(folder, 'none'), ...device];
    const outcome = await hopscope([...parameters, '--device-memory', '10KiB', '--json'], { cwd: root });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/what is trained does not fit the device with its moments/i);
    expect(outcome.json().error).toMatchObject({
      code: 'OutOfDeviceMemory',
      message: expect.stringMatching(/There is no room on the device for \S+ \[\d+.*of the 10240 bytes to be used/),
    });
  });
});
