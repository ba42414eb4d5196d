/** Kept weights in the database and the service: which there are, what is asked of compute, and what goes with a run. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { storeEmissions } from '../../src-main/database/measurements.ts';
import { type Database, openDatabase } from '../../src-main/database/open.ts';
import { purge } from '../../src-main/database/purge.ts';
import { createRun, deleteRun, markEnded, markRunning } from '../../src-main/database/runs.ts';
import { getWeights, listWeights, listWeightsOfModel } from '../../src-main/database/weights.ts';
import { sweepKeptFiles } from '../../src-main/service/kept-files.ts';
import type { DialPoint } from '../../src-main/shared/contract-weights.ts';
import type { KeptWeights } from '../../src-main/shared/records.ts';
import { evaluation, itemSet } from '../database/rows.ts';
import { newRun, temporaryFolder } from '../database/support.ts';
import { openHost } from './support.ts';

const row = (run: string, seed = 0): KeptWeights => ({
  seed,
  stage: 'finetune',
  file: `${run}/finetune.seed-${seed}.safetensors`,
  form: 'values',
  bytes: 5,
  hash: 'a'.repeat(64),
});

/** A run that has ended, with one training kept, and its file. */
function storeRun(database: Database, data: string, run: string): void {
  createRun(database, newRun(run));
  markRunning(database, run, '2026-11-22T10:00:00.000Z');
  storeEmissions(
    database,
    run,
    [
      { kind: 'items', items: itemSet },
      { kind: 'items', items: { ...itemSet, set: 'others' } },
      { kind: 'evaluation', row: evaluation(0) },
      { kind: 'weights', row: row(run) },
    ],
    1,
  );
  markEnded(database, run, { state: 'finished', finished: '2026-11-22T10:01:00.000Z', seconds: 1, error: null, results: null });
  writeKeptFile(data, row(run).file);
}

function writeKeptFile(data: string, file: string): void {
  mkdirSync(join(data, 'weights', file, '..'), { recursive: true });
  writeFileSync(join(data, 'weights', file), 'bytes');
}

function withDatabase<T>(data: string, work: (database: Database) => T): T {
  const database = openDatabase(join(data, 'hopscope.db'), { check: false });
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const point: DialPoint = { strengths: [{ layers: [0, 1], strength: 0.5 }], ranks: [{ set: 'facts', meanRank: 1.5, loss: 0.25 }] };

describe('the tables', () => {
  test('list what trainings kept, by run and by model, and say where nothing is', () => {
    const data = temporaryFolder();
    withDatabase(data, (database) => {
      storeRun(database, data, 'one');
      storeRun(database, data, 'two');
      storeEmissions(database, 'two', [{ kind: 'weights', row: row('two', 1) }], 2);
      expect(listWeights(database, 'two')).toEqual([row('two'), row('two', 1)]);
      expect(listWeights(database, 'nowhere')).toEqual([]);
      expect(listWeightsOfModel(database, 'small-world').map(({ run, seed }) => `${run} ${seed}`)).toEqual([
        'two 0',
        'two 1',
        'one 0',
      ]);
      expect(listWeightsOfModel(database, '/elsewhere')).toEqual([]);
      expect(getWeights(database, { run: 'one', seed: 0, stage: 'finetune' })).toEqual(row('one'));
      expect(() => getWeights(database, { run: 'one', seed: 1, stage: 'finetune' })).toThrow(
        expect.objectContaining({ code: 'WeightsNotKept' }),
      );
      deleteRun(database, 'two', '2026-11-22T11:00:00.000Z');
      expect(listWeightsOfModel(database, 'small-world').map(({ run }) => run)).toEqual(['one']);
    });
  });

  test('files go with the runs that are gone for good, and so do files that no run names', () => {
    const data = temporaryFolder();
    const at = (file: string) => existsSync(join(data, 'weights', file));
    withDatabase(data, (database) => {
      for (const run of ['kept', 'deleted', 'purged']) storeRun(database, data, run);
      createRun(database, newRun('waiting'));
      for (const file of [
        'kept/.finetune.seed-1.safetensors.12-ab.partial',
        'kept/unnamed.safetensors',
        'waiting/.x.partial',
        'nobody/y.safetensors',
      ])
        writeKeptFile(data, file);
      deleteRun(database, 'purged', '2026-10-01T00:00:00.000Z');
      deleteRun(database, 'deleted', '2026-11-22T00:00:00.000Z');
      purge(database, '2026-11-01T00:00:00.000Z');
      sweepKeptFiles(database, data);
      expect(listWeights(database, 'purged')).toEqual([]);
    });
    expect([row('kept').file, row('deleted').file, 'waiting/.x.partial'].filter((file) => !at(file))).toEqual([]);
    expect(
      ['purged', 'nobody', 'kept/unnamed.safetensors', 'kept/.finetune.seed-1.safetensors.12-ab.partial'].filter(at),
    ).toEqual([]);
  });
});

describe('the service', () => {
  test('lists, dials the lists that the training measured, and says what is wrong', async () => {
    const data = temporaryFolder();
    withDatabase(data, (database) => storeRun(database, data, 'one'));
    const { service } = await openHost(data);
    expect(await service.keptWeights('one')).toEqual([row('one')]);
    expect(await service.keptOfModel('small-world')).toMatchObject([{ run: 'one', seed: 0, stage: 'finetune' }]);
    const training = { run: 'one', seed: 0, stage: 'finetune' };
    const { sets } = await service.dial(training, [{ layers: [0, 1], strength: 0.5 }], 'dial');
    expect(sets.map(({ set }) => set)).toEqual(['facts']);
    await expect(service.keptWeights('nowhere')).rejects.toMatchObject({ code: 'RunNotFound' });
    const dial = (given: object, strengths: unknown) => service.dial({ ...training, ...given }, strengths as never, 'dial');
    await expect(dial({ seed: 7 }, [{ layers: [0, 1], strength: 1 }])).rejects.toMatchObject({ code: 'WeightsNotKept' });
    await expect(dial({ run: 'nowhere' }, [{ layers: [0, 1], strength: 1 }])).rejects.toMatchObject({ code: 'RunNotFound' });
    for (const strengths of [[], 'all', [{ layers: [0], strength: 1 }], [{ layers: [0, 1], strength: '1' }]])
      await expect(dial({}, strengths)).rejects.toMatchObject({ code: 'BadArgument' });
    const options = { top: 1, options: [], training: { ...training, seed: 7 } };
    await expect(service.nextTokens('small-world', 'a', options)).rejects.toMatchObject({ code: 'WeightsNotKept' });
  });

  test('paths are stored with the run, deleted and brought back', async () => {
    const data = temporaryFolder();
    withDatabase(data, (database) => storeRun(database, data, 'one'));
    const { service } = await openHost(data);
    const training = { run: 'one', seed: 0, stage: 'finetune' };
    const { path } = await service.saveDialPath(training, [point, { ...point, ranks: [] }]);
    const stored = await service.dialPaths('one');
    expect(stored).toEqual([
      { path, seed: 0, stage: 'finetune', points: [point, { ...point, ranks: [] }], created: expect.any(String) },
    ]);
    await service.deleteDialPath(path);
    expect(await service.dialPaths('one')).toEqual([]);
    await expect(service.deleteDialPath(path)).rejects.toMatchObject({ code: 'PathNotFound' });
    await service.restoreDialPath(path);
    expect(await service.dialPaths('one')).toEqual(stored);
    await expect(service.saveDialPath(training, [])).rejects.toMatchObject({ code: 'BadArgument' });
    const odd = [{ ...point, ranks: [{ set: 'facts', meanRank: Number.NaN, loss: 0 }] }];
    await expect(service.saveDialPath(training, odd)).rejects.toMatchObject({ code: 'BadArgument' });
    await expect(service.saveDialPath({ ...training, stage: 'other' }, [point])).rejects.toMatchObject({
      code: 'WeightsNotKept',
    });
  });
});
