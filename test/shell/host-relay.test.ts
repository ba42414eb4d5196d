/**
 * The relay between screens and a host under another Node: messages of several screens keep apart, ends are told both ways.
 * The host here is a few lines that echo; the real one is run end to end.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ElectronMessagePort } from '../../src-main/shared/ports.ts';
import { startHostUnderNode } from '../../src-main/shell/host-relay.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-relay-'));
  writeFileSync(
    join(folder, 'host.cjs'),
    `process.on('message', (m) => {
      if (m.type === 'close') process.exit(0);
      else if (m.type === 'start') process.send({ type: 'ready' });
      else if (m.message === 'fail') { process.send({ type: 'failed', error: { code: 'DataBroken', message: 'It is broken.' } }); process.exit(1); }
      else if (m.message === 'end') process.send({ client: m.client, closed: true });
      else if (m.message === 'die') process.exit(3);
      else if (m.message) process.send({ client: m.client, message: { client: m.client, echo: m.message } });
    });`,
  );
  writeFileSync(join(folder, 'deaf.cjs'), "process.on('message', () => {}); setInterval(() => {}, 1000);");
});
afterAll(() => rmSync(folder, { recursive: true }));

function start(entry = 'host.cjs', node = process.execPath) {
  let tell: (reason: string) => void = () => {};
  const death = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const host = startHostUnderNode(node, {
    hostEntry: join(folder, entry),
    computeEntry: 'compute.cjs',
    dataFolder: folder,
    resources: folder,
    environment: {},
    onDeath: tell,
  });
  return { host, death };
}

/** Node's port with the little that Electron's does otherwise: messages come as events. */
function asElectron(port: MessagePort): ElectronMessagePort {
  return {
    postMessage: (message) => port.postMessage(message),
    on(event: 'message' | 'close', listener: (event: { data: unknown }) => void) {
      port.on(event, (data: unknown) => listener({ data }));
    },
    start: () => port.start(),
    close: () => port.close(),
  };
}

function screenOf(host: ReturnType<typeof start>['host']): MessagePort {
  const { port1, port2 } = new MessageChannel();
  host.connect(asElectron(port1));
  return port2;
}

const next = (port: MessagePort) => new Promise((resolve) => port.once('message', resolve));
const closed = (port: MessagePort) => new Promise((resolve) => port.once('close', () => resolve('closed')));

test('several screens keep apart, one may end, and a stop ends the host', async () => {
  const { host, death } = start();
  const first = screenOf(host);
  const second = screenOf(host);
  first.postMessage('a');
  second.postMessage('b');
  expect(await next(first)).toEqual({ client: 1, echo: 'a' });
  expect(await next(second)).toEqual({ client: 2, echo: 'b' });
  const ended = closed(second);
  second.postMessage('end');
  expect(await ended).toBe('closed');
  first.postMessage('still there');
  expect(await next(first)).toEqual({ client: 1, echo: 'still there' });
  await host.stop();
  expect(await Promise.race([death, Promise.resolve('asked to')])).toBe('asked to');
});

test('a host that dies is told, and its screens are closed', async () => {
  const { host, death } = start();
  const screen = screenOf(host);
  const ended = closed(screen);
  screen.postMessage('die');
  expect(await death).toContain('exit code 3');
  expect(await ended).toBe('closed');
});

test('a host that could not start is told with its own error', async () => {
  const { host, death } = start();
  screenOf(host).postMessage('fail');
  expect(await death).toBe('error[DataBroken]: It is broken.');
});

test('a Node that is not there is told', async () => {
  expect(await start('host.cjs', '/nowhere/node').death).toContain('/nowhere/node');
});

test('a host that does not end is ended', { timeout: 20_000 }, async () => {
  const { host } = start('deaf.cjs');
  const begun = performance.now();
  await host.stop();
  expect(performance.now() - begun).toBeLessThan(10_000);
});
