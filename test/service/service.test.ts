import { describe, expect, test } from 'vitest';
import { availableMemory } from '../../src-main/engine/available-memory.ts';
import type { RunState, StepRow } from '../../src-main/shared/records.ts';
import { evaluation, itemSet } from '../database/rows.ts';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, until, whenState } from './support.ts';

function numbers(steps: StepRow[]): number[] {
  return steps.map((row) => row.step);
}

describe('a run', () => {
  test('from click to stored results, one path for live view and reopening', async () => {
    const folder = temporaryFolder();
    const host = await openHost(folder);
    const { service } = host;
    const states: RunState[] = [];
    service.onRunChanged(({ state }) => states.push(state));
    const { run } = await service.startRun(specOf('finish'));
    expect(run).toMatch(/^\d{8}-\d{6}-[a-z0-9]{4}$/);
    expect(await whenState(service, run)).toBe('finished');
    expect([states[0], states[1], states.at(-1)]).toEqual(['queued', 'running', 'finished']);
    const detail = await service.run(run);
    expect(detail).toMatchObject({
      experiment: 'ocr',
      title: 'OCR · first-hop · small-world',
      model: 'small-world',
      dataset: 'first-hop',
      state: 'finished',
      spec: { ...specOf('finish'), epochs: 12 },
      progress: { done: 20, total: 20 },
      results: { epochs: [{ fact_rank: 0.5 }] },
      provenance: { device: 'cpu' },
      warnings: ['Made up.'],
      error: null,
    });
    expect(detail.seconds).toBeGreaterThan(0.05);
    expect(detail.seconds).toBeLessThan(30);
    expect(numbers(await service.steps(run))).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(await service.itemSets(run)).toEqual([itemSet]);
    expect(await service.evaluations(run, { items: true })).toEqual([evaluation(0), evaluation(1)]);
    expect(await service.evaluations(run)).toEqual([evaluation(0, 0), evaluation(1, 0)]);
    await host.close();
    const again = await openHost(folder);
    expect(await again.service.run(run)).toEqual(detail);
    expect(await again.service.runs()).toMatchObject({ total: 1, runs: [{ run, state: 'finished' }] });
    await again.service.deleteRun(run);
    expect((await again.service.runs()).total).toBe(0);
  });

  test('rows can be read while it goes on', async () => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf('finish', { steps: 60, delay: 20 }));
    await until(async () => (await service.steps(run)).length >= 10);
    const detail = await service.run(run);
    expect(detail.state).toBe('running');
    expect(detail.progress?.done).toBeGreaterThanOrEqual(9);
    expect(detail.seconds).toBeGreaterThan(0);
    await service.stopRun(run);
  });

  test('bursts of 200 rows are stored whole, with about ten notices a second', async () => {
    const { service } = await openHost(temporaryFolder());
    let notices = 0;
    service.onRunChanged(() => notices++);
    const began = performance.now();
    const { run } = await service.startRun(specOf('burst', { steps: 10_000, items: 200 }));
    expect(await whenState(service, run)).toBe('finished');
    const seconds = (performance.now() - began) / 1000;
    expect(numbers(await service.steps(run))).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
    const evaluations = await service.evaluations(run, { items: true });
    expect(evaluations.map((row) => row.items.length)).toEqual([200, 200]);
    expect(evaluations[1]).toEqual(evaluation(1, 200));
    expect(notices).toBeLessThan(6 + 11 * seconds);
  });

  test('runs wait their turn, one at a time, in order', async () => {
    const { service } = await openHost(temporaryFolder());
    const runs = [];
    for (let index = 0; index < 3; index++) runs.push((await service.startRun(specOf('finish', { steps: 5 }))).run);
    let most = 0;
    service.onRunChanged(() => {
      void service.runs().then((page) => {
        most = Math.max(most, page.runs.filter((run) => run.state === 'running').length);
      });
    });
    for (const run of runs) expect(await whenState(service, run)).toBe('finished');
    const details = await Promise.all(runs.map((run) => service.run(run)));
    expect(most).toBe(1);
    expect(details[0]!.finished! <= details[1]!.started! && details[1]!.finished! <= details[2]!.started!).toBe(true);
    // All by one compute process.
    expect(new Set(details.map((detail) => JSON.stringify(detail.results))).size).toBe(1);
  });
});

describe('stopping', () => {
  test('a running run keeps what it measured; a queued one never starts; stopping again is nothing', async () => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf('finish', { steps: 10_000 }));
    const queued = (await service.startRun(specOf('finish'))).run;
    await until(async () => (await service.steps(run)).length > 5);
    await service.stopRun(queued);
    await service.stopRun(run);
    expect(await service.run(run)).toMatchObject({ state: 'stopped', error: null, results: null });
    expect(await service.run(queued)).toMatchObject({ state: 'stopped', started: null });
    const steps = await service.steps(run);
    expect(numbers(steps)).toEqual(steps.map((_, index) => index));
    await service.stopRun(run);
    const next = await service.startRun(specOf('finish'));
    expect(await whenState(service, next.run)).toBe('finished');
  });

  test('compute that does not answer is killed, and the next run has a new one', async () => {
    const { service } = await openHost(temporaryFolder(), 50);
    const { run } = await service.startRun(specOf('hang'));
    await until(async () => (await service.steps(run)).length === 4);
    const asked = performance.now();
    await service.stopRun(run);
    // Less than without the time that was given here, 5 s
    expect(performance.now() - asked).toBeLessThan(4900);
    expect(await service.run(run)).toMatchObject({ state: 'stopped', error: null });
    const next = await service.startRun(specOf('finish'));
    expect(await whenState(service, next.run)).toBe('finished');
  });

  test('closing the program leaves no run unfinished', async () => {
    const folder = temporaryFolder();
    const host = await openHost(folder);
    const { run } = await host.service.startRun(specOf('finish', { steps: 10_000 }));
    const queued = (await host.service.startRun(specOf('finish'))).run;
    await until(async () => (await host.service.steps(run)).length > 5);
    await host.close();
    const { service } = await openHost(folder);
    for (const name of [run, queued])
      expect(await service.run(name)).toMatchObject({ state: 'interrupted', error: { code: 'Closed' } });
    expect((await service.steps(run)).length).toBeGreaterThan(5);
  });
});

describe('compute that ends', () => {
  test.each([
    ['SIGKILL', /memory/],
    ['SIGSEGV', /SIGSEGV/],
    ['SIGABRT', /SIGABRT/],
    ['exit', /exit code 7/],
  ])('by %s interrupts the run by name and keeps its rows; the next run has a new one', async (behaviour, message) => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf(behaviour));
    const queued = (await service.startRun(specOf('finish', { steps: 5 }))).run;
    expect(await whenState(service, run)).toBe('interrupted');
    const { error, results } = await service.run(run);
    expect([error, results]).toEqual([{ code: 'ComputeDied', kind: 'failure', message: expect.stringMatching(message) }, null]);
    if (behaviour !== 'exit') expect(numbers(await service.steps(run))).toEqual([0, 1, 2, 3]);
    expect(await whenState(service, queued)).toBe('finished');
  });

  test('while asked something else, is named too', async () => {
    const { service } = await openHost(temporaryFolder());
    await expect(service.describeModel('die')).rejects.toMatchObject({
      code: 'ComputeDied',
      message: expect.stringContaining('exit code 9'),
    });
    expect(await service.devices()).toEqual([{ device: 'cpu', available: true, detail: '/resources' }]);
  });
});

describe('what goes wrong', () => {
  test("in an experiment is the run's error", async () => {
    const { service } = await openHost(temporaryFolder());
    const expected = { fail: ['OutOfMemory', 'failure'], bug: ['Internal', 'failure'], diverge: ['NotFinite', 'failure'] };
    for (const [behaviour, [code, kind]] of Object.entries(expected)) {
      const { run } = await service.startRun(specOf(behaviour));
      expect(await whenState(service, run)).toBe('failed');
      expect((await service.run(run)).error).toMatchObject({ code, kind });
    }
  });

  test('before a run leaves nothing stored', async () => {
    const { service } = await openHost(temporaryFolder());
    await expect(service.startRun({ experiment: 'ocr', model: 'small-world', dataset: 'absent' })).rejects.toMatchObject({
      code: 'DatasetNotFound',
    });
    await expect(service.describeModel('/nowhere')).rejects.toMatchObject({ code: 'ModelNotFound', kind: 'input' });
    expect(await service.runs()).toEqual({ runs: [], total: 0 });
  });

  test('in what a caller passes is typed', async () => {
    const { service } = await openHost(temporaryFolder());
    const loose = service as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>;
    for (const member of ['run', 'steps', 'itemSets', 'evaluations', 'stopRun', 'deleteRun']) {
      for (const value of [undefined, null, 7, {}, [], 'x'.repeat(5000)]) {
        await expect(loose[member]!(value), member).rejects.toMatchObject({ code: 'BadArgument' });
      }
      await expect(loose[member]!(`absent' --`), member).rejects.toMatchObject({ code: 'RunNotFound' });
    }
    for (const value of [undefined, null, 'ocr', [], { experiment: 1 }]) {
      await expect(loose.startRun!(value)).rejects.toMatchObject({ code: 'BadSpec' });
    }
    for (const limit of [-1, 0.5, '3', Number.NaN]) {
      await expect(loose.runs!({ limit, offset: 0 })).rejects.toMatchObject({ code: 'BadArgument' });
    }
  });

  test('deleting a run that goes on is refused', async () => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf('finish', { steps: 1000 }));
    await expect(service.deleteRun(run)).rejects.toMatchObject({ code: 'RunActive' });
    await service.stopRun(run);
    await service.deleteRun(run);
    await expect(service.run(run)).rejects.toMatchObject({ code: 'RunNotFound' });
  });
});

test('about names this program and machine', async () => {
  const folder = temporaryFolder();
  const { service } = await openHost(folder);
  const about = await service.about();
  expect(about).toMatchObject({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    smallWorld: expect.stringMatching(/small-world$/),
  });
  expect(Object.keys(about.versions)).toEqual(expect.arrayContaining(['hopscope', 'node', 'sqlite', 'onnxruntime-node']));
  // The same answer as plans of work are made with; it moves a little between two questions
  expect(Math.abs(about.memory.available / availableMemory() - 1)).toBeLessThan(0.2);
  expect(about.threads).toBeGreaterThan(0);
});
