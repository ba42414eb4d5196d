/**
 * The workbench in a browser: an HTTP and WebSocket server on 127.0.0.1 that serves the built renderer and carries RPC to its owner.
 * It holds no data and starts no service; it is given one, and lets in only who has the token of this start.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { HopscopeError } from '../shared/errors.ts';
import { serve } from '../shared/rpc.ts';
import { type BuiltFile, readBuiltFiles } from './built-files.ts';
import { keepAlive } from './keep-alive.ts';
import {
  checkFileRequest,
  checkSocketRequest,
  newToken,
  offeredToken,
  type Refusal,
  sameSecret,
  WrongTokenLimit,
} from './request-checks.ts';
import { securityHeaders } from './security.ts';

const mostSockets = 16;
const mostMessageBytes = 8 * 1024 * 1024;

/** A running server. */
export interface RunningServer {
  /** Opens the workbench: `http://127.0.0.1:PORT/#t=TOKEN`. A fragment never reaches a server, a log or a Referer. */
  url: string;
  port: number;
  token: string;
  /** Ends all sessions and frees the port. */
  close(): Promise<void>;
}

/** What to serve and where; `port` 0 or left out takes a free one. */
export interface ServerOptions<S extends object> {
  service: S;
  /** The names of `service` that may be called or listened to. */
  members: Parameters<typeof serve<S>>[2];
  /** The folder of the built renderer. */
  rendererFolder: string;
  port?: number;
}

/**
 * Starts the server.
 * Errors: `PortInUse` where the given port is taken; `NotBuilt` where the renderer is missing.
 */
export async function startServer<S extends object>(options: ServerOptions<S>): Promise<RunningServer> {
  const files = readBuiltFiles(options.rendererFolder);
  const token = newToken();
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 5_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 2_000,
    // Requests without Host are answered by us, with our headers.
    requireHostHeader: false,
    insecureHTTPParser: false,
  });
  const port = await listen(server, options.port ?? 0);
  const headers = securityHeaders([`ws://127.0.0.1:${port}`, `ws://localhost:${port}`]);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: mostMessageBytes,
    perMessageDeflate: false,
    clientTracking: true,
    // The token, the other offered protocol, is never sent back.
    handleProtocols: () => 'hopscope',
  });
  const wrongTokens = new WrongTokenLimit();

  server.on('request', (request, response) => answerFile(request, response, { files, port, headers }));
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const refusal = checkSocketRequest(request, port) ?? checkToken(request, token, wrongTokens) ?? checkRoom(sockets);
    if (refusal) {
      refuseSocket(socket, refusal, headers);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      serve(options.service, keepAlive(webSocket), options.members);
    });
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) refuseSocket(socket, { status: 400, text: 'Not an HTTP request.' }, headers);
    else socket.destroy();
  });

  return {
    url: `http://127.0.0.1:${port}/#t=${token}`,
    port,
    token,
    async close() {
      for (const webSocket of sockets.clients) webSocket.terminate();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        reject(new HopscopeError('PortInUse', `Port ${port} of 127.0.0.1 is taken: give another one with --port, or none.`));
      } else {
        reject(error);
      }
    });
    // The literal address: `localhost` may also resolve to something else.
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

interface FileAnswers {
  files: Map<string, BuiltFile>;
  port: number;
  headers: Record<string, string>;
}

function answerFile(request: IncomingMessage, response: ServerResponse, { files, port, headers }: FileAnswers): void {
  const path = request.url ?? '';
  const file = files.get(path);
  const refusal = checkFileRequest(request, port, path === '/' || path === '/index.html');
  if (refusal) answer(request, response, refusal, headers);
  else if (request.method !== 'GET' && request.method !== 'HEAD') {
    answer(request, response, { status: 405, text: 'Only GET and HEAD.' }, { ...headers, Allow: 'GET, HEAD' });
  } else if (!file) answer(request, response, { status: 404, text: 'Nothing here.' }, headers);
  else {
    response.writeHead(200, { ...headers, 'Content-Type': file.type, 'Content-Length': file.body.length });
    response.end(request.method === 'HEAD' ? undefined : file.body);
  }
}

function answer(request: IncomingMessage, response: ServerResponse, refusal: Refusal, headers: Record<string, string>): void {
  const body = Buffer.from(`${refusal.text}\n`);
  // The request's body is not read: the connection ends with the answer.
  response.writeHead(refusal.status, {
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    Connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function checkToken(request: IncomingMessage, token: string, wrongTokens: WrongTokenLimit): Refusal | null {
  const offered = offeredToken(request);
  if (offered !== null && sameSecret(offered, token)) return null;
  const status = wrongTokens.refuse();
  return {
    status,
    text:
      status === 429 ? 'Too many wrong tokens: wait a minute.' : 'Open the address that was printed at start, token included.',
  };
}

function checkRoom(sockets: WebSocketServer): Refusal | null {
  return sockets.clients.size < mostSockets ? null : { status: 503, text: `At most ${mostSockets} connections: close a tab.` };
}

/** Answers on the bare socket, where Node offers no response object. */
function refuseSocket(socket: Duplex, refusal: Refusal, headers: Record<string, string>): void {
  const body = Buffer.from(`${refusal.text}\n`);
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(body.length),
    Connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once('finish', () => socket.destroy());
  socket.end(
    Buffer.concat([Buffer.from(`HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\n${lines.join('')}\r\n`), body]),
  );
}
