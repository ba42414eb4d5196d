/**
 * The host as a utility process, with Electron's parts played by plain objects: compute processes are forked, joined and ended as asked.
 */
import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { ElectronMessagePort } from '../../src-main/shared/ports.ts';
import { startHostAsUtility, type UtilityChild } from '../../src-main/shell/host-utility.ts';

class FakeChild extends EventEmitter implements UtilityChild {
  readonly pid = undefined;
  readonly posted: { message: unknown; ports: ElectronMessagePort[] }[] = [];

  postMessage(message: unknown, ports: ElectronMessagePort[] = []): void {
    this.posted.push({ message, ports });
  }
}

function fakePort(name: string): ElectronMessagePort {
  return { name, postMessage() {}, on() {}, start() {}, close() {} } as ElectronMessagePort;
}

function start() {
  const forked: { entry: string; parameters: string[]; child: FakeChild }[] = [];
  const deaths: string[] = [];
  const channel = { port1: fakePort('compute end'), port2: fakePort('host end') };
  const host = startHostAsUtility(
    {
      fork(entry, parameters) {
        const child = new FakeChild();
        forked.push({ entry, parameters, child });
        return child;
      },
      channel: () => channel,
    },
    {
      hostEntry: 'host.cjs',
      computeEntry: 'compute.cjs',
      dataFolder: '/data',
      resources: '/resources',
      environment: {},
      onDeath: (reason) => deaths.push(reason),
    },
  );
  return { host, forked, deaths, channel, child: forked[0]!.child };
}

test('the host is started, and given each screen', () => {
  const { host, forked, child } = start();
  expect(forked[0]).toMatchObject({ entry: 'host.cjs', parameters: ['--host-process'] });
  expect(child.posted[0]?.message).toEqual({ type: 'start', dataFolder: '/data', resources: '/resources' });
  const screen = fakePort('screen');
  host.connect(screen);
  expect(child.posted[1]).toEqual({ message: { type: 'client' }, ports: [screen] });
});

test('a compute process is joined to the host with one channel, and its end is told', () => {
  const { forked, channel, child } = start();
  child.emit('message', { type: 'launch-compute', id: 7 });
  const compute = forked[1]!;
  expect(compute.entry).toBe('compute.cjs');
  expect(compute.child.posted).toEqual([{ message: { type: 'start', resources: '/resources' }, ports: [channel.port1] }]);
  expect(child.posted.at(-1)).toEqual({ message: { type: 'compute', id: 7 }, ports: [channel.port2] });
  child.emit('message', { type: 'kill-compute', id: 7 });
  child.emit('message', { type: 'kill-compute', id: 8 });
  compute.child.emit('exit', 9);
  expect(child.posted.at(-1)?.message).toEqual({ type: 'compute-exit', id: 7, code: 9 });
});

test('its death is told once, with its own error where it gave one; an end that was asked for is not', async () => {
  const first = start();
  first.child.emit('exit', 1);
  expect(first.deaths).toHaveLength(1);
  expect(first.deaths[0]).toContain('exit code 1');

  const second = start();
  second.child.emit('message', { type: 'failed', error: { code: 'DataBroken', message: 'It is broken.' } });
  second.child.emit('exit', 1);
  expect(second.deaths).toEqual(['error[DataBroken]: It is broken.']);

  const third = start();
  const stopped = third.host.stop();
  expect(third.child.posted.at(-1)?.message).toEqual({ type: 'close' });
  third.child.emit('exit', 0);
  await stopped;
  expect(third.deaths).toEqual([]);
});
