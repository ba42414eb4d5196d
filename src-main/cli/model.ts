/**
 * `hopscope model FOLDER`: what a model folder holds and how much memory work with it needs. Nothing is loaded or run.
 */
import { describeModel, openModel } from '../engine/models/model.ts';
import type { Command } from './command.ts';
import { bytes, facts, grouped } from './text.ts';

export const model: Command = {
  name: 'model',
  summary: 'describe a model folder and the memory it needs',
  argument: { name: 'folder', help: 'a model folder in the Hugging Face layout' },
  options: [],

  async run({ argument }, { print, warn }) {
    const opened = await openModel(argument);
    const description = describeModel(opened);
    opened.checkpoint.close();
    for (const warning of opened.warnings) warn(warning);
    const { memory, ...rest } = description;
    const text = facts([
      ...Object.entries(rest).map(([name, value]) => {
        const shown = name === 'parameters' || name === 'vocabulary' ? grouped(Number(value)) : value;
        return [name.replaceAll('_', ' '), shown] as const;
      }),
      ...Object.entries(memory).map(([name, value]) => [`memory: ${name.replaceAll('_', ' ')}`, bytes(value)] as const),
    ]);
    print(description, text);
  },
};
