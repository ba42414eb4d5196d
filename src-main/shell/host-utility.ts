/**
 * Runs the host as an Electron utility process and forks compute processes for it, joining the two with a channel.
 * It is given Electron's parts and imports none; the protocol is (a) in host.ts.
 */
import type { ElectronMessagePort } from '../shared/ports.ts';
import { deathSentence, failureSentence, type HostProcess, type HostStart, patience } from './host-process.ts';

/** The members of Electron's UtilityProcess that are used. */
export interface UtilityChild {
  readonly pid: number | undefined;
  postMessage(message: unknown, transfer?: ElectronMessagePort[]): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
}

/** Electron's parts: forking a utility process, and making a channel. */
export interface UtilityParts {
  fork(entry: string, parameters: string[], serviceName: string): UtilityChild;
  channel(): { port1: ElectronMessagePort; port2: ElectronMessagePort };
}

/** Starts the host as a utility process of this Electron. */
export function startHostAsUtility(parts: UtilityParts, start: HostStart): HostProcess {
  const computes = new Map<number, UtilityChild>();
  let stopping = false;
  let failure: string | null = null;
  const host = parts.fork(start.hostEntry, ['--host-process'], 'Hopscope host');

  const exited = new Promise<void>((resolve) => {
    host.on('exit', (code) => {
      for (const compute of computes.values()) kill(compute);
      resolve();
      if (!stopping) start.onDeath(failure ?? deathSentence(code));
    });
  });

  function launchCompute(id: number, scratch: unknown): void {
    const compute = parts.fork(start.computeEntry, [], 'Hopscope compute');
    computes.set(id, compute);
    const { port1, port2 } = parts.channel();
    compute.on('exit', (code) => {
      computes.delete(id);
      host.postMessage({ type: 'compute-exit', id, code });
    });
    compute.postMessage({ type: 'start', resources: start.resources, scratch }, [port1]);
    host.postMessage({ type: 'compute', id }, [port2]);
  }

  host.on('message', (received) => {
    failure = failureSentence(received) ?? failure;
    if (typeof received !== 'object' || received === null || !('type' in received) || !('id' in received)) return;
    const { type, id, scratch } = received as { type: unknown; id: number; scratch?: unknown };
    if (type === 'launch-compute') launchCompute(id, scratch);
    else if (type === 'kill-compute') kill(computes.get(id));
  });
  host.postMessage({ type: 'start', dataFolder: start.dataFolder, resources: start.resources });

  return {
    connect: (port) => host.postMessage({ type: 'client' }, [port]),
    async stop() {
      stopping = true;
      host.postMessage({ type: 'close' });
      const timer = setTimeout(() => kill(host), patience);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** By pid, because a utility process's own kill() is only SIGTERM, which a busy process does not heed. */
function kill(child: UtilityChild | undefined): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
