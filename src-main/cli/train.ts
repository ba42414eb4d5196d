/**
 * `hopscope train`: finetunes a model folder as a plan says and writes losses, weights, their change and gradients on request.
 * The model folder itself stays as it is; nothing appears before all is done.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { estimate } from '../engine/execution/estimate.ts';
import type { MemoryPlan } from '../engine/execution/memory-plan.ts';
import { requireDiskFor } from '../engine/files/disk-space.ts';
import { writeModelFolderStreamed } from '../engine/files/model-folder.ts';
import { writeSafetensors } from '../engine/files/safetensors.ts';
import { subtract, writeDelta, writeValues, writeWeights } from '../engine/files/weight-sets.ts';
import { loraOf } from '../engine/models/lora-targets.ts';
import type { Model } from '../engine/models/model.ts';
import { type LoraTraining, peftConfiguration } from '../engine/training/lora.ts';
import { readPlan, type TrainingPlan } from '../engine/training/plan.ts';
import { type PlanOutcome, runPlan, stepsOfPlan, workOfPlan } from '../engine/training/run-plan.ts';
import type { ScratchPlace } from '../engine/training/scratch-state.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Command } from './command.ts';
import { readJsonFile, requireRoomInFolder, writeFolderEntries, writeJsonFile } from './files.ts';
import { withModel } from './loaded-model.ts';
import { facts } from './text.ts';
import { estimateWords } from './text-estimate.ts';

const modelName = 'model';
/** Floating-point operations from which on it is said beforehand what a training takes: some ten seconds. */
const longWork = 1e12;
/** What PEFT reads. */
const adapterNames = ['adapter_model.safetensors', 'adapter_config.json'] as const;

export const train: Command = {
  name: 'train',
  summary: 'finetune a model as a plan says',
  options: [
    { name: 'model', value: 'FOLDER', help: 'a model folder', required: true },
    { name: 'plan', value: 'FILE', help: 'JSON with batches or a dataset, optimizer, trainable, ...', required: true },
    {
      name: 'out',
      value: 'FOLDER',
      help: 'where losses.json, weights.safetensors, delta.safetensors, ... appear; of low-rank adapters also the files that PEFT reads',
      required: true,
    },
    {
      name: 'scratch',
      value: 'FOLDER',
      help: 'where parameters in training are kept when memory does not hold them (default: OUT.scratch); an interrupted training goes on from it',
    },
    { name: 'save-model', help: 'also write the whole model, as a folder `model`' },
  ],

  async run(given, context) {
    const path = given.text('plan');
    const out = given.text('out');
    const plan = readPlan(readJsonFile(path), path);
    const saveModel = given.isSet('save-model');
    const hasAdapters = loraOf(plan.trainable) !== null;
    const gradientFiles = [...new Set(plan.saveGradients)].map(gradientsName);
    const names = [
      'losses.json',
      'weights.safetensors',
      'delta.safetensors',
      ...(hasAdapters ? adapterNames : []),
      ...gradientFiles,
      ...(saveModel ? [modelName] : []),
    ];
    requireRoomInFolder(out, names);
    const scratch = given.optional('scratch');
    if (hasAdapters && scratch !== undefined) {
      throw new HopscopeError(
        'BadPlan',
        `${path}: trainable asks for low-rank adapters, which train in memory; leave out --scratch.`,
      );
    }
    const folder = scratch ?? `${resolve(out)}.scratch`;
    const workOf = (model: Model) => workOfPlan(plan, model.tokenizer);
    await withModel(given.text('model'), context, workOf, async ({ model, weights, executor, plan: memory }) => {
      const { progress: onProgress, signal } = context;
      // A folder that was asked for, or left by an interruption, is used even where memory would do
      const onDisk = memory.state === 'scratch' || scratch !== undefined || (existsSync(folder) && !hasAdapters);
      const place = onDisk ? scratchPlace(folder, model, plan, memory) : undefined;
      if (place)
        context.warn(`parameters in training are kept in ${folder}; if interrupted, the same command goes on from there.`);
      const [work, passes] = [workOf(model), stepsOfPlan(plan, model.tokenizer)];
      // Measuring the machine takes a second, which a small model's training does not
      if (6 * model.parameters.count * work.batch * work.positions * passes > longWork) {
        const { threads } = executor.settings;
        const expected = await estimate(model, { work, passes, scratch: folder, threads, plan: memory });
        context.warn(`this takes ${estimateWords(expected)}.`);
      }
      const outcome = await runPlan(executor, weights, model.tokenizer, plan, { onProgress, signal, scratch: place });
      if (outcome.stepsBefore > 0) context.warn(`went on after step ${outcome.stepsBefore} of an interrupted training.`);
      const delta = subtract(outcome.trained, weights);
      signal.throwIfAborted();
      await writeFolderEntries(out, names, async (folder) => {
        writeJsonFile(join(folder, 'losses.json'), { losses: outcome.losses, seconds_per_step: outcome.secondsPerStep });
        await writeWeights(join(folder, 'weights.safetensors'), outcome.trained);
        await writeDelta(join(folder, 'delta.safetensors'), delta);
        if (outcome.lora) writeAdapter(folder, outcome.lora, model);
        for (const [step, gradients] of outcome.gradients)
          writeSafetensors(join(folder, gradientsName(step)), gradients, { format: 'pt' });
        if (saveModel) await writeModel(join(folder, modelName), model, outcome);
      });
      await outcome.state.remove();
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

/** Where a training's state goes, known by the plan and the model's files. Errors: `DiskTooSmall`. */
function scratchPlace(folder: string, model: Model, plan: TrainingPlan, { scratchBytes, groups }: MemoryPlan): ScratchPlace {
  const key = createHash('sha256')
    .update(JSON.stringify([model.checkpoint.stamp(), plan]))
    .digest('hex');
  if (!existsSync(folder)) requireDiskFor(folder, scratchBytes);
  return { folder, key, ...(groups > 0 && { groups }) };
}

function writeAdapter(folder: string, lora: LoraTraining, { checkpoint }: Model): void {
  const [matrices, configuration] = adapterNames;
  writeSafetensors(join(folder, matrices), lora.matrices, { format: 'pt' });
  writeJsonFile(join(folder, configuration), peftConfiguration(lora, resolve(checkpoint.folder)));
}

async function writeModel(folder: string, { checkpoint, parameters }: Model, { weights }: PlanOutcome): Promise<void> {
  // Newer exports say `dtype`, older ones `torch_dtype`
  const key = 'dtype' in checkpoint.config ? 'dtype' : 'torch_dtype';
  await writeModelFolderStreamed(folder, {
    config: { ...checkpoint.config, [key]: 'float32' },
    entries: parameters.all.map(({ name, shape }) => ({ name, type: 'float32' as const, shape })),
    produce: ({ name }, write) => writeValues(weights.get(name)!, write),
    tokenizerFiles: { copyFrom: checkpoint.folder },
  });
}
