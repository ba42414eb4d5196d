/**
 * Bytes that kinds of work take beside weights: blocks' inner values, logits, gradients, Adam's moments. Factors are measured ones (NOTES.md).
 * It decides nothing; memory-plan.ts does.
 */
import { type Training, trainingOf } from '../models/adapters.ts';
import type { Model } from '../models/model.ts';
import type { Parameter } from '../models/parameters.ts';
import { arenaSize } from '../runtime/memory.ts';
import { elementCount } from '../tensor.ts';
import { executionMode } from './executor.ts';
import { wholeHeadElements } from './head.ts';
import type { PlannedWork } from './memory-plan.ts';
import { keptInnerBytes, keptLimit } from './observer.ts';

/** In bytes, of float32 elements. */
export interface Sizes {
  training: Training | null;
  isWhole: boolean;
  /** Of each block and of the output matrix, or two stretches of it: what programs take at a time. */
  groups: readonly (readonly Parameter[])[];
  /** What trains, in all and of the largest group. */
  trained: number;
  trainedGroup: number;
  /** The largest single parameter that trains, or stretch of one. */
  trainedPart: number;
  /** Rows of it are read and trained, others never touched: an embedding that is not the output matrix, or learned positions. */
  trainedByRows: number;
}

const bytesOf = (list: readonly Parameter[]): number =>
  list.reduce((sum, { shape }) => sum + arenaSize(elementCount(shape) * 4), 0);

export function sizesOf(model: Model, { kind, trainable }: PlannedWork): Sizes {
  const training = kind === 'train' ? trainingOf(model, trainable ?? 'all') : null;
  const { parameters, configuration } = training?.outline ?? model;
  const { embedding, positions } = parameters;
  const isTrained = ({ name }: Parameter) => training?.names.has(name) ?? false;
  const heads = parameters.head.map((parameter) => stretchOf(parameter));
  const largest = (of: (list: readonly Parameter[]) => number) =>
    Math.max(0, ...[...parameters.blocks, heads].map((group) => of(group.filter(isTrained))));
  const byRows = [...(configuration.tiedEmbeddings ? [] : [embedding]), ...(positions ? [positions] : [])];
  return {
    training,
    isWhole: executionMode(training?.outline ?? model, {}) === 'whole',
    // Stretches of the output matrix come two at a time as blocks do
    groups: [...parameters.blocks, heads],
    trained: bytesOf(parameters.all.filter(isTrained)),
    trainedGroup: largest(bytesOf),
    trainedPart: largest((list) => Math.max(0, ...list.map((parameter) => bytesOf([parameter])))),
    trainedByRows: bytesOf(byRows.filter(isTrained)),
  };
}

/** A matrix that is taken in stretches, as large as one of them. */
function stretchOf(parameter: Parameter): Parameter {
  const elements = elementCount(parameter.shape);
  if (elements <= wholeHeadElements) return parameter;
  const [rows, width] = parameter.shape as [number, number];
  return { ...parameter, shape: [Math.ceil(rows / Math.ceil(elements / wholeHeadElements)), width] };
}

/** Values of one block that are there at one time on the way up, per token: inputs of its maps, queries, keys, values, attention. */
function innerBytes({ configuration }: Model, { batch, positions }: PlannedWork): number {
  const { hidden, intermediate, heads, headSize, keyValueHeads } = configuration;
  const queries = (heads + 2 * keyValueHeads) * headSize;
  return batch * positions * (6 * hidden + 3 * queries + 4 * intermediate + 3 * heads * positions) * 4;
}

/** What is there beside weights, gradients and moments. `inBlocks`: programs run block by block. */
export function activationBytes(model: Model, work: PlannedWork, inBlocks: boolean): number {
  const { hidden, layers, vocabulary } = model.configuration;
  const { kind, batch, positions, rows } = work;
  const stream = batch * positions * hidden * 4;
  const logits = rows * vocabulary * 4;
  const inner = innerBytes(model, work);
  if (kind === 'forward') return inner + 2 * logits + 4 * stream;
  if (kind === 'train') {
    // All blocks' values wait for the way back where the model is one program
    const waiting = inBlocks ? 4 * inner + layers * stream : layers * inner * 2;
    return waiting + 3 * logits;
  }
  const bound = keptInnerBytes(model.configuration, work);
  const keeps = !inBlocks && 2 * bound <= keptLimit;
  const matrix = Math.max(...model.parameters.blocks[0]!.map((parameter) => bytesOf([parameter])));
  // The difference of two matrices is formed in the runtime's memory, which grows by powers of two
  // The check against the true change forms that of a whole block, and its product with what it is scaled by
  const block = bytesOf(model.parameters.blocks[0]!);
  return (keeps ? 1.5 * bound : 2 * layers * stream + 2 * inner) + 2 * 2 ** Math.ceil(Math.log2(matrix)) + 3 * block;
}
