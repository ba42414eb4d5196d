/** A host over the made-up compute, in this process or in another one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { createHost } from '../../src-main/host.ts';
import { launchComputeUnderNode } from '../../src-main/service/compute-launcher.ts';
import type { OpenService } from '../../src-main/service/service.ts';
import type { Service } from '../../src-main/shared/contract.ts';
import type { ExperimentSpec, Json, RunState } from '../../src-main/shared/records.ts';

export const computeEntry = join(import.meta.dirname, 'fake-compute.ts');

export async function openHost(dataFolder: string, patience?: number): Promise<OpenService> {
  const launchCompute = () => launchComputeUnderNode(computeEntry, { resources: '/resources' });
  const host = await createHost({
    dataFolder,
    resources: '/resources',
    launchCompute,
    ...(patience === undefined ? {} : { patience }),
  });
  onTestFinished(() => host.close());
  return host;
}

export function specOf(behaviour: string, more: { [name: string]: Json } = {}): ExperimentSpec {
  return { experiment: 'ocr', model: 'small-world', dataset: 'first-hop', behaviour, ...more };
}

/** Resolves with the run's state once it is one of those, or once it has ended. */
export function whenState(service: Service, run: string, ...states: RunState[]): Promise<RunState> {
  const wanted: RunState[] = [...states, 'finished', 'failed', 'stopped', 'interrupted'];
  return new Promise((resolve, reject) => {
    const end = service.onRunChanged((change) => {
      if (change.run === run && wanted.includes(change.state)) done(change.state);
    });
    function done(state: RunState): void {
      end();
      resolve(state);
    }
    service.run(run).then(({ state }) => wanted.includes(state) && done(state), reject);
  });
}

export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Another program with one run in the same folder; `line` gives what it prints, line by line. */
export function spawnHost(dataFolder: string, spec: ExperimentSpec): { child: ChildProcess; line(): Promise<string> } {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'host-child.ts'), dataFolder, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
}
