/**
 * Which Node host and compute run under, and the environment they get.
 * It starts nothing; host-relay.ts and host-utility.ts do.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The external Node to run the host under, or null where this process's own Node will do.
 * `HOPSCOPE_NODE` always wins; otherwise only an Electron whose Node is older than 22 needs one, which is then looked for in
 * node_modules of `projectFolder` before the system's.
 */
export function externalNode(
  projectFolder: string,
  environment: NodeJS.ProcessEnv = process.env,
  version: string = process.versions.node,
): string | null {
  if (environment.HOPSCOPE_NODE) return environment.HOPSCOPE_NODE;
  if (Number(version.split('.')[0]) >= 22) return null;
  const own = join(projectFolder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return existsSync(own) ? own : 'node';
}

/** The environment for host and compute: this process's without what would change how Node or the libraries load and behave. */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const refused = /^(NODE_OPTIONS|NODE_PATH|LD_PRELOAD|DYLD_INSERT_LIBRARIES|ELECTRON_RUN_AS_NODE|ORT_.*|.*_proxy)$/i;
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && !refused.test(entry[0])),
  );
}
