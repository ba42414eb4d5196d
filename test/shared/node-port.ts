/** Makes a `Port` of a MessagePort of Node, so that tests have both ends of a line in one process; the program has other channels. */
import { closeOnce } from '../../src-main/shared/ports.ts';
import type { Port } from '../../src-main/shared/rpc.ts';

/** MessagePort of worker_threads (its messages are plain values). */
interface NodeMessagePort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (value: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  close(): void;
}

export function nodePort(channel: NodeMessagePort): Port {
  const closing = closeOnce();
  channel.on('close', closing.close);
  return {
    post: (message) => channel.postMessage(message),
    onMessage(listener) {
      channel.on('message', listener);
    },
    onClose: closing.listen,
    close() {
      channel.close();
      closing.close();
    },
  };
}
