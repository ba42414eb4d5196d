/** Options of the command line that hold for every run of a workbench: for specs that leave them out, and for no others. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Context } from '../../src-main/cli/command.ts';
import { installationOf } from '../../src-main/cli/installation.ts';
import { withService } from '../../src-main/cli/workbench.ts';
import { entry, temporaryFolder } from './support.ts';

test('threads, device and memory are the defaults of specs', async () => {
  const context = {
    installation: installationOf(entry),
    dataFolder: join(temporaryFolder(), 'data'),
    device: 'cpu',
    threads: 1,
    memory: 2 ** 31,
    deviceMemory: 2 ** 30,
  } as Context;
  const given = { experiment: 'ocr', model: 'small-world', dataset: 'first-hop' };
  const [bare, own] = await withService(context, async (service) => [
    await service.preview(given),
    await service.preview({ ...given, threads: 2, device: 'auto', lr: 1e-4, epochs: 12 }),
  ]);
  expect(bare!.spec).toMatchObject({ device: 'cpu', threads: 1, memory: 2 ** 31 });
  expect(own!.spec).toMatchObject({ device: 'auto', threads: 2, memory: 2 ** 31 });
  // The small world is measured with 12 epochs: that is no choice of anyone's
  expect(own!.changed).toEqual(['lr', 'threads', 'memory']);
});
