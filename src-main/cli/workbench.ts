/**
 * The host, in this process, over the chosen data folder: what the screens talk to, for commands that look at or make runs.
 * It is opened and closed here; what is asked of it is the commands' matter.
 */
import { createHost } from '../host.ts';
import { launchComputeUnderNode } from '../service/compute-launcher.ts';
import { scratchPath } from '../service/data-folder.ts';
import type { Service } from '../shared/contract.ts';
import type { ComputeDefaults } from '../shared/records.ts';
import type { Context } from './command.ts';

/**
 * Opens the service, calls `use`, and closes it, whatever happens: runs of this process that are unfinished end as interrupted.
 * `--device`, `--threads` and `--memory` hold for specs that leave them out, `--device-memory` for all.
 */
export async function withService<T>(context: Context, use: (service: Service) => Promise<T>): Promise<T> {
  const { dataFolder, installation, device, threads, memory, deviceMemory } = context;
  const { resources, computeEntry } = installation;
  const defaults: ComputeDefaults = {
    ...(device === undefined ? {} : { device }),
    ...(threads === undefined ? {} : { threads }),
    ...(memory === undefined ? {} : { memory }),
    ...(deviceMemory === undefined ? {} : { deviceMemory }),
  };
  const launchCompute = () => launchComputeUnderNode(computeEntry, { resources, scratch: scratchPath(dataFolder), defaults });
  const host = await createHost({ dataFolder, resources, launchCompute });
  try {
    return await use(host.service);
  } finally {
    await host.close();
  }
}

/** The promise's outcome, or the signal's reason as soon as it aborts. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
