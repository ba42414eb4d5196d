/**
 * `hopscope train`: finetunes a model folder as a plan says and writes losses, weights, their change and gradients on request.
 * The model folder itself stays as it is; nothing appears before all is done.
 */
import { join } from 'node:path';
import { writeModelFolder } from '../engine/files/model-folder.ts';
import { writeSafetensors } from '../engine/files/safetensors.ts';
import { subtract, writeDelta } from '../engine/files/weight-sets.ts';
import type { Model } from '../engine/models/model.ts';
import { readPlan } from '../engine/training/plan.ts';
import { type PlanOutcome, runPlan } from '../engine/training/run-plan.ts';
import type { Command } from './command.ts';
import { readJsonFile, requireRoomInFolder, writeFolderEntries, writeJsonFile } from './files.ts';
import { withModel } from './loaded-model.ts';
import { facts } from './text.ts';

const modelName = 'model';

export const train: Command = {
  name: 'train',
  summary: 'finetune a model as a plan says',
  options: [
    { name: 'model', value: 'FOLDER', help: 'a model folder', required: true },
    { name: 'plan', value: 'FILE', help: 'JSON with batches or a dataset, optimizer, trainable, ...', required: true },
    {
      name: 'out',
      value: 'FOLDER',
      help: 'where losses.json, weights.safetensors, delta.safetensors, ... appear',
      required: true,
    },
    { name: 'save-model', help: 'also write the whole model, as a folder `model`' },
  ],

  async run(given, context) {
    const path = given.text('plan');
    const out = given.text('out');
    const plan = readPlan(readJsonFile(path), path);
    const saveModel = given.isSet('save-model');
    const gradientFiles = [...new Set(plan.saveGradients)].map(gradientsName);
    const names = [
      'losses.json',
      'weights.safetensors',
      'delta.safetensors',
      ...gradientFiles,
      ...(saveModel ? [modelName] : []),
    ];
    requireRoomInFolder(out, names);
    await withModel(given.text('model'), context, async ({ model, weights, executor }) => {
      const { progress: onProgress, signal } = context;
      const outcome = await runPlan(executor, weights, model.tokenizer, plan, { onProgress, signal });
      const delta = subtract(outcome.trained, weights);
      signal.throwIfAborted();
      writeFolderEntries(out, names, (folder) => {
        writeJsonFile(join(folder, 'losses.json'), { losses: outcome.losses, seconds_per_step: outcome.secondsPerStep });
        writeSafetensors(join(folder, 'weights.safetensors'), outcome.trained, { format: 'pt' });
        writeDelta(join(folder, 'delta.safetensors'), delta);
        for (const [step, gradients] of outcome.gradients)
          writeSafetensors(join(folder, gradientsName(step)), gradients, { format: 'pt' });
        if (saveModel) writeModel(join(folder, modelName), model, outcome);
      });
      const seconds = outcome.secondsPerStep.reduce((sum, value) => sum + value, 0);
      const { losses } = outcome;
      const result = { out, steps: losses.length, losses, trained: [...outcome.trained.keys()], files: names, seconds };
      const text = facts([
        ['steps', losses.length],
        ['first loss', losses[0]!.toFixed(4)],
        ['last loss', losses.at(-1)!.toFixed(4)],
        ['trained tensors', outcome.trained.size],
        ['seconds', seconds.toFixed(2)],
        ['written', names.map((name) => join(out, name)).join(', ')],
      ]);
      context.print(result, text);
    });
  },
};

const gradientsName = (step: number) => `gradients.${step}.safetensors`;

function writeModel(folder: string, { checkpoint }: Model, { weights }: PlanOutcome): void {
  // Newer exports say `dtype`, older ones `torch_dtype`
  const key = 'dtype' in checkpoint.config ? 'dtype' : 'torch_dtype';
  writeModelFolder(folder, {
    config: { ...checkpoint.config, [key]: 'float32' },
    tensors: weights,
    tokenizerFiles: { copyFrom: checkpoint.folder },
  });
}
