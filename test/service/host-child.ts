/** Another program on a data folder: starts one run there, prints its name, and its end. It is no test. */
import { join } from 'node:path';
import { createHost } from '../../src-main/host.ts';
import { launchComputeUnderNode } from '../../src-main/service/compute-launcher.ts';

const [, , dataFolder = '', specText = '{}'] = process.argv;
const entry = join(import.meta.dirname, 'fake-compute.ts');
const host = await createHost({
  dataFolder,
  resources: '',
  launchCompute: () => launchComputeUnderNode(entry, { resources: '' }),
});
const ended = new Promise<string>((resolve) => {
  host.service.onRunChanged(({ state }) => {
    if (state !== 'queued' && state !== 'running') resolve(state);
  });
});
const { run } = await host.service.startRun(JSON.parse(specText));
console.log(run);
console.log(await ended);
await host.close();
