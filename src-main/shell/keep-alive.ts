/**
 * Wraps one admitted WebSocket as an RPC port that notices a silent far side and does not let a slow reader pile up messages.
 * Who is admitted is serve.ts's business, what the messages mean rpc.ts's.
 */
import type { WebSocket } from 'ws';
import { webSocketPort } from '../shared/ports.ts';
import type { Port } from '../shared/rpc.ts';

const pingEvery = 15_000;
const silentFor = 45_000;
/** Bytes that may wait for a reader that has stopped reading; beyond it the socket is ended and the page connects anew. */
const mostBuffered = 64 * 1024 * 1024;

/** A port over an open socket of the server; it closes when the socket does, for whatever reason. */
export function keepAlive(socket: WebSocket): Port {
  let heard = Date.now();
  const hear = () => {
    heard = Date.now();
  };
  const heartbeat = setInterval(() => {
    if (Date.now() - heard > silentFor) socket.terminate();
    else socket.ping();
  }, pingEvery);
  heartbeat.unref();
  socket.on('pong', hear);
  socket.on('message', hear);
  socket.on('close', () => clearInterval(heartbeat));
  // An `error` without a listener would end the process; `close` follows it.
  socket.on('error', () => socket.terminate());

  const port = webSocketPort(socket);
  return {
    ...port,
    post(message) {
      if (socket.bufferedAmount > mostBuffered) socket.terminate();
      else port.post(message);
    },
  };
}
