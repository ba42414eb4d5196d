/**
 * `hopscope model FOLDER`: what a model folder holds and what work with it takes on this machine: memory, disk, time. Nothing is loaded or run.
 */
import { describeModel } from '../engine/execution/describe-model.ts';
import { openModel } from '../engine/models/model.ts';
import { formatBytes } from '../shared/byte-count.ts';
import type { Command } from './command.ts';
import { facts, grouped } from './text.ts';
import { estimateWords } from './text-estimate.ts';

export const model: Command = {
  name: 'model',
  summary: 'describe a model folder and what it needs',
  argument: { name: 'folder', help: 'a model folder in the Hugging Face layout' },
  options: [],

  async run({ argument }, { print, warn, memory: budget, threads, dataFolder }) {
    const opened = await openModel(argument);
    const description = await describeModel(opened, { budget, scratch: dataFolder, ...(threads && { threads }) });
    opened.checkpoint.close();
    for (const warning of opened.warnings) warn(warning);
    const { memory, plan, ...rest } = description;
    const { budget: kept, ...works } = plan;
    const text = facts([
      ...Object.entries(rest).map(([name, value]) => {
        const shown = name === 'parameters' || name === 'vocabulary' ? grouped(Number(value)) : value;
        return [name.replaceAll('_', ' '), shown] as const;
      }),
      ...Object.entries(memory).map(([name, value]) => [`memory: ${name.replaceAll('_', ' ')}`, formatBytes(value)] as const),
      ['here', `within ${formatBytes(kept)} of memory:`],
      ...Object.entries(works).map(([name, work]) => [name.replaceAll('_', ' '), `${work.of}: ${estimateWords(work)}`] as const),
    ]);
    print(description, text);
  },
};
