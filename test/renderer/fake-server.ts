/**
 * Serves a build of the screens with the fake host behind it, under the same content security policy as the real server. Every
 * connection has a host of its own, so no page sees what another did.
 * `node test/renderer/fake-server.ts FOLDER [empty|full] [PORT]` prints the address to open.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { serviceMembers } from '../../src-main/shared/members.ts';
import { webSocketPort } from '../../src-main/shared/ports.ts';
import { type Port, serve } from '../../src-main/shared/rpc.ts';
import { securityHeaders } from '../../src-main/shell/security.ts';
import { createFakeService } from './fake-host.ts';

/** What a page finds: a project where nothing was done yet, or one with something of everything. */
export type Scenario = 'empty' | 'full';

export interface FakeServer {
  /** `http://127.0.0.1:PORT`. */
  origin: string;
  close(): void;
}

const types: { [extension: string]: string } = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
};

/** The token of a page's address, which says here what the page finds. */
export function tokenAddress(origin: string, scenario: Scenario): string {
  return `${origin}/#t=${scenario}`;
}

/** `delay`: milliseconds before each answer. */
export async function startFakeServer(folder: string, { port = 0, delay = 0 } = {}): Promise<FakeServer> {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = path === '/' ? 'index.html' : path.slice(1);
    const headers = securityHeaders();
    readFile(join(folder, file)).then(
      (bytes) =>
        response.writeHead(200, { ...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(bytes),
      () => response.writeHead(404, headers).end(),
    );
  });
  const sockets = new WebSocketServer({ server, path: '/rpc', handleProtocols: () => 'hopscope' });
  sockets.on('connection', (socket, request) => {
    const scenario = request.headers['sec-websocket-protocol']?.split(', ').includes('empty') ? 'empty' : 'full';
    const answers = webSocketPort(socket);
    const late: Port = { ...answers, post: (message) => void setTimeout(() => answers.post(message), delay) };
    serve(createFakeService(scenario), delay > 0 ? late : answers, serviceMembers);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.close();
    },
  };
}

if (import.meta.main) {
  const [folder = '', scenario = 'full', port = '0'] = process.argv.slice(2);
  const { origin } = await startFakeServer(folder, { port: Number(port) });
  process.stdout.write(`${tokenAddress(origin, scenario === 'empty' ? 'empty' : 'full')}\n`);
}
