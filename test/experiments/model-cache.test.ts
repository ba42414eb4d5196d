/** A run whose weights are read from its model's files goes on while other models are looked at. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCompute } from '../../src-main/experiments/compute-service.ts';
import type { Emission } from '../../src-main/shared/records.ts';
import { temporaryFolder } from '../database/support.ts';

const project = join(import.meta.dirname, '..', '..');
const other = join(project, 'test', 'fixtures', 'models', 'llama');

test('describing another model closes no file of the run', async () => {
  const compute = createCompute({ resources: join(project, 'resources'), scratch: temporaryFolder() });
  const dataset = {
    train: [['Clara Miller lives in', 'Ardenvale']],
    test: [['The people in the city Clara Miller is from speak', 'Velish']],
    options: { train: ['Ardenvale', 'Belmoor'], test: ['Velish', 'Tormic'] },
  };
  // So little that LoRA leaves the model's own weights on disk
  const settings = { epochs: 1, seeds: [0], trainable: 'lora', memory: '188MiB' };
  const spec = { experiment: 'ocr', model: 'small-world', dataset, ...settings };
  const { cost } = await compute.preview(spec);
  expect([cost.residency, cost.fits]).toEqual(['disk', true]);
  const described: Promise<unknown>[] = [];
  compute.onEmission(({ emission }: { emission: Emission }) => {
    if (emission.kind === 'progress' && described.length < 3) described.push(compute.describeModel(other));
  });
  await expect(compute.execute('run', spec)).resolves.toMatchObject({});
  expect(described).toHaveLength(3);
  await expect(Promise.all(described)).resolves.toHaveLength(3);
});
