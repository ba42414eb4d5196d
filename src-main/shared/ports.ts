/**
 * Makes a `Port` of each kind of channel there is: DOM message ports, Electron's, WebSockets, child process IPC.
 * It imports none of them: each is described by the few members used, so that the same file loads in every process.
 */
import type { Port } from './rpc.ts';

/** A browser's MessagePort. Its `close` event is newer than the oldest supported Chromium, where a lost far side goes unnoticed. */
export interface DomMessagePort {
  postMessage(message: unknown): void;
  addEventListener(type: string, listener: (event: { data?: unknown }) => void): void;
  start(): void;
  close(): void;
}

/** Electron's MessagePortMain (its messages are events with `data`). */
export interface ElectronMessagePort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** A browser's WebSocket, and `ws`'s, which has the same members. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'open' | 'close', listener: () => void): void;
  close(): void;
}

/** `process` in a forked child, or the ChildProcess in its parent. */
export interface ProcessChannel {
  readonly connected?: boolean;
  send?(message: unknown, callback: (error: Error | null) => void): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  disconnect?(): void;
}

export function domPort(channel: DomMessagePort): Port {
  const closing = closeOnce();
  channel.addEventListener('close', closing.close);
  return {
    post: (message) => channel.postMessage(message),
    onMessage(listener) {
      channel.addEventListener('message', (event) => listener(event.data));
      channel.start();
    },
    onClose: closing.listen,
    close() {
      channel.close();
      closing.close();
    },
  };
}

export function electronPort(channel: ElectronMessagePort): Port {
  const closing = closeOnce();
  channel.on('close', closing.close);
  return {
    post: (message) => channel.postMessage(message),
    onMessage(listener) {
      channel.on('message', (event) => listener(event.data));
      channel.start();
    },
    onClose: closing.listen,
    close() {
      channel.close();
      closing.close();
    },
  };
}

/** Messages posted before the socket is open wait for it. What is not JSON arrives as undefined, which rpc.ts refuses. */
export function webSocketPort(socket: WebSocketLike): Port {
  const closing = closeOnce();
  const waiting: string[] = [];
  socket.addEventListener('open', () => {
    for (const text of waiting.splice(0)) socket.send(text);
  });
  socket.addEventListener('close', closing.close);
  if (socket.readyState > 1) closing.close();
  return {
    post(message) {
      const text = JSON.stringify(message);
      if (socket.readyState === 0) waiting.push(text);
      else socket.send(text);
    },
    onMessage(listener) {
      socket.addEventListener('message', (event) => listener(parseMessage(event.data)));
    },
    onClose: closing.listen,
    close() {
      socket.close();
      closing.close();
    },
  };
}

/** The IPC channel of a forked process, from either end. Closing it disconnects the two; it ends neither. */
export function processPort(channel: ProcessChannel): Port {
  const closing = closeOnce();
  channel.on('disconnect', closing.close);
  if (channel.connected === false) closing.close();
  return {
    post(message) {
      // The callback takes errors of a channel that closes meanwhile; without it they would be thrown as events.
      if (channel.connected !== false) channel.send?.(message, () => {});
    },
    onMessage(listener) {
      channel.on('message', listener);
    },
    onClose: closing.listen,
    close() {
      if (channel.connected !== false) channel.disconnect?.();
      closing.close();
    },
  };
}

/** The deepest nesting that is parsed: JSON.parse takes millions of levels, and what follows it overflows the stack. */
const deepestMessage = 160;

/** The value of a JSON text, or undefined where it is no text, no JSON, or nested too deep. */
export function parseMessage(data: unknown): unknown {
  if (typeof data !== 'string' || nesting(data) > deepestMessage) return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** The greatest depth of brackets outside strings. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (quoted) {
      if (character === 0x5c) index += 1;
      else if (character === 0x22) quoted = false;
    } else if (character === 0x22) quoted = true;
    else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (character === 0x5d || character === 0x7d) depth -= 1;
  }
  return deepest;
}

/** Close listeners, told once; those that come later are told at once. */
export function closeOnce(): { close(): void; listen(listener: () => void): void } {
  const listeners: (() => void)[] = [];
  let closed = false;
  return {
    close() {
      if (closed) return;
      closed = true;
      for (const listener of listeners.splice(0)) listener();
    },
    listen(listener) {
      if (closed) listener();
      else listeners.push(listener);
    },
  };
}
