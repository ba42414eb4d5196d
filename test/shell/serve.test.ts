/**
 * The local server lets in its owner and nobody else: the matrix of Host, Origin and token, headers on every answer, no path but a built file's.
 * What is said over an admitted socket is tested with rpc.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { webSocketPort } from '../../src-main/shared/ports.ts';
import { connect } from '../../src-main/shared/rpc.ts';
import { type RunningServer, startServer } from '../../src-main/shell/serve.ts';

interface Greeter {
  greet(name: string): Promise<string>;
  secret(): Promise<string>;
}

const service: Greeter = {
  greet: async (name) => `Hello ${name}`,
  secret: async () => 'not a member',
};

let folder: string;
let server: RunningServer;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-serve-'));
  mkdirSync(join(folder, 'renderer', 'assets'), { recursive: true });
  mkdirSync(join(folder, 'renderer-sibling'));
  writeFileSync(join(folder, 'renderer', 'index.html'), '<!doctype html><title>Hopscope</title>');
  writeFileSync(join(folder, 'renderer', 'assets', 'index.js'), 'export {};');
  writeFileSync(join(folder, 'renderer', 'assets', 'notes.unknown'), 'no known type');
  writeFileSync(join(folder, 'renderer-sibling', 'secret.js'), 'secret');
  writeFileSync(join(folder, 'secret.js'), 'secret');
  server = await startServer({ service, members: ['greet'], rendererFolder: join(folder, 'renderer') });
  port = server.port;
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** Sends bytes as they are, since a proper client would refuse to send most of what is tested here. */
function send(lines: string[], at = port): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(at, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    let received = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => {
      received += data.toString('latin1');
      if (received.startsWith('HTTP/1.1 101')) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', ...body] = received.split('\r\n\r\n');
      const [start = '', ...fields] = head.split('\r\n');
      const headers = new Map(
        fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]),
      );
      resolve({ status: Number(start.split(' ')[1]), headers, body: body.join('\r\n\r\n') });
    });
  });
}

function get(target: string, fields: string[] = [`Host: 127.0.0.1:${port}`], method = 'GET'): Promise<Answer> {
  return send([`${method} ${target} HTTP/1.1`, ...fields, 'Connection: close']);
}

function upgrade({
  target = '/rpc',
  host = `127.0.0.1:${port}`,
  origin = `http://127.0.0.1:${port}`,
  protocols = `hopscope, ${server.token}`,
  more = [] as string[],
}: {
  target?: string;
  host?: string | null;
  origin?: string | null;
  protocols?: string | null;
  more?: string[];
} = {}): Promise<Answer> {
  return send([
    `GET ${target} HTTP/1.1`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(origin === null ? [] : [`Origin: ${origin}`]),
    ...(protocols === null ? [] : [`Sec-WebSocket-Protocol: ${protocols}`]),
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  ]);
}

function expectHardened(answer: Answer): void {
  const policy = answer.headers.get('content-security-policy') ?? '';
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "object-src 'none'",
  ]) {
    expect(policy).toContain(part);
  }
  expect(policy).not.toContain('unsafe');
  expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port};`);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('x-frame-options')).toBe('DENY');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(answer.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(answer.headers.get('cross-origin-resource-policy')).toBe('same-origin');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.has('server')).toBe(false);
  expect(
    [...answer.headers.keys()].filter(
      (name) => name.startsWith('access-control') || name === 'set-cookie' || name === 'location',
    ),
  ).toEqual([]);
  expect(answer.body).not.toContain(folder);
}

describe('files', () => {
  test('the shell and its files are served with a fixed type', async () => {
    for (const target of ['/', '/index.html']) {
      const answer = await get(target);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.body).toContain('Hopscope');
      expectHardened(answer);
    }
    const script = await get('/assets/index.js', [`Host: localhost:${port}`, 'Sec-Fetch-Site: same-origin']);
    expect(script.status).toBe(200);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expectHardened(script);
    const head = await get('/', undefined, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.body).toBe('');
    expectHardened(head);
  });

  test.each([
    '/nothing',
    '/rpc',
    '/?t=token',
    '/index.html?x',
    '/INDEX.HTML',
    '/assets',
    '/assets/',
    '/assets/notes.unknown',
    '/assets/../index.html',
    '/../secret.js',
    '/..%2fsecret.js',
    '/%2e%2e/secret.js',
    '/%252e%252e/secret.js',
    '/..\\secret.js',
    '/assets/..\\..\\secret.js',
    '/../renderer-sibling/secret.js',
    '//index.html',
    '//etc/passwd',
    '/etc/passwd',
    '/index.html%00',
    '/./index.html',
    '/index.html/',
  ])('%s is 404, never the shell', async (target) => {
    const answer = await get(target);
    expect(answer.status).toBe(404);
    expect(answer.body).toBe('Nothing here.\n');
    expectHardened(answer);
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is 405', async (method) => {
    const answer = await get('/', [`Host: 127.0.0.1:${port}`, 'Content-Length: 0'], method);
    expect(answer.status).toBe(405);
    expectHardened(answer);
  });

  test.each([
    ['not HTTP', ['hello']],
    ['a NUL in the target', ['GET /\0 HTTP/1.1', 'Host: x']],
    ['both lengths', ['POST / HTTP/1.1', 'Host: x', 'Content-Length: 3', 'Transfer-Encoding: chunked']],
    ['a header that is too long', ['GET / HTTP/1.1', `X: ${'y'.repeat(20_000)}`]],
  ])('%s is refused with the same headers', async (_name, lines) => {
    const answer = await send(lines);
    expect(answer.status).toBe(400);
    expectHardened(answer);
  });
});

/** Sent as the value of Host; only the first two are this server. */
const hosts: [value: string, accepted: boolean][] = [
  ['127.0.0.1:PORT', true],
  ['localhost:PORT', true],
  ['', false],
  ['127.0.0.1', false],
  ['127.0.0.1:1', false],
  ['evil.com:PORT', false],
  ['127.0.0.1.evil.com:PORT', false],
  ['localhost.evil.com:PORT', false],
  ['localhost:PORT@evil', false],
  ['0.0.0.0:PORT', false],
  ['[::1]:PORT', false],
  ['127.1:PORT', false],
  ['127.0.0.1.:PORT', false],
  ['LOCALHOST:PORT', false],
  ['127.0.0.1:PORT, 127.0.0.1:PORT', false],
  ['a'.repeat(300), false],
];

/** Sent as the value of Origin to Host 127.0.0.1:PORT; only the first is this server's page. */
const origins: [value: string | null, accepted: boolean][] = [
  ['http://127.0.0.1:PORT', true],
  [null, false],
  ['', false],
  ['null', false],
  ['http://localhost:PORT', false],
  ['https://127.0.0.1:PORT', false],
  ['http://127.0.0.1:1', false],
  ['http://127.0.0.1', false],
  ['http://127.0.0.1:PORT.evil.com', false],
  ['http://evil.127.0.0.1:PORT', false],
  ['http://user@127.0.0.1:PORT', false],
  ['HTTP://127.0.0.1:PORT', false],
  ['http://127.0.0.1:PORT/', false],
  ['http://127.0.0.1:PORT, http://evil.com', false],
  ['http://evil.com', false],
  ['http://[::1]:PORT', false],
  ['chrome-extension://abcdefgh', false],
  ['file://', false],
  [`http://127.0.0.1:PORT${'x'.repeat(8192)}`, false],
];

const fill = (value: string) => value.replaceAll('PORT', String(port));

describe('who may ask', () => {
  test.each(hosts)('Host %j', async (host, accepted) => {
    for (const target of ['/', '/assets/index.js', '/nothing']) {
      const answer = await get(target, [`Host: ${fill(host)}`]);
      expect(answer.status).toBe(accepted ? (target === '/nothing' ? 404 : 200) : 421);
      expectHardened(answer);
    }
    const socket = await upgrade({ host: fill(host), origin: `http://${fill(host)}` });
    expect(socket.status).toBe(accepted ? 101 : 421);
  });

  test('no Host, and two of them, are refused', async () => {
    for (const fields of [
      [],
      [`Host: 127.0.0.1:${port}`, `Host: 127.0.0.1:${port}`],
      [`Host: 127.0.0.1:${port}`, 'Host: evil.com'],
    ]) {
      const answer = await get('/', fields);
      expect([400, 421]).toContain(answer.status);
      expectHardened(answer);
    }
    expect((await upgrade({ host: null })).status).toBe(421);
  });

  test('an absolute-form target is no file', async () => {
    expect((await get(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect((await get('http://evil.com/')).status).toBe(404);
  });

  test.each(origins)('Origin %j', async (origin, accepted) => {
    const given = origin === null ? null : fill(origin);
    const socket = await upgrade({ origin: given });
    expect(socket.status).toBe(accepted ? 101 : 403);
    if (!accepted) expectHardened(socket);
    for (const target of ['/', '/assets/index.js']) {
      const answer = await get(target, [`Host: 127.0.0.1:${port}`, ...(given === null ? [] : [`Origin: ${given}`])]);
      // A page opened by hand has no Origin, nor have its own files: they hold nothing secret.
      expect(answer.status).toBe(accepted || given === null ? 200 : 403);
      expectHardened(answer);
    }
  });

  test.each([
    ['same-origin', 200, 200, 101],
    ['none', 200, 403, 403],
    ['same-site', 403, 403, 403],
    ['cross-site', 403, 403, 403],
    ['nonsense', 403, 403, 403],
  ])('Sec-Fetch-Site %s', async (site, shell, file, socket) => {
    const fields = [`Host: 127.0.0.1:${port}`, `Sec-Fetch-Site: ${site}`];
    expect((await get('/', fields)).status).toBe(shell);
    expect((await get('/assets/index.js', fields)).status).toBe(file);
    expect((await upgrade({ more: [`Sec-Fetch-Site: ${site}`] })).status).toBe(socket);
  });
});

describe('the token', () => {
  test('a right one is answered with the other protocol, and is never sent back', async () => {
    const answer = await upgrade();
    expect(answer.status).toBe(101);
    expect(answer.headers.get('sec-websocket-protocol')).toBe('hopscope');
    expect([...answer.headers.values()].join()).not.toContain(server.token);
  });

  test('it is in the fragment of the address, and long', () => {
    expect(server.url).toBe(`http://127.0.0.1:${port}/#t=${server.token}`);
    expect(server.token).toMatch(/^[\w-]{43}$/);
  });

  // Without an end of the open connections the stop would wait for them for ever
  test('each start has its own; a taken port is a named error; a stop frees it', { timeout: 30_000 }, async () => {
    const other = await startServer({ service, members: ['greet'], rendererFolder: join(folder, 'renderer') });
    expect(other.token).not.toBe(server.token);
    await expect(
      startServer({ service, members: ['greet'], rendererFolder: join(folder, 'renderer'), port: other.port }),
    ).rejects.toMatchObject({ code: 'PortInUse' });
    const socket = new WebSocket(`ws://127.0.0.1:${other.port}/rpc`, ['hopscope', other.token], {
      origin: `http://127.0.0.1:${other.port}`,
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await other.close();
    await closed;
    await expect(fetch(`http://127.0.0.1:${other.port}/`)).rejects.toThrow();
  });

  test('a renderer that is not built is a named error', async () => {
    await expect(startServer({ service, members: ['greet'], rendererFolder: join(folder, 'missing') })).rejects.toMatchObject({
      code: 'NotBuilt',
    });
  });

  test('wrong ones, missing ones and other places for it are refused; then all wrong ones are 429, and the right one still passes', async () => {
    const one = await startServer({ service, members: ['greet'], rendererFolder: join(folder, 'renderer') });
    const base = [
      'GET /rpc HTTP/1.1',
      `Host: 127.0.0.1:${one.port}`,
      `Origin: http://127.0.0.1:${one.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const wrong: string[][] = [
      [],
      ['Sec-WebSocket-Protocol: hopscope'],
      ['Sec-WebSocket-Protocol: hopscope,'],
      [`Sec-WebSocket-Protocol: ${one.token}`],
      [`Sec-WebSocket-Protocol: ${one.token}, hopscope`],
      [`Sec-WebSocket-Protocol: hopscope, ${one.token.slice(0, -1)}`],
      [`Sec-WebSocket-Protocol: hopscope, ${one.token}x`],
      [`Sec-WebSocket-Protocol: hopscope, ${one.token}, more`],
      [`Authorization: Bearer ${one.token}`],
      [`Cookie: t=${one.token}`],
    ];
    const answers: number[] = [];
    for (const fields of wrong) answers.push((await send([...base, ...fields], one.port)).status);
    expect(answers).toEqual(wrong.map(() => 401));
    for (let guess = 0; guess < 50; guess++) {
      expect((await send([...base, `Sec-WebSocket-Protocol: hopscope, guess${guess}`], one.port)).status).toBe(429);
    }
    expect((await send([...base, `Sec-WebSocket-Protocol: hopscope, ${one.token}`], one.port)).status).toBe(101);
    expect((await send(['GET /rpc?t=x HTTP/1.1', ...base.slice(1)], one.port)).status).toBe(404);
    await one.close();
  });
});

describe('the socket', () => {
  test('carries calls of the named members only', async () => {
    const socket = new WebSocket(`ws://localhost:${port}/rpc`, ['hopscope', server.token], {
      origin: `http://localhost:${port}`,
    });
    const client = connect<Greeter>(webSocketPort(socket));
    expect(await client.greet('you')).toBe('Hello you');
    await expect(client.secret()).rejects.toMatchObject({ code: 'UnknownMethod' });
    client.close();
  });

  test.each([
    ['another path', { target: '/' }, 404],
    ['a query', { target: '/rpc?x' }, 404],
    ['an old version', { more: ['Sec-WebSocket-Version: 8'] }, 400],
  ])('%s is refused', async (_name, request, status) => {
    const answer = await upgrade(request);
    expect(answer.status).toBe(status);
    expectHardened(answer);
  });

  test('another protocol to upgrade to is refused', async () => {
    const answer = await send([`GET /rpc HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: Upgrade', 'Upgrade: h2c']);
    expect(answer.status).toBe(400);
    expectHardened(answer);
  });

  test('there is room for sixteen', async () => {
    const one = await startServer({ service, members: ['greet'], rendererFolder: join(folder, 'renderer') });
    const open = () =>
      new WebSocket(`ws://127.0.0.1:${one.port}/rpc`, ['hopscope', one.token], { origin: `http://127.0.0.1:${one.port}` });
    const sockets = Array.from({ length: 16 }, open);
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
    const status = await new Promise((resolve) =>
      open().once('unexpected-response', (_request, response) => resolve(response.statusCode)),
    );
    expect(status).toBe(503);
    await one.close();
  });

  test('a message beyond 8 MiB ends it, and the server goes on', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/rpc`, ['hopscope', server.token], {
      origin: `http://127.0.0.1:${port}`,
    });
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.send('x'.repeat(9 * 1024 * 1024));
    await closed;
    expect((await get('/')).status).toBe(200);
  });
});
