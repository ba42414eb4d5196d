/**
 * Keeps what the trainings of a run learned, each in a file of its own, and opens such a file again for the model it belongs to.
 * A file that cannot be written is a warning and no more: the run's measurements do not depend on it. How files are laid out is
 * engine/files/kept-weights.ts's matter; which there are is the database's.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../engine/files/checkpoint.ts';
import { requireDiskSpace } from '../engine/files/disk-space.ts';
import { type Keeping, type KeptWeights, keepingOf, readKept, writeKept } from '../engine/files/kept-weights.ts';
import type { Model } from '../engine/models/model.ts';
import type { Weights } from '../engine/weights.ts';
import type { KeptFile } from '../shared/contract-weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Emission, Parameter } from '../shared/records.ts';

/** Bytes of one training's change up to which `auto` keeps it. */
export const autoKept = 256 * 2 ** 20;
/** Bytes that stay free beside a kept file: measurements go to the same disk. */
const reserve = 64 * 2 ** 20;

export const keepParameter: Parameter = {
  name: 'keep',
  label: 'Keep what is learned',
  help: 'What each training changed is kept beside the run, so that its strength can be dialled and the model asked afterwards: four bytes for each parameter that was trained (5 MB for the small world, 28 GB for all of a model of 7 billion), or the adapters alone (some MB). Automatic: where that is below 256 MiB. Trainings of a sweep - the freeze triangle, further sets, checkpoints - are not kept.',
  kind: 'choice',
  default: 'auto',
  choices: [
    { value: 'auto', label: 'Below 256 MiB each' },
    { value: 'all', label: 'Always' },
    { value: 'none', label: 'Never' },
  ],
  advanced: true,
};

export type KeepChoice = 'auto' | 'all' | 'none';

/** Whether a training whose change takes so many bytes is kept. */
export const isKeptChoice = (choice: KeepChoice, bytes: number): boolean =>
  choice === 'all' || (choice === 'auto' && bytes < autoKept);

export interface KeptTrainings {
  /** Writes what lies between the model's own weights and these, whole or not at all. */
  keep(training: { seed: number; stage: string; weights: Weights }): Promise<void>;
}

export interface KeptTrainingsSettings {
  /** Of all runs. */
  folder: string;
  run: string;
  choice: KeepChoice;
  model: Model;
  /** The model's own weights. */
  base: Weights;
  emit(emission: Emission): void;
}

export function keptTrainings({ folder, run, choice, model, base, emit }: KeptTrainingsSettings): KeptTrainings {
  const taken = new Set<string>();
  return {
    async keep({ seed, stage, weights }) {
      const keeping = keepingOf(weights, base);
      if (keeping.parts.size === 0 || !isKeptChoice(choice, keeping.bytes)) return;
      const file = `${run}/${fileName(stage, seed, taken)}`;
      try {
        emit({ kind: 'weights', row: { seed, stage, file, ...(await written(join(folder, file), keeping)) } });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        emit({ kind: 'warning', message: `What ${stage}, seed ${seed}, learned is not kept: ${reason}` });
      }
    },
  };

  async function written(path: string, keeping: Keeping) {
    requireDiskSpace(path, keeping.bytes + reserve);
    mkdirSync(join(folder, run), { recursive: true, mode: 0o700 });
    await writeKept(path, keeping, model.checkpoint.hash());
    return { form: keeping.form, bytes: statSync(path).size, hash: contentHash(path) };
  }
}

/** `finetune.seed-0.safetensors`; words people read, without what file systems refuse. */
function fileName(stage: string, seed: number, taken: Set<string>): string {
  const words =
    stage
      .toLowerCase()
      .replaceAll(/[^a-z0-9.]+/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '')
      .slice(0, 80) || 'training';
  let name = `${words}.seed-${seed}`;
  for (let number = 2; taken.has(name); number++) name = `${words}.seed-${seed}.${number}`;
  taken.add(name);
  return `${name}.safetensors`;
}

/** Opens kept weights for the model that they belong to. Errors: `KeptWeightsMissing`, `KeptWeightsChanged`, `ModelChanged`, those of `readKept`. */
export function openKept({ path, hash }: KeptFile, { checkpoint, folder }: Model): KeptWeights {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    throw new HopscopeError(
      'KeptWeightsMissing',
      `The weights that were kept in ${path} are not there any more; run the experiment again.`,
    );
  }
  if (contentHash(path) !== hash) {
    throw new HopscopeError(
      'KeptWeightsChanged',
      `${path} is not the file that the run wrote: it was changed or damaged. Bring it back from a copy, or run the experiment again.`,
    );
  }
  const kept = readKept(path);
  if (kept.modelHash === checkpoint.hash()) return kept;
  kept.close();
  throw new HopscopeError(
    'ModelChanged',
    `The files in ${folder} are not those that the run was trained from, so its weights do not fit them. Put the model's own files back, or run the experiment again.`,
  );
}
