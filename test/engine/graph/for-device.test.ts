/** The rewriting of graphs for devices: no integer is reshaped, halves are widened, and the numbers stay. */
import { describe, expect, test } from 'vitest';
import { fedAgain, forDevice } from '../../../src-main/engine/graph/for-device.ts';
import { gradients } from '../../../src-main/engine/graph/gradient.ts';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { encodeOnnx } from '../../../src-main/engine/graph/onnx.ts';
import { printGraph } from '../../../src-main/engine/graph/print.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { floatTensor, type Tensor } from '../../../src-main/engine/tensor.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

/** y = matrix[rows], the gradient of sum(y seed), and how y moves along the seed. */
function lookUp(): Graph {
  const graph = new Graph('look up');
  const matrix = graph.input('matrix', [4, 2]);
  const seed = graph.input('seed', [3, 2]);
  const y = graph.apply('Gather', [matrix, graph.input('rows', [3], 'int64')]);
  const [atMatrix] = gradients(graph, new Map([[y, seed]]), [matrix]);
  const [back] = gradients(graph, new Map([[atMatrix!, graph.multiply(matrix, matrix)]]), [seed]);
  graph.output('y', y);
  graph.output('gradient', atMatrix!);
  graph.output('back', back!);
  return graph;
}

const feeds: Record<string, Tensor> = {
  matrix: floatTensor([4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
  seed: floatTensor([3, 2], Float32Array.of(10, 20, 30, 40, 50, 60)),
  rows: { type: 'int64', shape: [3], data: BigInt64Array.of(2n, 0n, 2n) },
};

async function resultsOf(graph: Graph): Promise<number[][]> {
  const session = await Session.create(encodeOnnx(graph), cpu);
  const results = [...graph.outputs].map(([name, { shape }]) => [name, floatTensor(shape)] as const);
  session.run(feeds, Object.fromEntries(results));
  session.release();
  return results.map(([, { data }]) => [...data]);
}

describe('forDevice', () => {
  test('feeds integers again in the shape they are needed in', async () => {
    const graph = lookUp();
    const before = printGraph(graph);
    expect(before).toMatch(/int64\[3, 1\] = Reshape/);
    const device = forDevice(graph);
    expect(printGraph(graph)).toBe(before);
    expect(printGraph(device)).not.toMatch(/int64.*= Reshape/);
    expect(device.inputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['matrix', [4, 2]],
      ['seed', [3, 2]],
      ['rows', [3]],
      ['rows as 3x1', [3, 1]],
    ]);
    const expected = [
      [5, 6, 1, 2, 5, 6],
      [30, 40, 0, 0, 60, 80, 0, 0],
      [25, 36, 1, 4, 25, 36],
    ];
    expect(await resultsOf(graph)).toEqual(expected);
    // The session feeds the second input by itself
    expect(await resultsOf(device)).toEqual(expected);
  });

  test('tells inputs of its own from others', () => {
    expect(['rows as 8x1', 'places of rows as 3', 'rows', 'as 8x1', 'known as x'].map(fedAgain)).toEqual([
      'rows',
      'places of rows',
      null,
      null,
      null,
    ]);
  });

  test('widens weights that are fed in half precision', async () => {
    const graph = new Graph('halves');
    const w = graph.input('w', [2, 2]);
    graph.output('y', graph.add(graph.gemm(graph.input('x', [1, 2]), w, false, true), graph.reduceSum(w, [0])));
    const device = forDevice(graph, new Set(['w']));
    expect(device.inputs.map(({ name, type }) => `${name} ${type}`)).toEqual(['w float16', 'x float32']);
    const session = await Session.create(encodeOnnx(device), cpu);
    const y = floatTensor([1, 2]);
    // 1, 2, -0.5, 4
    const halves: Tensor = { type: 'float16', shape: [2, 2], data: Uint16Array.of(0x3c00, 0x4000, 0xb800, 0x4400) };
    session.run({ x: floatTensor([1, 2], Float32Array.of(10, 100)), w: halves }, { y });
    expect([...y.data]).toEqual([210.5, 401]);
    session.release();
  });
});
