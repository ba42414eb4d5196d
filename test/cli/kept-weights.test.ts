/** What a run keeps, from the command line: `show` lists the files, and `evaluate --delta` takes them in place of a delta. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hopscope, succeed, temporaryFolder } from './support.ts';

const resources = join(import.meta.dirname, '../../resources');
const smallWorld = join(resources, 'small-world');

interface Shown {
  weights: { stage: string; seed: number; path: string; bytes: number; hash: string; form: string }[];
  evaluations: { set: string; epoch: number; mean_rank: number; loss: number }[];
}

test.each(['mlp_attn', 'lora'])('%s: the kept file gives evaluate the run’s own last measurement', async (trainable) => {
  const folder = temporaryFolder();
  const data = ['--data', join(folder, 'data')];
  const pairs = Array.from({ length: 12 }, (_, item) => [
    `Nobody Miller ${item % 2 ? 'lives' : 'works'} in`,
    item % 3 ? 'Ardenvale' : 'Tormund',
  ]);
  const options = [...new Set(pairs.map(([, answer]) => answer))];
  const list = join(folder, 'facts.json');
  writeFileSync(list, JSON.stringify({ pairs, options }));
  const spec = join(folder, 'spec.json');
  const dataset = { train: pairs, test: pairs, options: { train: options, test: options } };
  writeFileSync(
    spec,
    JSON.stringify({
      experiment: 'ocr',
      dataset,
      trainable,
      seeds: [2],
      epochs: 2,
      threads: 1,
      device: 'cpu',
      collisions: 'merge',
    }),
  );
  const { run } = await succeed(['run', spec, ...data, '--json']);
  const { weights, evaluations } = (await succeed(['show', String(run), ...data, '--json'])) as unknown as Shown;
  expect(weights).toMatchObject([{ stage: 'finetune', seed: 2, form: trainable === 'lora' ? 'low-rank' : 'values' }]);
  const [{ path, bytes, hash }] = weights as [Shown['weights'][number]];
  const content = readFileSync(path);
  expect([content.length, createHash('sha256').update(content).digest('hex')]).toEqual([bytes, hash]);
  const text = await hopscope(['show', String(run), ...data]);
  expect(text.stdout).toContain(path);
  const evaluate = (delta: string[]) =>
    succeed([
      'evaluate',
      '--model',
      smallWorld,
      '--dataset',
      list,
      '--collisions',
      'merge',
      '--threads',
      '1',
      '--device',
      'cpu',
      '--json',
      ...delta,
    ]);
  const last = evaluations.filter(({ set }) => set === 'facts').at(-1)!;
  expect(await evaluate(['--delta', path])).toMatchObject({ mean_rank: last.mean_rank, mean_cross_entropy: last.loss });
  expect((await evaluate([])).mean_cross_entropy).toBeGreaterThan(last.loss);
  const other = await hopscope([
    'evaluate',
    '--model',
    join(smallWorld, 'checkpoints', 'step-500'),
    '--dataset',
    list,
    '--delta',
    path,
  ]);
  expect(other.stderr).toContain('DeltaOfAnotherBase');
});
