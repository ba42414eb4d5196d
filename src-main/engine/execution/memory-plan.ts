/**
 * How a piece of work fits into a number of bytes of memory: where weights are kept, whether what trains stays in memory or goes through a scratch
 * folder, and what all of it will take at its peak. It loads nothing; load-weights.ts and training do as it says.
 */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { HopscopeError } from '../../shared/errors.ts';
import type { Model } from '../models/model.ts';
import { type Parameter, type Trainable, trainableNames } from '../models/parameters.ts';
import { elementCount } from '../tensor.ts';
import { executionMode } from './executor.ts';
import { wholeHeadElements } from './head.ts';
import { placeWeights, type Residency } from './load-weights.ts';

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
}

export interface MemoryPlan {
  /** Bytes that were to be kept to. */
  budget: number;
  residency: Residency;
  /** Bytes of memory that weights may take: what `loadWeights` is given. */
  weightBytes: number;
  /** Where parameters in training and their moments are. */
  state: 'none' | 'memory' | 'scratch';
  /** Groups of parameters in training that are in memory at one time, where they go through a scratch folder. */
  groups: number;
  /** The process's predicted peak, in bytes. */
  peak: number;
  /** Bytes of disk for the scratch folder. */
  scratchBytes: number;
}

/** Whether the work must be done block by block: not everything is in memory at once. */
export const needsBlocks = ({ residency, state }: MemoryPlan): boolean => residency !== 'memory' || state === 'scratch';

/** Share of the memory that is free that is taken when nothing else is asked for. */
const defaultShare = 0.8;

/** The program, its libraries and compiled programs. */
const programBytes = 220 * 2 ** 20;

/** Bytes this process may still take: what the system says is available, within the limit of its control group. */
export function availableMemory(): number {
  return Math.min(systemAvailable(), groupAvailable());
}

export const defaultBudget = (): number => Math.round(defaultShare * availableMemory());

function systemAvailable(): number {
  const line = readText('/proc/meminfo').match(/^MemAvailable:\s+(\d+) kB/m);
  return line ? Number(line[1]) * 1024 : freemem();
}

function groupAvailable(): number {
  const [limit, used] = ['memory.max', 'memory.current'].map((name) =>
    Number(readText(`/sys/fs/cgroup/${name}`).trim() || 'NaN'),
  );
  return Number.isFinite(limit) && Number.isFinite(used) ? Math.max(0, limit! - used!) : Number.POSITIVE_INFINITY;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Sizes that memory depends on, in bytes as float32 unless said otherwise. */
interface Sizes {
  weights: number;
  /** The largest group of weights that programs take at a time: a block, or a stretch of the output matrix. */
  group: number;
  /** A block's inner values, its inputs at all layers, and the rows of logits. */
  activations: number;
  /** What trains, in all and of the largest group. */
  trained: number;
  trainedGroup: number;
  /** The largest single parameter that trains, or stretch of one. */
  trainedPart: number;
}

/** Errors: `NotEnoughMemory` where even the leanest way does not fit; `BadTrainable`. */
export function planMemory(model: Model, work: PlannedWork, budget = defaultBudget()): MemoryPlan {
  const sizes = sizesOf(model, work);
  const isWhole = executionMode(model, {}) === 'whole';
  const fixed = programBytes + sizes.activations;
  const plans = candidates(sizes, work, isWhole).map((candidate): MemoryPlan => {
    const { weightBytes, residency } = fitWeights(model, budget - fixed - candidate.besides, sizes, work);
    const staged = residency === 'memory' ? 0 : stagedGroups(work) * sizes.group;
    return {
      budget,
      residency,
      weightBytes,
      state: candidate.state,
      groups: candidate.groups,
      peak: Math.round(fixed + candidate.besides + weightBytes + staged),
      scratchBytes: candidate.state === 'scratch' ? 3 * (sizes.trained + candidate.groups * sizes.trainedGroup) : 0,
    };
  });
  const best = plans.find(({ peak }) => peak <= budget);
  if (best) return best;
  const least = plans.at(-1)!;
  throw new HopscopeError(
    'NotEnoughMemory',
    `This needs at least ${gigabytes(least.peak)} of memory, but may take ${gigabytes(budget)}. Give it more with --memory, close other programs, or make the batch smaller.`,
  );
}

/** Ways to train, the fastest first: bytes besides weights and activations. */
function candidates(
  { trained, trainedGroup, trainedPart }: Sizes,
  { kind }: PlannedWork,
  isWhole: boolean,
): { state: MemoryPlan['state']; groups: number; besides: number }[] {
  if (kind !== 'train') return [{ state: 'none', groups: 0, besides: 0 }];
  const gradients = isWhole ? trained : trainedGroup;
  return [
    { state: 'memory', groups: 0, besides: 3 * trained + gradients },
    ...[3, 2].map((groups) => ({ state: 'scratch' as const, groups, besides: 3 * groups * trainedGroup + trainedGroup })),
    // The leanest way has the largest parameter twice in memory
    { state: 'scratch', groups: 1, besides: 6 * trainedPart + trainedGroup },
  ];
}

/** Two groups at a time are brought to programs that run layer by layer, four where two sets of weights are compared. */
const stagedGroups = ({ kind }: PlannedWork): number => (kind === 'scores' ? 4 : 2);

function fitWeights(
  model: Model,
  room: number,
  { group }: Sizes,
  work: PlannedWork,
): { weightBytes: number; residency: Residency } {
  // A second set of weights that differs everywhere takes as much again
  const sets = work.kind === 'scores' ? 2 : 1;
  const whole = placeWeights(model, room / sets);
  if (whole.residency === 'memory') return { weightBytes: whole.bytes * sets, residency: 'memory' };
  const left = Math.max(0, room - stagedGroups(work) * group);
  const { bytes, residency } = placeWeights(model, left / sets);
  return { weightBytes: bytes * sets, residency };
}

function sizesOf(model: Model, { kind, batch, positions, rows, trainable }: PlannedWork): Sizes {
  const { configuration, parameters } = model;
  const { hidden, intermediate, heads, headSize, keyValueHeads, layers, vocabulary } = configuration;
  const bytes = (list: readonly Parameter[]) => list.reduce((sum, { shape }) => sum + elementCount(shape) * 4, 0);
  const largest = (of: (list: readonly Parameter[]) => readonly Parameter[]) => {
    const head = Math.min(bytes(of(parameters.head)), wholeHeadElements * 4);
    return Math.max(head, ...parameters.blocks.map((block) => bytes(of(block))));
  };
  const names = kind === 'train' ? trainableNames(parameters, trainable ?? 'all') : new Set<string>();
  const isTrained = ({ name }: Parameter) => names.has(name);
  const tokens = batch * positions;
  const queries = heads * headSize + 2 * keyValueHeads * headSize;
  // A backward pass holds about twice a forward pass's values
  const factor = kind === 'forward' ? 1 : 2;
  const inner = tokens * (6 * hidden + 3 * queries + 4 * intermediate + 3 * heads * positions) * 4;
  return {
    weights: bytes(parameters.all),
    group: largest((list) => list),
    activations: factor * inner + tokens * hidden * layers * 4 + rows * vocabulary * 8,
    trained: bytes(parameters.all.filter(isTrained)),
    trainedGroup: largest((list) => list.filter(isTrained)),
    trainedPart: largest((list) =>
      list
        .filter(isTrained)
        .toSorted((a, b) => elementCount(b.shape) - elementCount(a.shape))
        .slice(0, 1),
    ),
  };
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
