import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { launchComputeUnderNode } from '../../src-main/service/compute-launcher.ts';
import type { Service } from '../../src-main/shared/contract.ts';
import { computeMembers } from '../../src-main/shared/members.ts';
import { closeOnce } from '../../src-main/shared/ports.ts';
import { connect, type Port, serve } from '../../src-main/shared/rpc.ts';
import { temporaryFolder } from '../database/support.ts';
import { nodePort } from '../shared/node-port.ts';
import { computeEntry, specOf, whenState } from './support.ts';

interface FromHost {
  type?: string;
  id?: number;
  client?: number;
  message?: unknown;
  closed?: boolean;
  error?: { code: string };
}

const hostEntry = join(import.meta.dirname, '../../src-main/host.ts');

function forkHost() {
  const child = fork(hostEntry, ['--host-process'], { execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const received: FromHost[] = [];
  child.on('message', (message) => received.push(message as FromHost));
  return { child, received };
}

/** The shell's end of one multiplexed screen. */
function screenPort(child: ReturnType<typeof fork>, client: number): Port {
  const closing = closeOnce();
  child.send({ type: 'client', client });
  child.on('exit', closing.close);
  return {
    post: (message) => void child.send({ client, message }),
    onMessage(listener) {
      child.on('message', (message) => {
        const { client: of, message: inner, closed } = message as FromHost;
        if (of === client && !closed) listener(inner);
      });
    },
    onClose: closing.listen,
    close() {
      child.send({ client, closed: true });
      closing.close();
    },
  };
}

test('under an external Node: screens share the channel, the host closes when told', async () => {
  const { child, received } = forkHost();
  child.send({ type: 'start', dataFolder: temporaryFolder(), resources: '/resources', computeEntry });
  const first = connect<Service>(screenPort(child, 1));
  const second = connect<Service>(screenPort(child, 2));
  const { run } = await first.startRun(specOf('finish'));
  expect(received[0]).toEqual({ type: 'ready' });
  expect(await whenState(second, run)).toBe('finished');
  expect((await second.run(run)).title).toBe('OCR · first-hop · small-world');
  first.close();
  await expect(second.run('absent')).rejects.toMatchObject({ code: 'RunNotFound' });
  child.send({ type: 'close' });
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expect(second.runs()).rejects.toMatchObject({ code: 'Disconnected' });
});

test('under an external Node: it ends with the shell, and says why it cannot start', async () => {
  const orphan = forkHost();
  orphan.child.send({ type: 'start', dataFolder: temporaryFolder(), resources: '', computeEntry });
  await once(orphan.child, 'message');
  orphan.child.disconnect();
  expect(await once(orphan.child, 'exit')).toEqual([0, null]);
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const failing = forkHost();
  failing.child.send({ type: 'start', dataFolder: file, resources: '', computeEntry });
  expect(await once(failing.child, 'exit')).toEqual([1, null]);
  expect(failing.received).toMatchObject([{ type: 'failed', error: { code: 'DataFolderUnusable' } }]);
});

test('as a utility process: the shell forks compute, joins the two, and tells of its end', async () => {
  const worker = new Worker(new URL('utility-worker.ts', import.meta.url));
  onTestFinished(() => void worker.terminate());
  const post = (data: unknown, port?: MessageChannel['port1']) => worker.postMessage({ data, port }, port ? [port] : []);
  const asked: string[] = [];
  const computes = new Map<number, Awaited<ReturnType<typeof launchComputeUnderNode>>>();
  worker.on('message', async ({ type, id = 0 }: FromHost) => {
    asked.push(`${type} ${id}`);
    if (type === 'kill-compute') computes.get(id)?.kill();
    if (type !== 'launch-compute') return;
    // The second one cannot be started at all.
    if (id === 2) return post({ type: 'compute-exit', id, code: 1 });
    const compute = await launchComputeUnderNode(computeEntry, { resources: '/resources' });
    computes.set(id, compute);
    const { port1, port2 } = new MessageChannel();
    serve(compute.client, nodePort(port1), computeMembers);
    compute.onExit(({ code }) => {
      port1.close();
      post({ type: 'compute-exit', id, code });
    });
    post({ type: 'compute', id }, port2);
  });
  const { port1, port2 } = new MessageChannel();
  const service = connect<Service>(nodePort(port1));
  // A screen may come before the host is ready.
  post({ type: 'client' }, port2);
  post({ type: 'start', dataFolder: temporaryFolder(), resources: '/resources' });
  const { run } = await service.startRun(specOf('exit'));
  expect(await whenState(service, run)).toBe('interrupted');
  expect((await service.run(run)).error).toMatchObject({ code: 'ComputeDied', message: expect.stringContaining('exit code 7') });
  await expect(service.startRun(specOf('finish'))).rejects.toMatchObject({
    code: 'ComputeDied',
    message: expect.stringContaining('exit code 1'),
  });
  const next = await service.startRun(specOf('finish'));
  expect(await whenState(service, next.run)).toBe('finished');
  post({ type: 'close' });
  await once(worker, 'exit');
  expect(asked).toEqual(['ready 0', 'launch-compute 1', 'launch-compute 2', 'launch-compute 3', 'kill-compute 3']);
});
