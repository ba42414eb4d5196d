/** Keeping what trainings learned when things go wrong: full disks, processes killed while writing; and what is kept at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src-main/database/open.ts';
import { keepingOf, readKept, writeKept } from '../../src-main/engine/files/kept-weights.ts';
import { LowRankTensor } from '../../src-main/engine/files/low-rank-tensor.ts';
import { valuesOf } from '../../src-main/engine/files/values.ts';
import { between } from '../../src-main/engine/files/weight-sets.ts';
import type { Model } from '../../src-main/engine/models/model.ts';
import { type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';
import type { StoredTensor, Weights } from '../../src-main/engine/weights.ts';
import { autoKept, isKeptChoice, keptTrainings } from '../../src-main/experiments/kept-trainings.ts';
import { sweepKeptFiles } from '../../src-main/service/kept-files.ts';
import type { Emission } from '../../src-main/shared/records.ts';
import { temporaryFolder } from '../database/support.ts';

const vector = (...values: number[]): FloatTensor => floatTensor([values.length], Float32Array.from(values));
const model = { checkpoint: { hash: () => 'model' } } as unknown as Model;
const base: Weights = new Map([
  ['a', vector(1, 2, 3)],
  ['b', vector(4, 5)],
]);

/** A tensor that is read from somewhere that may fail. */
function stored(shape: number[], fetch: (target: Uint8Array) => Promise<void>): StoredTensor {
  const tensor: StoredTensor = {
    type: 'stored',
    storedType: 'float32',
    shape,
    fetch,
    rows: () => new Float32Array(),
    slice: () => tensor,
  };
  return tensor;
}

async function keepIn(folder: string, weights: Weights, stages = ['finetune']): Promise<Emission[]> {
  const emissions: Emission[] = [];
  const settings = {
    folder,
    run: 'run',
    choice: 'all',
    model,
    base,
    emit: (emission: Emission) => void emissions.push(emission),
  } as const;
  const kept = keptTrainings(settings);
  for (const stage of stages) await kept.keep({ seed: 0, stage, weights });
  return emissions;
}

describe('what is kept', () => {
  test('all, nothing, or what is small', () => {
    expect(isKeptChoice('auto', autoKept - 1)).toBe(true);
    expect(isKeptChoice('auto', autoKept)).toBe(false);
    expect(isKeptChoice('all', 1e12)).toBe(true);
    expect(isKeptChoice('none', 1)).toBe(false);
  });

  test('tensors that changed, under names of their own', async () => {
    const folder = temporaryFolder();
    const weights = new Map([...base, ['b', vector(4, 6)]]);
    const emissions = await keepIn(folder, weights, ['facts & more', 'Facts – more', '../..']);
    const files = emissions.map((emission) => (emission.kind === 'weights' ? emission.row.file : emission));
    expect(files).toEqual([
      'run/facts-more.seed-0.safetensors',
      'run/facts-more.seed-0.2.safetensors',
      'run/training.seed-0.safetensors',
    ]);
    const trained = readKept(join(folder, 'run', 'training.seed-0.safetensors')).trainedFrom(base);
    expect([...trained.keys()]).toEqual(['b']);
    expect((await valuesOf(trained.get('b')!)).data).toEqual(Float32Array.of(4, 6));
    expect(await keepIn(folder, base)).toEqual([]);
  });

  test('adapters on a model’s own tensor stay adapters, on anything else they do not', async () => {
    const folder = temporaryFolder();
    const own: Weights = new Map([['m', floatTensor([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))]]);
    const change = {
      rank: 1,
      scale: 0.5,
      a: Float32Array.of(1, 2, 3),
      b: Float32Array.of(4, 5),
      inputFirst: false,
      generation: () => 0,
    };
    const once = new LowRankTensor(own.get('m')!, change);
    const twice = new LowRankTensor(once, { ...change, scale: -0.25, b: Float32Array.of(7, 0.1) });
    for (const tensor of [once, twice, new LowRankTensor(floatTensor([2, 3]), change)]) {
      const keeping = keepingOf(new Map([['m', tensor]]), own);
      const path = join(folder, 'kept.safetensors');
      await writeKept(path, keeping, 'model');
      const kept = readKept(path);
      expect((await valuesOf(kept.trainedFrom(own).get('m')!)).data).toEqual((await valuesOf(tensor)).data);
      expect(keeping.form).toBe(tensor === once || tensor === twice ? 'low-rank' : 'values');
    }
    const path = join(folder, 'kept.safetensors');
    expect(() => readKept(path).trainedFrom(base)).toThrow(expect.objectContaining({ code: 'MissingTensor' }));
    expect(() => readKept(path).trainedFrom(new Map([['m', vector(1)]]))).toThrow(
      expect.objectContaining({ code: 'WrongShape' }),
    );
  });

  test('a file larger than memory should hold is read in place', async () => {
    const path = join(temporaryFolder(), 'kept.safetensors');
    await writeKept(path, keepingOf(new Map([['a', vector(7, 8, 9)]]), base), 'model');
    const kept = readKept(path, 4);
    const trained = kept.trainedFrom(base);
    expect(trained.get('a')!.type).toBe('stored');
    const half = between(base, trained, () => 0.5);
    expect((await valuesOf(half.get('a')!)).data).toEqual(Float32Array.of(4, 5, 6));
    kept.close();
    await expect(valuesOf(trained.get('a')!)).rejects.toMatchObject({ code: 'BadSafetensors' });
  });

  test('strengths: the very tensors at 0 and 1, base + strength x change elsewhere', async () => {
    const trained = new Map([
      ['a', vector(2, 0, 3)],
      ['b', vector(0, 9)],
    ]);
    const weights = between(base, trained, (name) => (name === 'a' ? 1 : 0));
    expect(weights.get('a')).toBe(trained.get('a'));
    expect(weights.get('b')).toBe(base.get('b'));
    const beyond = between(base, trained, (name) => (name === 'a' ? 2 : -1));
    expect((await valuesOf(beyond.get('a')!)).data).toEqual(Float32Array.of(3, -2, 3));
    expect((await valuesOf(beyond.get('b')!)).data).toEqual(Float32Array.of(8, 1));
  });
});

describe('when it cannot be written', () => {
  test('a disk that fills up while writing leaves nothing, and the next training is tried again', async () => {
    const folder = temporaryFolder();
    const full = async () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    };
    const weights = new Map([...base, ['a', vector(9, 9, 9)], ['b', stored([2], full)]]);
    const emissions = await keepIn(folder, weights, ['finetune', 'again']);
    expect(emissions).toEqual([
      { kind: 'warning', message: expect.stringMatching(/^What finetune, seed 0, learned is not kept: .*the disk is full/) },
      { kind: 'warning', message: expect.stringContaining('What again') },
    ]);
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
  });

  test('a disk without the room for it is left alone', async () => {
    const folder = temporaryFolder();
    const unread = () => Promise.reject(new Error('It must not be read.'));
    const emissions = await keepIn(folder, new Map([['a', stored([2 ** 50], unread)]]));
    expect(emissions).toEqual([{ kind: 'warning', message: expect.stringContaining('MiB') }]);
    expect(existsSync(join(folder, 'run'))).toBe(false);
  });

  test('a process killed while writing leaves no file under its name, and what it left goes at the next start', async () => {
    const data = temporaryFolder();
    const folder = join(data, 'weights', 'run');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'finetune.seed-0.safetensors');
    const child = spawn(process.execPath, [join(import.meta.dirname, 'keeping-writer.ts'), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout!, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/\.partial$/)]);
    const database = openDatabase(join(data, 'hopscope.db'), { check: false });
    sweepKeptFiles(database, data);
    database.close();
    expect(existsSync(folder)).toBe(false);
  });
});
