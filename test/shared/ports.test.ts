import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { domPort, electronPort, parseMessage, processPort, webSocketPort } from '../../src-main/shared/ports.ts';
import { connect, type Port, serve } from '../../src-main/shared/rpc.ts';

interface Greeter {
  greet(name: string): Promise<string>;
}

const greeter: Greeter = { greet: async (name) => `Hello, ${name}` };

/** One answered call, then the news of the far side closing. */
async function exercise(near: Port, far: Port | null): Promise<void> {
  if (far) serve(greeter, far, ['greet']);
  const client = connect<Greeter>(near);
  expect(await client.greet('Ada')).toBe('Hello, Ada');
  const closed = new Promise<void>((resolve) => near.onClose(resolve));
  if (far) far.close();
  else near.close();
  await closed;
  await expect(client.greet('Ada')).rejects.toMatchObject({ code: 'Disconnected' });
  let told = false;
  near.onClose(() => {
    told = true;
  });
  expect(told).toBe(true);
}

test('message ports with the members of the DOM', async () => {
  const { port1, port2 } = new globalThis.MessageChannel();
  await exercise(
    domPort(port1 as unknown as Parameters<typeof domPort>[0]),
    domPort(port2 as unknown as Parameters<typeof domPort>[0]),
  );
});

test('message ports with the members of Electron', async () => {
  class FakeElectronPort extends EventEmitter {
    other: FakeElectronPort | null = null;
    postMessage(data: unknown) {
      setImmediate(() => this.other?.emit('message', { data: structuredClone(data) }));
    }
    start() {}
    close() {
      setImmediate(() => this.other?.emit('close'));
    }
  }
  const [one, two] = [new FakeElectronPort(), new FakeElectronPort()];
  one.other = two;
  two.other = one;
  await exercise(electronPort(one), electronPort(two));
});

test('web sockets: a call made before it is open waits; what is not JSON is refused', async () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket) => serve(greeter, webSocketPort(socket), ['greet']));
  const address = server.address();
  const url = `ws://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const raw = new WebSocket(url);
  await once(raw, 'open');
  const answers: { error: { code: string } }[] = [];
  raw.on('message', (data) => answers.push(JSON.parse(String(data))));
  for (const text of ['{', 'null', '[]', '['.repeat(4_000_000), Buffer.from([1, 2])]) raw.send(text);
  while (answers.length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(answers.every((answer) => answer.error.code === 'BadMessage')).toBe(true);
  raw.close();
  await exercise(webSocketPort(new WebSocket(url)), null);
  server.close();
});

test('the IPC of a child process, and its end', async () => {
  const child = fork(join(import.meta.dirname, 'greeter-child.ts'), { execArgv: [] });
  const port = processPort(child);
  const client = connect<Greeter & { end(): Promise<void> }>(port);
  expect(await client.greet('Ada')).toBe('Hello, Ada');
  await expect(client.end()).rejects.toMatchObject({ code: 'Disconnected' });
});

test('texts nested too deep are not parsed', () => {
  expect(parseMessage(`${'['.repeat(150)}${']'.repeat(150)}`)).toBeDefined();
  expect(parseMessage(`${'['.repeat(200)}${']'.repeat(200)}`)).toBeUndefined();
  expect(parseMessage(JSON.stringify({ text: `"${'[{'.repeat(200)}\\` }))).toEqual({ text: `"${'[{'.repeat(200)}\\` });
});
