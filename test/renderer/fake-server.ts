/**
 * Serves a build of the screens with the fake host behind it, under the same content security policy as the real server.
 * `node test/renderer/fake-server.ts FOLDER [empty|full] [PORT]` prints the address to open.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { serviceMembers } from '../../src-main/shared/members.ts';
import { webSocketPort } from '../../src-main/shared/ports.ts';
import { serve } from '../../src-main/shared/rpc.ts';
import { securityHeaders } from '../../src-main/shell/security.ts';
import { createFakeService } from './fake-host.ts';

const types: { [extension: string]: string } = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
export async function startFakeServer(
  folder: string,
  scenario: 'empty' | 'full',
  port = 0,
): Promise<{ address: string; server: Server; sockets: WebSocketServer }> {
  const service = createFakeService(scenario);
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
  sockets.on('connection', (socket) => serve(service, webSocketPort(socket), serviceMembers));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/#t=test-token`, server, sockets };
}

if (import.meta.main) {
  const [folder = '', scenario = 'full', port = '0'] = process.argv.slice(2);
  const { address } = await startFakeServer(folder, scenario === 'empty' ? 'empty' : 'full', Number(port));
  process.stdout.write(`${address}\n`);
}
