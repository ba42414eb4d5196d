/**
 * Who may talk to the local server: exact checks of Host, Origin, fetch site and token, and a limit on wrong tokens.
 * These are pure decisions over headers; serve.ts answers accordingly.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** A refusal: HTTP status and a one-line text without paths or secrets. */
export interface Refusal {
  status: number;
  text: string;
}

/** A new secret: 32 random bytes as base64url, 43 characters, all legal in a WebSocket subprotocol. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Compares in a time that does not depend on where two strings differ. */
export function sameSecret(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** All values of a header as they were sent, duplicates included (Node's `headers` keeps only the first Host). */
function rawValues(request: IncomingMessage, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === name) values.push(request.rawHeaders[index + 1] ?? '');
  }
  return values;
}

/** The accepted Host of a request: exactly one header, exactly one of the two names of this server; otherwise null (DNS rebinding). */
export function acceptedHost(request: IncomingMessage, port: number): string | null {
  const [host, ...others] = rawValues(request, 'host');
  if (host === undefined || others.length > 0) return null;
  return host === `127.0.0.1:${port}` || host === `localhost:${port}` ? host : null;
}

/** Checks a request for a page or a file of it. `shell` is true for the page itself, which a person may open directly. */
export function checkFileRequest(request: IncomingMessage, port: number, shell: boolean): Refusal | null {
  const host = acceptedHost(request, port);
  if (host === null) return { status: 421, text: 'This server answers only to 127.0.0.1 and localhost with its own port.' };
  const origins = rawValues(request, 'origin');
  if (origins.length > 0 && (origins.length > 1 || origins[0] !== `http://${host}`)) {
    return { status: 403, text: 'Another site may not ask this server.' };
  }
  const sites = rawValues(request, 'sec-fetch-site');
  const allowed = shell ? ['same-origin', 'none'] : ['same-origin'];
  if (sites.length > 0 && (sites.length > 1 || !allowed.includes(sites[0] ?? ''))) {
    return { status: 403, text: 'Another site may not ask this server.' };
  }
  return null;
}

/** Checks everything about a WebSocket request but its token: Host, path, version, Origin, fetch site. */
export function checkSocketRequest(request: IncomingMessage, port: number): Refusal | null {
  const host = acceptedHost(request, port);
  if (host === null) return { status: 421, text: 'This server answers only to 127.0.0.1 and localhost with its own port.' };
  if (request.url !== '/rpc') return { status: 404, text: 'Nothing here.' };
  if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    return { status: 400, text: 'Only a WebSocket request is answered here.' };
  }
  if (
    request.headers['sec-websocket-version'] !== '13' ||
    !/^[A-Za-z0-9+/]{22}==$/.test(request.headers['sec-websocket-key'] ?? '')
  ) {
    return { status: 400, text: 'Not a WebSocket request of version 13.' };
  }
  const origins = rawValues(request, 'origin');
  if (origins.length !== 1 || origins[0] !== `http://${host}`) {
    return { status: 403, text: 'Only the page of this server may connect.' };
  }
  const sites = rawValues(request, 'sec-fetch-site');
  if (sites.length > 0 && (sites.length > 1 || sites[0] !== 'same-origin')) {
    return { status: 403, text: 'Only the page of this server may connect.' };
  }
  return null;
}

/** The token of a WebSocket request that offers exactly the subprotocols `hopscope, TOKEN`; otherwise null. */
export function offeredToken(request: IncomingMessage): string | null {
  const offered = rawValues(request, 'sec-websocket-protocol')
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim());
  return offered.length === 2 && offered[0] === 'hopscope' ? (offered[1] ?? null) : null;
}

/** Counts wrong tokens: after `limit` within a minute, further wrong ones are answered 429 for a minute. A right token always passes. */
export class WrongTokenLimit {
  private readonly limit: number;
  private readonly now: () => number;
  private recent: number[] = [];
  private blockedUntil = 0;

  constructor(limit = 10, now: () => number = Date.now) {
    this.limit = limit;
    this.now = now;
  }

  /** Notes one wrong token and returns the status to answer with: 401, or 429 while blocked. */
  refuse(): 401 | 429 {
    const now = this.now();
    if (now < this.blockedUntil) return 429;
    this.recent = this.recent.filter((time) => now - time < 60_000);
    this.recent.push(now);
    if (this.recent.length <= this.limit) return 401;
    this.blockedUntil = now + 60_000;
    this.recent = [];
    return 429;
  }
}
