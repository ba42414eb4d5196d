/**
 * How long passes over a model take with a plan of its memory: arithmetic at the speed measured for products of that height, Adam, and reading and
 * writing where values come from disk, which goes on meanwhile. It measures and runs nothing.
 */
import { trainingOf } from '../models/adapters.ts';
import type { Model } from '../models/model.ts';
import type { MachineSpeed } from '../runtime/machine-speed.ts';
import { elementCount } from '../tensor.ts';
import { type MemoryPlan, needsBlocks, type PlannedWork } from './memory-plan.ts';

/** Bytes per second. */
export interface Disks {
  read: number;
  write: number;
}

/** Operations and elements of one pass, as far as the time depends on them. */
interface Counts {
  /** Elements of matrices in blocks, and of the output matrix. */
  blocks: number;
  head: number;
  tokens: number;
}

/** Share of the speed of one product alone that products inside a model reach. Fitted (NOTES.md), as what follows. */
const productShare = 1;
/** Passes over a block's inner values that elementwise operators, norms and softmax make, and elements per second against Adam's. */
const innerPasses = 6;
const elementwiseAgainstAdam = 4;
/** Programs' compilation, seconds for one block forward or backward. */
const compileSeconds = 0.06;
const operatorsPerBlock = 40;

/** Seconds for the first pass beyond what each takes: compiling programs. */
export function firstPassSeconds(model: Model, plan: MemoryPlan, { kind }: PlannedWork): number {
  const programs = kind === 'forward' ? 1 : kind === 'train' ? 2.5 : 5;
  const blocks = needsBlocks(plan) || kind === 'scores' ? 1 : model.configuration.layers;
  return compileSeconds * programs * Math.max(1, blocks);
}

/** Seconds of one forward pass, one step of training, or all scores of a list of prompts with their check. */
export function passSeconds(model: Model, work: PlannedWork, plan: MemoryPlan, speed: MachineSpeed, disks: Disks): number {
  const counts = countsOf(model, work);
  if (work.kind === 'forward') return forwardSeconds(model, work, plan, counts, speed, disks);
  if (work.kind === 'scores') {
    // A pass up and one down (values, gradients, maps of the change) for the old weights, the same for the new, one mixed; the check: three
    // forward passes between them and one with derivatives, on weights formed on the way
    const passes = 13;
    const forming = (8 * counts.blocks) / (elementwiseAgainstAdam * speed.adam);
    const compute = passes * blocksSeconds(model, work, counts, speed) + forming;
    const widened = plan.residency === 'memory' ? 0 : (2 * 6 * counts.blocks) / speed.widening;
    return Math.max(compute + widened, (2 * 6 * plan.readBytes) / disks.read);
  }
  return stepSeconds(model, work, plan, counts, speed, disks);
}

function forwardSeconds(
  model: Model,
  work: PlannedWork,
  plan: MemoryPlan,
  counts: Counts,
  speed: MachineSpeed,
  { read }: Disks,
): number {
  const compute = blocksSeconds(model, work, counts, speed) + headSeconds(work, counts, speed);
  const widened = plan.residency === 'memory' ? 0 : (counts.blocks + counts.head) / speed.widening;
  return Math.max(compute + widened, plan.readBytes / read);
}

function stepSeconds(
  model: Model,
  work: PlannedWork,
  plan: MemoryPlan,
  counts: Counts,
  speed: MachineSpeed,
  { read, write }: Disks,
): number {
  const { outline, names } = trainingOf(model, work.trainable ?? 'all');
  const trained = outline.parameters.all.filter(({ name }) => names.has(name));
  const { embedding, positions } = model.parameters;
  const byRows = new Set([...(model.configuration.tiedEmbeddings ? [] : [embedding.name]), positions?.name]);
  const elements = trained.reduce((sum, { name, shape }) => sum + (byRows.has(name) ? 0 : elementCount(shape)), 0);
  const share = Math.min(1, elements / (counts.blocks + counts.head));
  // Forward, gradients of what goes on, gradients of what trains; block by block everything is computed once more
  const isWhole = !needsBlocks(plan) && outline.parameters.count * 4 <= 2 ** 30;
  const passes = (isWhole ? 2 : 3) + share;
  const compute =
    passes * blocksSeconds(model, work, counts, speed) + (2 + share) * headSeconds(work, counts, speed) + elements / speed.adam;
  if (plan.state !== 'scratch') {
    const widened = plan.residency === 'memory' ? 0 : (2 * counts.blocks + counts.head) / speed.widening;
    return Math.max(compute + widened, (2 * plan.readBytes) / read);
  }
  // Weights on the way up; weights and moments on the way down, read and written
  const reading = (elements * 16) / read;
  const writing = (elements * 12) / write;
  return plan.groups < 2 ? compute + reading + writing : Math.max(compute, reading + writing);
}

function blocksSeconds(model: Model, { batch, positions }: PlannedWork, { blocks, tokens }: Counts, speed: MachineSpeed): number {
  const { hidden, intermediate, heads, headSize, keyValueHeads, layers } = model.configuration;
  const products = 2 * blocks * tokens + 4 * tokens * positions * heads * headSize * layers;
  const values =
    tokens * (6 * hidden + 2 * (heads + 2 * keyValueHeads) * headSize + 3 * intermediate) + batch * heads * positions ** 2 * 3;
  const elementwise = (innerPasses * layers * values) / (elementwiseAgainstAdam * speed.adam) / 6;
  return products / (productShare * productSpeed(speed, tokens)) + elementwise + layers * operatorsPerBlock * speed.program * 0.1;
}

const headSeconds = ({ rows }: PlannedWork, { head }: Counts, speed: MachineSpeed): number =>
  (2 * head * rows) / (productShare * productSpeed(speed, rows));

function countsOf({ parameters }: Model, { batch, positions }: PlannedWork): Counts {
  const matrices = (list: readonly { shape: readonly number[] }[]) =>
    list.reduce((sum, { shape }) => sum + (shape.length === 2 ? elementCount(shape) : 0), 0);
  return { blocks: matrices(parameters.blocks.flat()), head: matrices(parameters.head), tokens: batch * positions };
}

/** Between the measured heights, along the logarithm. */
function productSpeed({ products }: MachineSpeed, rows: number): number {
  const [first] = products as [MachineSpeed['products'][number]];
  const last = products.at(-1)!;
  if (rows <= first.rows) return (first.speed * Math.max(1, rows)) / first.rows;
  if (rows >= last.rows) return last.speed;
  const above = products.findIndex(({ rows: height }) => height >= rows);
  const [low, high] = [products[above - 1]!, products[above]!];
  const part = Math.log(rows / low.rows) / Math.log(high.rows / low.rows);
  return low.speed ** (1 - part) * high.speed ** part;
}
