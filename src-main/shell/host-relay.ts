/**
 * Runs the host as a child of Electron's main process under an external Node, and relays between each screen's MessagePort and it.
 * It is for an Electron whose own Node is too old for the host's libraries; the protocol is (b) in host.ts.
 */
import { fork } from 'node:child_process';
import type { ElectronMessagePort } from '../shared/ports.ts';
import { deathSentence, failureSentence, type HostProcess, type HostStart, patience } from './host-process.ts';

/** Starts the host under the Node at `node`, a path or a name on the PATH. */
export function startHostUnderNode(node: string, start: HostStart): HostProcess {
  const clients = new Map<number, ElectronMessagePort>();
  let last = 0;
  let stopping = false;
  let failure: string | null = null;
  const child = fork(start.hostEntry, ['--host-process'], {
    execPath: node,
    execArgv: [],
    env: start.environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => {
    let ended = false;
    const end = (reason: string) => {
      if (ended) return;
      ended = true;
      for (const port of clients.values()) port.close();
      clients.clear();
      resolve();
      if (!stopping) start.onDeath(failure ?? reason);
    };
    child.on('exit', (code) => end(deathSentence(code)));
    child.on('error', (error) => end(`The host could not be started under ${node}: ${error.message}.`));
  });
  const post = (message: object) => {
    // The callback takes errors of a channel that closes meanwhile.
    if (child.connected) child.send(message, () => {});
  };

  child.on('message', (received) => {
    failure = failureSentence(received) ?? failure;
    if (typeof received !== 'object' || received === null || !('client' in received)) return;
    const { client, message, closed } = received as { client: number; message?: unknown; closed?: boolean };
    const port = clients.get(client);
    if (!port) return;
    if (closed) {
      clients.delete(client);
      port.close();
    } else port.postMessage(message);
  });
  post({ type: 'start', dataFolder: start.dataFolder, resources: start.resources, computeEntry: start.computeEntry });

  return {
    connect(port) {
      last += 1;
      const client = last;
      clients.set(client, port);
      post({ type: 'client', client });
      port.on('message', (event) => post({ client, message: event.data }));
      port.on('close', () => {
        if (clients.delete(client)) post({ client, closed: true });
      });
      port.start();
    },
    async stop() {
      stopping = true;
      post({ type: 'close' });
      const timer = setTimeout(() => child.kill('SIGKILL'), patience);
      await exited;
      clearTimeout(timer);
    },
  };
}
