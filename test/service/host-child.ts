/** Another program on a data folder: starts one run there, prints its name, and its end. It is no test. */
import { join } from 'node:path';
import { createHost } from '../../src-main/host.ts';
import { launchComputeUnderNode } from '../../src-main/service/compute-launcher.ts';
import type { RunState } from '../../src-main/shared/records.ts';

const [, , dataFolder = '', specText = '{}'] = process.argv;
const entry = join(import.meta.dirname, 'fake-compute.ts');
const host = await createHost({
  dataFolder,
  resources: '',
  launchCompute: () => launchComputeUnderNode(entry, { resources: '' }),
});
const states: { run: string; state: RunState }[] = [];
host.service.onRunChanged((change) => states.push(change));
const { run } = await host.service.startRun(JSON.parse(specText));
console.log(run);
// Changes of other programs' runs are told here too.
const ended = () => states.find((change) => change.run === run && change.state !== 'queued' && change.state !== 'running');
while (!ended()) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(ended()?.state);
await host.close();
