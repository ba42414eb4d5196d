/**
 * The host: the database, the queue and the `Service` that screens talk to, made by `createHost` in-process (command line, `serve`)
 * or served to screens by this file as a process of its own. It computes nothing (compute.ts does) and opens no window.
 *
 * As its own process it is started with the argument `--host-process` and speaks with the shell as follows (`HostProcessMessage`).
 *
 * (a) Electron utility process, over `process.parentPort`:
 *   shell -> host  {type: 'start', dataFolder, resources}
 *   host -> shell  {type: 'ready'} | {type: 'failed', error: ErrorRecord}
 *   shell -> host  {type: 'client'} with one MessagePort: `Service` is served on it (before `ready` too: it then waits)
 *   host -> shell  {type: 'launch-compute', id, scratch}: fork compute.ts as a utility process, make a MessageChannelMain, send one end to it
 *                  as {type: 'start', resources, scratch} and the other end here:
 *   shell -> host  {type: 'compute', id} with that MessagePort
 *   shell -> host  {type: 'compute-exit', id, code}: that compute process has ended, or could not be started
 *   host -> shell  {type: 'kill-compute', id}: end it at once (SIGKILL by pid, since kill() is only SIGTERM)
 *   shell -> host  {type: 'close'}: stop, store, exit 0
 *
 * (b) Child of Electron's main process under an external Node (`child_process.fork` with `execPath`), over process IPC:
 *   `start` has `computeEntry` (compute.ts as built), which the host forks itself; no compute messages pass. `ready`, `failed` and
 *   `close` are the same. Screens are multiplexed, n being a number that the shell chooses for each:
 *   shell -> host  {type: 'client', client: n}: a screen has come
 *   both ways      {client: n, message}: one message of rpc.ts
 *   both ways      {client: n, closed: true}: that screen's connection has ended
 * In both, the host closes and exits when the shell goes away.
 */
import { type ComputeExit, type ComputeProcess, type LaunchCompute, launchComputeUnderNode } from './service/compute-launcher.ts';
import { scratchPath } from './service/data-folder.ts';
import { type OpenService, openService, type ServiceSettings } from './service/service.ts';
import type { Compute } from './shared/contract.ts';
import { errorRecord } from './shared/errors.ts';
import { serviceMembers } from './shared/members.ts';
import { closeOnce, type ElectronMessagePort, electronPort } from './shared/ports.ts';
import { connect, type Port, serve } from './shared/rpc.ts';

/** Opens the data folder and its service in this process. Errors: those of `openService`. */
export async function createHost(settings: ServiceSettings): Promise<OpenService> {
  return openService(settings);
}

/** Messages between host and shell, all of them JSON-able; ports travel beside them. */
interface HostProcessMessage {
  type?: 'start' | 'client' | 'compute' | 'compute-exit' | 'close';
  dataFolder?: string;
  resources?: string;
  computeEntry?: string;
  client?: number;
  message?: unknown;
  closed?: boolean;
  id?: number;
  code?: number | null;
}

/** Electron's `process.parentPort`. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: HostProcessMessage; ports: ElectronMessagePort[] }) => void): void;
  postMessage(message: unknown): void;
}

type Post = (message: unknown) => void;

if (process.argv.includes('--host-process')) {
  const { parentPort } = process as unknown as { parentPort?: ParentPort };
  if (parentPort) runAsUtilityProcess(parentPort);
  else runAsNodeChild();
}

/** Protocol (a). */
function runAsUtilityProcess(shell: ParentPort): void {
  const post: Post = (message) => shell.postMessage(message);
  const computes = computesOfShell(post);
  const early: ElectronMessagePort[] = [];
  let host: OpenService | null = null;
  shell.on('message', ({ data, ports: [port] }) => {
    if (data.type === 'start') {
      const scratch = scratchPath(data.dataFolder ?? '');
      host = start(data, () => computes.launch(scratch), post);
      for (const waiting of early.splice(0)) if (host) serve(host.service, electronPort(waiting), serviceMembers);
    } else if (data.type === 'client' && port) {
      if (host) serve(host.service, electronPort(port), serviceMembers);
      else early.push(port);
    } else if (data.type === 'compute' && port) computes.arrived(data.id ?? 0, port);
    else if (data.type === 'compute-exit') computes.exited(data.id ?? 0, data.code ?? null);
    else if (data.type === 'close') void end(host);
  });
}

/** Protocol (b). */
function runAsNodeChild(): void {
  const post: Post = (message) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const clients = new Map<number, { receive(message: unknown): void; lost(): void }>();
  let host: OpenService | null = null;
  process.on('message', (data: HostProcessMessage) => {
    const { type, client } = data;
    if (type === 'start') {
      const { computeEntry = '', resources = '', dataFolder = '' } = data;
      const launch = () => launchComputeUnderNode(computeEntry, { resources, scratch: scratchPath(dataFolder) });
      host = start(data, launch, post);
    } else if (type === 'close') void end(host);
    else if (type === 'client' && client !== undefined && host) {
      const screen = multiplexedPort(client, post, () => clients.delete(client));
      clients.set(client, screen);
      serve(host.service, screen.port, serviceMembers);
    } else if (client !== undefined && data.closed) clients.get(client)?.lost();
    else if (client !== undefined) clients.get(client)?.receive(data.message);
  });
  process.on('disconnect', () => void end(host));
  // Ctrl-C in a terminal reaches the whole group; the shell decides, and says `close`.
  process.on('SIGINT', () => {});
}

function start(message: HostProcessMessage, launchCompute: LaunchCompute, post: Post): OpenService | null {
  try {
    const { dataFolder = '', resources = '' } = message;
    const host = openService({ dataFolder, resources, launchCompute });
    post({ type: 'ready' });
    return host;
  } catch (error) {
    post({ type: 'failed', error: errorRecord(error) });
    // The message must leave first.
    setTimeout(() => process.exit(1), 200);
    return null;
  }
}

async function end(host: OpenService | null): Promise<void> {
  await host?.close();
  process.exit(0);
}

/** Compute processes that the shell forks for this one. */
function computesOfShell(post: Post) {
  const processes = new Map<number, { arrived(port: ElectronMessagePort): void; exited(code: number | null): void }>();
  let last = 0;

  function launch(scratch: string): Promise<ComputeProcess> {
    last += 1;
    const id = last;
    return new Promise((resolve) => {
      let told: (exit: ComputeExit) => void = () => {};
      const exit = new Promise<ComputeExit>((settle) => {
        told = settle;
      });
      const make = (client: Compute): ComputeProcess => ({
        client,
        kill: () => post({ type: 'kill-compute', id }),
        onExit: (listener) => void exit.then(listener),
      });
      processes.set(id, {
        arrived: (port) => resolve(make(connect<Compute>(electronPort(port)))),
        exited(code) {
          processes.delete(id);
          told({ code, signal: null });
          // Where it could not even be started no port comes: the client of a closed port says `Disconnected`.
          resolve(make(connect<Compute>(closedPort())));
        },
      });
      post({ type: 'launch-compute', id, scratch });
    });
  }

  return {
    launch,
    arrived: (id: number, port: ElectronMessagePort) => processes.get(id)?.arrived(port),
    exited: (id: number, code: number | null) => processes.get(id)?.exited(code),
  };
}

/** One of several screens on one process channel. */
function multiplexedPort(client: number, post: Post, gone: () => void) {
  const closing = closeOnce();
  closing.listen(gone);
  const listeners: ((message: unknown) => void)[] = [];
  const port: Port = {
    post: (message) => post({ client, message }),
    onMessage: (listener) => void listeners.push(listener),
    onClose: closing.listen,
    close() {
      post({ client, closed: true });
      closing.close();
    },
  };
  return {
    port,
    receive(message: unknown) {
      for (const listener of listeners) listener(message);
    },
    lost: closing.close,
  };
}

function closedPort(): Port {
  return { post() {}, onMessage() {}, onClose: (listener) => listener(), close() {} };
}
