import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RunState } from '../../src-main/shared/records.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, spawnHost, specOf, until, whenState } from './support.ts';

test('after a killed program its runs are interrupted, with every row that was stored', async () => {
  const folder = temporaryFolder();
  const other = spawnHost(folder, specOf('finish', { steps: 10_000, delay: 2 }));
  const run = await other.line();
  const looker = await openHost(folder);
  await until(async () => (await looker.service.steps(run)).length > 20);
  await looker.close();
  other.child.kill('SIGKILL');
  await once(other.child, 'exit');
  const { service } = await openHost(folder);
  expect(await service.run(run)).toMatchObject({ state: 'interrupted', error: { code: 'HostDied' }, results: null });
  const steps = await service.steps(run);
  expect(steps.length).toBeGreaterThan(20);
  expect(steps.map((row) => row.step)).toEqual(steps.map((_, index) => index));
  const { provenance } = await service.run(run);
  expect(provenance).not.toBeNull();
});

// Children are listed where Linux shows them.
test.runIf(existsSync('/proc/self/task'))('a compute process does not outlive the program that started it', async () => {
  const folder = temporaryFolder();
  const other = spawnHost(folder, specOf('finish', { steps: 10_000, delay: 2 }));
  await other.line();
  const { pid } = other.child;
  const children = await childrenOf(pid!);
  expect(children.length).toBe(1);
  other.child.kill('SIGKILL');
  await until(() => children.every((child) => !isAlive(child)));
});

test('two programs in one folder: each runs its own, both see all, a stop reaches the other', async () => {
  const folder = temporaryFolder();
  const other = spawnHost(folder, specOf('finish', { steps: 10_000, delay: 5 }));
  const exit = once(other.child, 'exit');
  const theirs = await other.line();
  const { service } = await openHost(folder);
  const seen: RunState[] = [];
  service.onRunChanged((change) => change.run === theirs && seen.push(change.state));
  const ours = (await service.startRun(specOf('finish', { steps: 100, delay: 5 }))).run;
  expect(await whenState(service, ours)).toBe('finished');
  await until(async () => (await service.steps(theirs)).length > 10);
  expect((await service.run(theirs)).state).toBe('running');
  expect((await service.runs()).runs.map((run) => run.run)).toEqual([ours, theirs]);
  await until(() => seen.includes('running'));
  await service.stopRun(theirs);
  expect(await whenState(service, theirs)).toBe('stopped');
  expect(await other.line()).toBe('stopped');
  expect(await exit).toEqual([0, null]);
  expect((await service.steps(ours)).length).toBe(100);
  expect((await service.steps(theirs)).length).toBeGreaterThan(10);
});

test('a program that dies while another looks on leaves its run interrupted', async () => {
  const folder = temporaryFolder();
  const { service } = await openHost(folder);
  const other = spawnHost(folder, specOf('finish', { steps: 10_000, delay: 5 }));
  const theirs = await other.line();
  await until(async () => (await service.run(theirs)).state === 'running');
  await new Promise((resolve) => setTimeout(resolve, 600));
  const interrupted = whenState(service, theirs);
  other.child.kill('SIGKILL');
  expect(await interrupted).toBe('interrupted');
});

test('three programs at once leave one clean file', async () => {
  const folder = temporaryFolder();
  const others = Array.from({ length: 3 }, () => spawnHost(folder, specOf('finish', { steps: 50 })));
  await Promise.all(others.map((other) => once(other.child, 'exit')));
  const { service } = await openHost(folder);
  const { runs } = await service.runs();
  expect(runs.map((run) => run.state)).toEqual(['finished', 'finished', 'finished']);
  for (const { run } of runs) expect((await service.steps(run)).length).toBe(50);
}, 120_000);

async function childrenOf(pid: number): Promise<number[]> {
  const path = `/proc/${pid}/task/${pid}/children`;
  await until(() => readFileSync(path, 'utf8').trim() !== '');
  return readFileSync(path, 'utf8').trim().split(/\s+/).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
