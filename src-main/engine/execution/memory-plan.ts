/**
 * How a piece of work fits into a number of bytes of memory: where weights are kept, whether what trains stays in memory or goes through a scratch
 * folder, and what all of it will take at its peak. It loads nothing; load-weights.ts and training do as it says.
 */
import { formatBytes } from '../../shared/byte-count.ts';
import { HopscopeError } from '../../shared/errors.ts';
import { availableMemory } from '../available-memory.ts';
import type { Model } from '../models/model.ts';
import type { Trainable } from '../models/parameters.ts';
import { arenaSize } from '../runtime/memory.ts';
import { elementCount } from '../tensor.ts';
import { placeWeights, type Residency } from './load-weights.ts';
import { activationBytes, type Sizes, sizesOf } from './memory-sizes.ts';

/** What is to be done, as far as memory depends on it. */
export interface PlannedWork {
  kind: 'forward' | 'scores' | 'train';
  /** Texts that run together, and their tokens each. */
  batch: number;
  positions: number;
  /** Rows of logits that are wanted at a time. */
  rows: number;
  /** What trains; only of `train`. */
  trainable?: Trainable;
  /** Trained sets of weights that are kept at one time; default 1. Only of `train`. */
  trainedSets?: number;
  /** Steps whose gradients are kept; only of `train`. */
  keptGradients?: number;
}

export interface MemoryPlan {
  /** Bytes that were to be kept to. */
  budget: number;
  residency: Residency;
  /** Bytes of memory that a set of weights may take, and names that stay in their files: what `loadWeights` is given. */
  weightBytes: number;
  keptInFiles: ReadonlySet<string>;
  /** Where parameters in training and their moments are. */
  state: 'none' | 'memory' | 'scratch';
  /** Groups of parameters in training that are in memory at one time, where they go through a scratch folder; 1: less than one. */
  groups: number;
  /** Bytes that one pass over all weights reads from the model's files. */
  readBytes: number;
  /** The process's predicted peak, in bytes. */
  peak: number;
  /** Bytes of disk for the scratch folder. */
  scratchBytes: number;
}

/** Whether the work must be done block by block: not everything is in memory at once. */
export const needsBlocks = ({ residency, state }: MemoryPlan): boolean => residency !== 'memory' || state === 'scratch';

/** What an executor of the planned work is to be told; the rest is its own choice. */
export const modeOf = (plan: MemoryPlan): { mode?: 'blocks' } => (needsBlocks(plan) ? { mode: 'blocks' } : {});

/** Share of the memory that is free that is taken when nothing else is asked for. */
const defaultShare = 0.8;

/** The program with its libraries and compiled programs, as measured. */
const programBytes = 175 * 2 ** 20;

export const defaultBudget = (): number => Math.round(defaultShare * availableMemory());

/** A way to do the work: where what trains is, and what stays in the model's files because of that. */
interface Way {
  state: MemoryPlan['state'];
  groups: number;
  keptInFiles: ReadonlySet<string>;
  /** Bytes for parameters in training, their moments and gradients. */
  bytes: number;
  /** Another way is better than this one with weights in 16 bits or on disk. */
  needsWhole?: boolean;
}

/** The fastest plan that fits. Errors: `NotEnoughMemory` where even the leanest does not; `BadTrainable`. */
export function planMemory(model: Model, work: PlannedWork, budget = defaultBudget()): MemoryPlan {
  const plans = plansOf(model, work, budget);
  const best = plans.find(({ peak }) => peak <= budget);
  if (best) return best;
  throw new HopscopeError(
    'NotEnoughMemory',
    `This needs at least ${formatBytes(plans.at(-1)!.peak)} of memory, but may take ${formatBytes(budget)}. Give it more with --memory, close other programs, or make the batch smaller.`,
  );
}

/** The fastest plan that fits, or the leanest where none does. Errors: `BadTrainable`. */
export function bestPlan(model: Model, work: PlannedWork, budget = defaultBudget()): MemoryPlan {
  const plans = plansOf(model, work, budget);
  return plans.find(({ peak }) => peak <= budget) ?? plans.at(-1)!;
}

function plansOf(model: Model, work: PlannedWork, budget: number): MemoryPlan[] {
  const sizes = sizesOf(model, work);
  return waysOf(sizes, work).flatMap((way) => {
    const isScratch = way.state === 'scratch';
    const plan = (limit: number): MemoryPlan => {
      const { residency, bytes, placements } = placeWeights(model, limit, way.keptInFiles);
      const inFloats = new Set(placements.filter(({ where }) => where === 'float32').map(({ parameter }) => parameter.name));
      // What training holds in memory itself is not brought there once more
      const isStaged = (name: string) => !inFloats.has(name) && (isScratch || !way.keptInFiles.has(name));
      const inBlocks = !sizes.isWhole || residency !== 'memory' || isScratch;
      const staged = residency === 'memory' && !isScratch ? 0 : stagedBytes(sizes, work, isStaged);
      const besides = programBytes + activationBytes(model, work, inBlocks) + way.bytes;
      const inFile = new Set(placements.filter(({ where }) => where === 'file').map(({ parameter }) => parameter.name));
      const { blocks, head } = model.parameters;
      const readFrom = [...blocks.flat(), ...head].filter(({ name }) => inFile.has(name) && !way.keptInFiles.has(name));
      return {
        budget,
        residency,
        weightBytes: limit,
        keptInFiles: way.keptInFiles,
        state: way.state,
        groups: way.groups,
        readBytes: readFrom.reduce((sum, { name }) => sum + fileBytes(model, name), 0),
        peak: Math.round(besides + setsOf(work) * bytes + staged),
        // Of trainings that are done only the weights stay
        scratchBytes: isScratch ? ((work.trainedSets ?? 1) + 2) * sizes.trained + 3 * way.groups * sizes.trainedGroup : 0,
      };
    };
    const whole = plan(Number.POSITIVE_INFINITY);
    if (whole.peak <= budget) return [whole];
    if (way.needsWhole) return [];
    // As much in memory as there is room for beside what is brought in turns
    const none = plan(0);
    const room = (budget - none.peak) / setsOf(work);
    const tooMuch = placeWeights(model, Number.POSITIVE_INFINITY, way.keptInFiles).bytes;
    return [room > 0 ? plan(isScratch ? room : Math.min(room, tooMuch - 1)) : none];
  });
}

/** Ways to do it, the fastest first. */
function waysOf({ training, isWhole, trained, trainedGroup, trainedPart, trainedByRows }: Sizes, work: PlannedWork): Way[] {
  const nothing: ReadonlySet<string> = new Set();
  if (work.kind !== 'train' || !training) return [{ state: 'none', groups: 0, keptInFiles: nothing, bytes: 0 }];
  const { trainedSets = 1, keptGradients = 0 } = work;
  const kept = keptGradients * trained;
  // Moments and gradients of rows that are never read are not touched; gradients of blocks take turns, that of the head has its own place
  const moments = 3 * trained - 2 * trainedByRows;
  const gradients = isWhole ? trained - trainedByRows : 2 * trainedGroup;
  const inMemory = trainedSets * (moments + (isWhole ? gradients : 0)) + (isWhole ? 0 : gradients) + kept;
  const memory = { state: 'memory', groups: 0, bytes: inMemory } as const;
  // Adapters are small, and their model stays as it is
  if (training.lora) return [{ ...memory, keptInFiles: nothing }];
  const scratch = (groups: number, parts: number): Way => ({
    state: 'scratch',
    groups,
    keptInFiles: training.names,
    bytes: parts + 2 * trainedGroup + kept,
  });
  return [
    { ...memory, keptInFiles: nothing, needsWhole: true },
    { ...memory, keptInFiles: training.names },
    scratch(3, 9 * trainedGroup),
    scratch(2, 6 * trainedGroup),
    // The leanest way has the largest parameter twice in memory
    scratch(1, 6 * trainedPart),
  ];
}

/** Scores compare two sets of weights, which may differ everywhere. */
const setsOf = ({ kind }: PlannedWork): number => (kind === 'scores' ? 2 : 1);

/** What is brought as float32 for a program and the next one, of each set of weights. Scores need no whole output matrix. */
function stagedBytes({ groups }: Sizes, work: PlannedWork, isStaged: (name: string) => boolean): number {
  const sizes = groups.map((group) =>
    group.reduce((sum, { name, shape }) => sum + (isStaged(name) ? arenaSize(elementCount(shape) * 4) : 0), 0),
  );
  const wanted = work.kind === 'scores' ? sizes.slice(0, -1) : sizes;
  return 2 * setsOf(work) * Math.max(0, ...wanted);
}

function fileBytes({ checkpoint }: Model, name: string): number {
  const { start, end } = checkpoint.tensors.get(name)!;
  return end - start;
}
