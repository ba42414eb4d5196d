/** Lists of runs through the service: sorted, with outcomes that follow what is measured, and deleted and brought back together. */
import { expect, test } from 'vitest';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, whenState } from './support.ts';

test('a list says what each run came to as its evaluations do', async () => {
  const { service } = await openHost(temporaryFolder());
  const { run } = await service.startRun(specOf('finish'));
  await whenState(service, run, 'finished');
  const rows = await service.evaluations(run);
  expect(rows.length).toBeGreaterThan(0);
  const { outcome } = (await service.runs()).runs[0]!;
  expect(outcome?.stage).toBe(rows[0]!.stage);
  expect(Object.keys(outcome!.lists).sort()).toEqual([...new Set(rows.map(({ set }) => set))].sort());
  expect((await service.run(run)).outcome).toEqual(outcome);
});

test('many runs are deleted in one step and listeners hear of each; what is no list is refused', async () => {
  const { service } = await openHost(temporaryFolder());
  const runs: string[] = [];
  for (let index = 0; index < 3; index++) runs.push((await service.startRun(specOf('finish'))).run);
  for (const run of runs) await whenState(service, run, 'finished');
  const told: string[] = [];
  service.onRunChanged((change) => told.push(change.run));
  expect((await service.deleteRuns([runs[0]!, runs[2]!, 'nothing'])).deleted.sort()).toEqual([runs[0], runs[2]].sort());
  expect((await service.runs()).runs.map(({ run }) => run)).toEqual([runs[1]]);
  await service.restoreRuns([runs[0]!, runs[1]!, runs[2]!]);
  expect((await service.runs()).total).toBe(3);
  expect(told.toSorted()).toEqual([runs[0], runs[0], runs[2], runs[2]].toSorted());
  for (const bad of [null, 'run', [1]])
    await expect(service.deleteRuns(bad as unknown as string[])).rejects.toMatchObject({ code: 'BadArgument' });
});

test('orders are those that there are', async () => {
  const { service } = await openHost(temporaryFolder());
  const sorted = (sort: unknown) => service.runs({ limit: 5, offset: 0, sort: sort as { by: 'title'; descending: boolean } });
  expect(await sorted({ by: 'title', descending: true })).toEqual({ runs: [], total: 0 });
  for (const bad of [null, {}, { by: 'id; DROP TABLE runs' }, 'title'])
    await expect(sorted(bad)).rejects.toMatchObject({ code: 'BadArgument' });
});

test('a title names the settings that differ, can be changed and changed back, and settings are searched', async () => {
  const { service } = await openHost(temporaryFolder());
  const { run: plain } = await service.startRun(specOf('finish'));
  const { run } = await service.startRun(specOf('finish', { lr: 1e-4 }));
  for (const each of [plain, run]) await whenState(service, each, 'finished');
  const title = 'OCR · first-hop · lr 1e-4 · small-world';
  expect((await service.run(plain)).title).toBe('OCR · first-hop · small-world');
  expect((await service.run(run)).title).toBe(title);

  const told: string[] = [];
  service.onRunChanged((change) => told.push(change.run));
  await service.renameRun(run, '  The slow one ');
  expect((await service.run(run)).title).toBe('The slow one');
  expect(told).toEqual([run]);
  for (const search of ['1e-4', '0.0001', 'lr 1e-4', 'epochs slow'])
    expect((await service.runs({ limit: 5, offset: 0, search })).runs.map((found) => found.run)).toEqual([run]);
  expect((await service.search('1e-4', { limit: 5 })).map(({ id }) => id)).toEqual([run]);
  expect((await service.runs({ limit: 5, offset: 0, search: '1e-5' })).total).toBe(0);
  await service.renameRun(run, title);
  expect((await service.runs()).runs.map((listed) => listed.title)).toContain(title);
  await expect(service.renameRun(run, ' ')).rejects.toMatchObject({ code: 'EmptyName' });
  await expect(service.renameRun('nothing', 'x')).rejects.toMatchObject({ code: 'RunNotFound' });
});
