/**
 * Facts about this program and machine for the About screen and `doctor`. It tests no device.
 */
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import packageFile from '../../package.json' with { type: 'json' };
import { availableMemory } from '../engine/available-memory.ts';
import type { About } from '../shared/records.ts';

/** Memory in bytes; `available` is what plans of work are made with. */
export function describeProgram(settings: { dataFolder: string; resources: string; sqlite: string }): About {
  const versions: { [name: string]: string } = {
    hopscope: packageFile.version,
    node: process.versions.node,
    sqlite: settings.sqlite,
    'onnxruntime-node': packageFile.dependencies['onnxruntime-node'],
  };
  if (process.versions.electron !== undefined) versions.electron = process.versions.electron;
  return {
    version: packageFile.version,
    dataFolder: settings.dataFolder,
    smallWorld: join(settings.resources, 'small-world'),
    versions,
    memory: { total: totalmem(), available: availableMemory() },
    threads: availableParallelism(),
  };
}
