/** Halting a run between two steps, and what of it the screens are told; and an item's other runs. */
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../database/support.ts';
import { openHost, specOf, until, whenState } from './support.ts';

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('pausing', () => {
  test('halts a run between two steps and lets it go on to its end', async () => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf('finish', { steps: 200, delay: 10 }));
    await until(async () => (await service.steps(run)).length >= 3);
    await service.pauseRun(run);
    const { title } = await service.run(run);
    expect(await service.queue()).toEqual([{ run, title, running: true, paused: true }]);
    expect((await service.runs()).runs[0]!.paused).toBe(true);
    // The step under way and rows that wait are still stored
    let halted = -1;
    for (let steps = 0; steps !== halted; ) {
      halted = steps;
      await pause(250);
      steps = (await service.steps(run)).length;
    }
    const { seconds } = await service.run(run);
    expect(halted).toBeLessThan(200);
    await pause(250);
    expect(await service.steps(run)).toHaveLength(halted);
    await service.resumeRun(run);
    expect(await whenState(service, run)).toBe('finished');
    expect(await service.steps(run)).toHaveLength(200);
    // 200 steps of 10 ms, not the half second in which nothing was computed
    const end = await service.run(run);
    const whole = (Date.parse(end.finished!) - Date.parse(end.started!)) / 1000;
    expect(end.seconds).toBeGreaterThan(seconds);
    expect(whole - end.seconds).toBeGreaterThan(0.4);
    expect(await service.queue()).toEqual([]);
    expect(end.paused).toBe(false);
    expect(end.pauses).toHaveLength(1);
    const [halt] = end.pauses;
    expect(Date.parse(halt!.ended!) - Date.parse(halt!.begun)).toBeGreaterThan(400);
  });

  test('a paused run can be stopped, and what waits behind it then runs', async () => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf('finish', { steps: 400, delay: 10 }));
    const { run: next } = await service.startRun(specOf('finish', { steps: 3 }));
    await until(async () => (await service.steps(run)).length >= 3);
    await service.pauseRun(run);
    expect(await service.queue()).toMatchObject([
      { run, running: true, paused: true },
      { run: next, running: false, paused: false },
    ]);
    await service.stopRun(run);
    const ended = await service.run(run);
    expect(ended.state).toBe('stopped');
    // It never went on
    expect(ended.paused).toBe(false);
    expect(ended.pauses).toEqual([{ begun: expect.any(String), ended: null }]);
    expect(await whenState(service, next)).toBe('finished');
  });

  test('only a running run can be paused', async () => {
    const { service } = await openHost(temporaryFolder());
    const { run } = await service.startRun(specOf('finish', { steps: 200, delay: 10 }));
    const { run: waiting } = await service.startRun(specOf('finish'));
    await expect(service.pauseRun(waiting)).rejects.toMatchObject({ code: 'RunNotRunning' });
    await expect(service.resumeRun('nothing')).rejects.toMatchObject({ code: 'RunNotRunning' });
    await service.stopRun(waiting);
    await service.stopRun(run);
    await expect(service.pauseRun(run)).rejects.toMatchObject({ code: 'RunNotRunning' });
  });
});

describe('an item in other runs', () => {
  test('is found by its prompt and answer, with the ranks it ended at', async () => {
    const { service } = await openHost(temporaryFolder());
    const runs: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { run } = await service.startRun(specOf('finish', { steps: 1 }));
      await whenState(service, run);
      runs.push(run);
    }
    const [first, second, third] = runs as [string, string, string];
    const [{ set, items }] = (await service.evaluations(first, { items: true })).slice(-1) as [
      Awaited<ReturnType<typeof service.evaluations>>[number],
    ];
    const { item, rank } = items[0]!;
    const twins = await service.itemTwins(first, set, item);
    expect(twins.map((twin) => twin.run)).toEqual([third, second]);
    expect(twins[0]).toMatchObject({ set, item, ranks: [{ rank }] });
    await service.deleteRun(second);
    expect((await service.itemTwins(first, set, item)).map((twin) => twin.run)).toEqual([third]);
    await expect(service.itemTwins(first, set, 999)).rejects.toMatchObject({ code: 'ItemNotFound' });
    await expect(service.itemTwins(first, 'nothing', 0)).rejects.toMatchObject({ code: 'ItemNotFound' });
    await expect(service.itemTwins('nothing', set, 0)).rejects.toMatchObject({ code: 'RunNotFound' });
  });
});
