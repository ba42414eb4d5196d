/**
 * Small programs for the tests of the runtime, and a worker entry that runs one.
 * They are no models; test/engine/models has those.
 */
import { parentPort } from 'node:worker_threads';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { encodeOnnx } from '../../../src-main/engine/graph/onnx.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { type FloatTensor, floatTensor } from '../../../src-main/engine/tensor.ts';

/** y = softmax(x w^T) [rows, columns], total = its sum over rows [columns], doubled = x + x. */
export function scoresProgram(rows: number, inner: number, columns: number): Uint8Array {
  const graph = new Graph('scores');
  const x = graph.input('x', [rows, inner]);
  const w = graph.input('w', [columns, inner]);
  const y = graph.apply('Softmax', [graph.gemm(x, w, false, true)], { axis: -1 });
  graph.output('y', y);
  graph.output('total', graph.reduceSum(y, [0], false));
  graph.output('doubled', graph.add(x, x));
  return encodeOnnx(graph);
}

/** Deterministic values between -1 and 1. */
export function wave(shape: readonly number[], speed: number): FloatTensor {
  const tensor = floatTensor(shape);
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = Math.sin(i * speed);
  return tensor;
}

/** The program's three results after `runs` runs, as one list. */
export async function runScores(runs: number, threads: number): Promise<number[]> {
  const [rows, inner, columns] = [7, 65, 33];
  const session = await Session.create(scoresProgram(rows, inner, columns), { device: 'cpu', threads, name: 'scores' });
  const feeds = { x: wave([rows, inner], 0.7), w: wave([columns, inner], 1.3) };
  const results = { y: floatTensor([rows, columns]), total: floatTensor([columns]), doubled: floatTensor([rows, inner]) };
  for (let run = 0; run < runs; run++) session.run(feeds, results);
  session.release();
  return [...results.y.data, ...results.total.data, ...results.doubled.data];
}

parentPort?.once('message', (request: { scores?: { runs: number; threads: number } }) => {
  if (request?.scores)
    void runScores(request.scores.runs, request.scores.threads).then((values) => parentPort?.postMessage(values));
});
