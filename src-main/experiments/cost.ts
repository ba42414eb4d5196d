/**
 * What a run will cost on this machine: seconds from the operations it needs and the speed of a matrix product measured here once, and bytes.
 * It is an estimate to decide by; what a run took is stored with the run.
 */
import { Graph } from '../engine/graph/graph.ts';
import { encodeOnnx } from '../engine/graph/onnx.ts';
import { Session } from '../engine/runtime/session.ts';
import { floatTensor } from '../engine/tensor.ts';
import type { EncodedSet } from '../scores/evaluation.ts';
import type { Work } from './experiment.ts';

/** Share of the matrix product's speed that a training step of short texts reached in benchmarks on two cores. */
const efficiency = 0.35;

/** Seconds a step or an evaluation costs beside its arithmetic: feeding a program and reading its results. */
const overhead = 0.004;

const measuredSpeed = new Map<number, Promise<number>>();

/** Floating-point operations per second of a 512 x 512 x 512 product, the best of several. */
export function matrixSpeed(threads: number): Promise<number> {
  let speed = measuredSpeed.get(threads);
  if (!speed) {
    speed = measureSpeed(threads);
    measuredSpeed.set(threads, speed);
  }
  return speed;
}

async function measureSpeed(threads: number): Promise<number> {
  const size = 512;
  const graph = new Graph('speed');
  graph.output('y', graph.gemm(graph.input('a', [size, size]), graph.input('b', [size, size]), false, true));
  const session = await Session.create(encodeOnnx(graph), { device: 'cpu', threads });
  const [a, b, y] = [floatTensor([size, size]), floatTensor([size, size]), floatTensor([size, size])];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 8; round++) {
    const started = performance.now();
    session.run({ a, b }, { y });
    best = Math.min(best, performance.now() - started);
  }
  session.release();
  return (2 * size ** 3) / (best / 1000);
}

/** Seconds for the work: 2 operations per parameter and token forward, 6 with gradients (8 where blocks are recomputed). */
export async function estimateSeconds(
  work: Work,
  parameters: number,
  sets: readonly EncodedSet[],
  threads: number,
): Promise<number> {
  const tokens = (set: EncodedSet) => set.examples.reduce((sum, { ids }) => sum + ids.length, 0);
  const perExample = tokens(sets[0]!) / sets[0]!.examples.length;
  const measured = sets.reduce((sum, set) => sum + tokens(set), 0);
  const operations = 8 * parameters * work.steps * work.batchSize * perExample + 2 * parameters * work.evaluations * measured;
  return operations / (efficiency * (await matrixSpeed(threads))) + overhead * (work.steps + sets.length * work.evaluations);
}
