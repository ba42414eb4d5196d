/**
 * Starts a compute process and speaks with it: what any launcher gives, and the one for plain Node.
 * When to start or kill one is compute-keeper.ts's matter; Electron's launcher, which needs the shell, is in host.ts.
 */
import { fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Compute } from '../shared/contract.ts';
import { processPort } from '../shared/ports.ts';
import type { ComputeDefaults } from '../shared/records.ts';
import { connect } from '../shared/rpc.ts';

/** How a process ended: an exit code, or the signal that ended it. Both null: it could not be started. */
export interface ComputeExit {
  code: number | null;
  signal: string | null;
}

export interface ComputeProcess {
  client: Compute;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
  /** Told once, at once if it has ended already. */
  onExit(listener: (exit: ComputeExit) => void): void;
}

export type LaunchCompute = () => Promise<ComputeProcess>;

/** What the compute process may see of the environment: no NODE_OPTIONS, preloads or proxies. */
const environmentNames =
  /^(PATH|HOME|USERPROFILE|APPDATA|LOCALAPPDATA|SYSTEMROOT|SYSTEMDRIVE|WINDIR|TEMP|TMP|TMPDIR|TZ|LANG|LC_.*|XDG_.*|DISPLAY|WAYLAND_DISPLAY|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|VK_.*|HOPSCOPE_.*)$/i;

/**
 * Forks the built compute entry under this Node. Its arguments are `resources`, `scratch`, where runs keep what memory does not hold, and
 * `defaults` as JSON. Its output goes to `log`, or to this process's stderr: stdout is for results.
 */
export async function launchComputeUnderNode(
  entryPath: string,
  settings: { resources: string; scratch?: string; defaults?: ComputeDefaults; log?: string },
): Promise<ComputeProcess> {
  const output = settings.log === undefined ? 2 : openSync(settings.log, 'a', 0o600);
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => environmentNames.test(name)));
  const { resources, scratch = '', defaults = {} } = settings;
  const child = fork(entryPath, [resources, scratch, JSON.stringify(defaults)], {
    env,
    execArgv: [],
    serialization: 'json',
    stdio: ['ignore', output, output, 'ipc'],
  });
  if (output !== 2) closeSync(output);
  const exited = new Promise<ComputeExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  return {
    client: connect<Compute>(processPort(child)),
    kill: () => void child.kill('SIGKILL'),
    onExit: (listener) => void exited.then(listener),
  };
}
