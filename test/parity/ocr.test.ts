/** The OCR experiment of the golden model, with the golden orders, against PyTorch: losses, ranks and set losses by epoch; and the drawn orders. */
import { describe, expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import type { Emission, Json } from '../../src-main/shared/records.ts';
import { covers } from '../scripts/family-table.ts';
import { fixturePath, readFixture } from './fixture.ts';

interface Measured {
  mean_rank: number;
  ranks: number[];
  min_margin: number;
  loss: number;
}

interface ExperimentFixture {
  lr: number;
  epochs: number;
  orders: { layer_freezing: Record<string, Json> };
  results: {
    layer_freezing: {
      datasets: Record<string, { ocr: { batch_losses: number[][]; epochs: { train: Measured; test: Measured }[] } }>;
    };
  };
}

const fixture = readFixture<ExperimentFixture & Record<string, Json>>('experiments', 'llama.json');
const compute = createCompute({ resources: fixturePath() });
const spec = (hop: string, more: Record<string, Json> = {}) => ({
  experiment: 'ocr',
  model: fixturePath('models', 'llama'),
  dataset: fixture[hop]!,
  lr: fixture.lr,
  collisions: 'merge',
  threads: 1,
  device: 'cpu',
  ...more,
});

describe.each(['first-hop', 'second-hop'])('llama, %s', covers('experiments'), (hop) => {
  test('golden orders', async () => {
    const results = (await compute.execute('golden', spec(hop, { orders: fixture.orders.layer_freezing[hop]! }))) as unknown as {
      epochs: { train: Measured; test: Measured; fact_rank: number }[];
      batch_losses: number[][];
    };
    const expected = fixture.results.layer_freezing.datasets[hop]!.ocr;
    expect(results.epochs.length).toBe(expected.epochs.length);
    for (const [step, loss] of expected.batch_losses.flat().entries())
      expect(Math.abs(results.batch_losses.flat()[step]! - loss)).toBeLessThanOrEqual(1e-3);
    expected.epochs.forEach((epoch, index) => {
      for (const side of ['train', 'test'] as const) {
        const own = results.epochs[index]![side];
        expect(Math.abs(own.loss - epoch[side].loss)).toBeLessThanOrEqual(1e-3);
        if (epoch[side].min_margin > 2e-3) {
          expect(own.ranks).toEqual(epoch[side].ranks);
          expect(own.min_margin).toBeCloseTo(epoch[side].min_margin, 2);
        }
      }
    });
  });
});

test('the same spec gives the same numbers, and rows arrive as they are measured', async () => {
  const emissions: Emission[] = [];
  const end = compute.onEmission(({ run, emission }) => {
    if (run === 'first') emissions.push(emission);
  });
  const drawn = spec('first-hop', { epochs: 2, seeds: [4, 7], batch_size: 4 });
  const first = await compute.execute('first', drawn);
  end();
  expect(await compute.execute('second', drawn)).toEqual(first);
  const kinds = emissions.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'step').length).toBe(2 * 2 * 2);
  expect(kinds.filter((kind) => kind === 'evaluation').length).toBe(2 * 3 * 2);
  expect(kinds[0]).toBe('provenance');
  const last = emissions.findLast((emission) => emission.kind === 'progress');
  expect(last?.progress.done).toBe(last?.progress.total);
});

test('stopping rejects between two steps', async () => {
  const abort = new AbortController();
  const end = compute.onEmission(({ emission }) => {
    if (emission.kind === 'step') abort.abort();
  });
  await expect(compute.execute('stopped', spec('first-hop', { epochs: 50 }), abort.signal)).rejects.toMatchObject({
    name: 'AbortError',
  });
  end();
});

test.each([
  [{ experiment: 'ocr', epoch: 3 }, 'UnknownKey'],
  [{ experiment: 'ocr', epochs: 0 }, 'BadValue'],
  [{ experiment: 'dance' }, 'UnknownExperiment'],
  [{ experiment: 'ocr', dataset: 'no-such-set' }, 'UnknownDataset'],
  [{ experiment: 'ocr', trainable: { layers: [9] } }, 'BadTrainable'],
  [
    {
      experiment: 'ocr',
      collisions: 'error',
      dataset: { train: [['a', 'same x']], test: [['b', 'same y']], options: { train: ['same x', 'same y'], test: ['same y'] } },
    },
    'OptionsShareFirstToken',
  ],
])('%o is refused with %s', async (change, code) => {
  await expect(compute.preview({ ...spec('first-hop'), ...change } as never)).rejects.toMatchObject({ code });
});

test('a preview shows items, tokens and cost', async () => {
  const preview = await compute.preview(spec('first-hop', { seeds: [1] }));
  expect(preview.sets.map(({ set }) => set)).toEqual(['facts', 'implications']);
  expect(preview.tokens[0]!.tokens.length).toBeGreaterThan(4);
  expect(preview.cost.steps).toBe(8);
  expect(preview.cost.seconds).toBeGreaterThan(0);
  expect(preview.spec.epochs).toBe(8);
});
