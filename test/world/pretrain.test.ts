/** Pretraining on a tiny recipe: what it writes, and that a training stopped on the way ends with the same numbers as one that was not. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openModel } from '../../src-main/engine/models/model.ts';
import { pretrain } from '../../src-main/world/pretrain.ts';
import { DEFAULT_RECIPE, withChanges } from '../../src-main/world/recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'hopscope-pretrain-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipe = withChanges(DEFAULT_RECIPE, {
  steps: 500,
  batch: 2,
  checkpoints: [100, 500],
  model: { ...DEFAULT_RECIPE.model, layers: 1, width: 16, heads: 2, mlpWidth: 24 },
  evaluation: { ...DEFAULT_RECIPE.evaluation, people: 4, finetuneSeeds: [0], epochs: 1 },
});

const settings = { device: 'cpu', threads: 1 } as const;

/** Everything but how long it took. */
const lasting = (path: string) => {
  const { seconds: _, ...record } = JSON.parse(readFileSync(join(path, 'record.json'), 'utf8')) as { seconds: number };
  return { record, weights: readFileSync(join(path, 'model.safetensors')).toString('base64') };
};

test('a stopped training goes on to the same model', async () => {
  const straight = join(folder, 'straight');
  const steps: number[] = [];
  await pretrain(recipe, { ...settings, out: straight, onProgress: ({ done }) => steps.push(done) });
  expect(steps.at(-1)).toBe(recipe.steps);

  const stopped = join(folder, 'stopped');
  // Behind the save at step 400, so that 60 steps are done again
  const abort = new AbortController();
  const stop = pretrain(recipe, {
    ...settings,
    out: stopped,
    signal: abort.signal,
    onProgress: ({ done }) => {
      if (done === 460) abort.abort();
    },
  });
  await expect(stop).rejects.toMatchObject({ name: 'AbortError' });
  expect(existsSync(stopped)).toBe(false);
  const again: number[] = [];
  await pretrain(recipe, { ...settings, out: stopped, onProgress: ({ done }) => again.push(done) });
  expect(again[0]).toBe(401);
  expect(lasting(stopped)).toEqual(lasting(straight));
  expect(existsSync(`${stopped}.working`)).toBe(false);

  const model = await openModel(stopped);
  expect(model.configuration).toMatchObject({ family: 'llama', layers: 1, hidden: 16 });
  model.checkpoint.close();
  const checkpoint = await openModel(join(stopped, 'checkpoints', 'step-100'));
  expect(checkpoint.checkpoint.dtype).toBe('float16');
  checkpoint.checkpoint.close();
  expect(existsSync(join(stopped, 'checkpoints', 'step-500'))).toBe(false);
});

test('a folder that is there is left alone, and a stopped training of another recipe is not mixed in', async () => {
  await expect(pretrain(recipe, { ...settings, out: join(folder, 'straight') })).rejects.toMatchObject({ code: 'FolderExists' });
  const out = join(folder, 'other');
  const abort = new AbortController();
  const stop = pretrain(recipe, {
    ...settings,
    out,
    signal: abort.signal,
    onProgress: ({ done }) => {
      if (done === 210) abort.abort();
    },
  });
  await expect(stop).rejects.toMatchObject({ name: 'AbortError' });
  await expect(pretrain(withChanges(recipe, { seed: 1 }), { ...settings, out })).rejects.toMatchObject({ code: 'AnotherRecipe' });
});
