/**
 * Building, checking, printing and encoding graphs: what a mistake says, what the text looks like, which results the encoder handles.
 * Operators' values and gradients are ops.test.ts's.
 */
import { describe, expect, test } from 'vitest';
import { checkGraph } from '../../../src-main/engine/graph/check.ts';
import { gradients } from '../../../src-main/engine/graph/gradient.ts';
import { Graph, type Value } from '../../../src-main/engine/graph/graph.ts';
import { encodeOnnx } from '../../../src-main/engine/graph/onnx.ts';
import { printGraph } from '../../../src-main/engine/graph/print.ts';
import { expectClose, expectCode, run, tensor, uniform } from './support.ts';

/** The fields that a test spoils although the type forbids it. */
type Spoilable<T> = { -readonly [K in keyof T]: T[K] };
const spoil = (value: Value): Spoilable<Value> => value;

function small(): { graph: Graph; x: Value; w: Value; y: Value } {
  const graph = new Graph('small');
  const x = graph.input('x', [2, 3]);
  const w = graph.input('w', [4, 3]);
  const hidden = graph.label('mlp.out', graph.gemm(x, w, false, true));
  const y = graph.apply('Softmax', [graph.scale(hidden, 0.5)], { axis: 1 });
  graph.output('y', y);
  return { graph, x, w, y };
}

describe('building', () => {
  test('a refused node names operator, types, shapes, attributes, graph and reason', () => {
    const { graph, x, w } = small();
    expectCode(
      'BadGraph',
      'Gemm(float32[2,3], float32[4,3]) {"transA":0,"transB":0} in graph small: inner sizes 3 and 4 differ',
      () => graph.gemm(x, w),
    );
    expect(graph.nodes).toHaveLength(3);
  });

  test('a scalar is made once per number, and a factor of 1 costs nothing', () => {
    const graph = new Graph('scalars');
    const x = graph.input('x', [2]);
    expect(graph.scalar(0.5)).toBe(graph.scalar(0.5));
    expect(graph.scalar(0.5)).not.toBe(graph.scalar(2));
    expect(graph.scale(x, 1)).toBe(x);
    graph.scale(graph.scale(x, 0.5), 0.5);
    expect(graph.constants.size).toBe(2);
    expect(graph.constantElements()).toBe(2);
  });

  test('reshapes and transposes that change nothing add no node', () => {
    const graph = new Graph('nothing');
    const x = graph.input('x', [2, 3]);
    expect(graph.reshape(x, [2, 3])).toBe(x);
    expect(graph.transpose(x, [0, 1])).toBe(x);
    expect(graph.sumTo(x, [2, 3])).toBe(x);
    expect(graph.nodes).toEqual([]);
  });

  test.each([
    [[2, 3], []],
    [[2, 3], [3]],
    [
      [2, 3],
      [1, 3],
    ],
    [
      [2, 3],
      [2, 1],
    ],
    [
      [4, 2, 3],
      [2, 1],
    ],
    [
      [4, 2, 3],
      [1, 1, 1],
    ],
  ])('a sum of [%s] to [%s]', async (from, to) => {
    const graph = new Graph('sum');
    const x = graph.input('x', from);
    const y = graph.sumTo(x, to);
    expect(y.shape).toEqual(to);
    graph.output('y', y);
    const ones = Array(from.reduce((product, size) => product * size)).fill(1);
    const each = ones.length / to.reduce((product, size) => product * size, 1);
    expect((await run(graph, new Map([[x, ones]]))).y!.every((value) => value === each)).toBe(true);
  });
});

describe('checking', () => {
  test('a good graph passes, with its gradients', () => {
    const { graph, x, w, y } = small();
    checkGraph(graph);
    const [dx, dw] = gradients(graph, new Map([[y, graph.input('dy', [2, 4])]]), [x, w]);
    graph.output('dx', dx!);
    graph.output('dw', dw!);
    checkGraph(graph);
  });

  test('two values of one name', () => {
    const { graph } = small();
    graph.input('x', [1]);
    expectCode('BadGraph', ['small: two values are called x', 'graph small(x: float32[2, 3]'], () => checkGraph(graph));
  });

  test('an input that has the name of a computed value', () => {
    const { graph, y } = small();
    graph.input(y.name, [1]);
    expectCode('BadGraph', `two values are called ${y.name}`, () => checkGraph(graph));
  });

  test('use before definition', () => {
    const { graph } = small();
    graph.nodes.reverse();
    expectCode('BadGraph', ['Softmax uses', 'which nothing before it defines'], () => checkGraph(graph));
  });

  test('a value of another graph', () => {
    const { graph, x } = small();
    const stranger = new Graph('other').input('stranger', [2, 3]);
    graph.output('sum', graph.add(x, stranger));
    expectCode('BadGraph', 'Add uses stranger', () => checkGraph(graph));
  });

  test('a recorded shape or type that does not follow from the operator', () => {
    const wrongShape = small();
    spoil(wrongShape.y).shape = [4, 2];
    expectCode('BadGraph', `${wrongShape.y.name} is not what Softmax gives`, () => checkGraph(wrongShape.graph));
    const wrongType = small();
    spoil(wrongType.y).type = 'int64';
    expectCode('BadGraph', `${wrongType.y.name} is not what Softmax gives`, () => checkGraph(wrongType.graph));
  });

  test.each([[[0, 2]], [[-1]], [[1.5]], [[Number.NaN]]])('an input of shape [%s]', (shape) => {
    const graph = new Graph('sizes');
    graph.output('y', graph.input('x', shape));
    expectCode('BadGraph', `x has shape [${shape}]`, () => checkGraph(graph));
  });

  test('a constant whose data are not of its shape', () => {
    const graph = new Graph('constants');
    graph.output('y', graph.constant({ type: 'float32', shape: [3], data: new Float32Array(2) }));
    expectCode('BadGraph', 'holds 2 elements', () => checkGraph(graph));
  });

  test('no results, and results or labels from elsewhere', () => {
    const { graph, x } = small();
    const stranger = new Graph('other').input('stranger', [1]);
    graph.outputs.clear();
    expectCode('BadGraph', 'small: it has no results', () => checkGraph(graph));
    graph.output('stray', stranger);
    expectCode('BadGraph', 'result stray is not in the graph', () => checkGraph(graph));
    graph.outputs.clear();
    graph.output('y', x);
    graph.label('layers.0.resid', stranger);
    expectCode('BadGraph', 'label layers.0.resid is not in the graph', () => checkGraph(graph));
  });

  test('a result that is called like a value', () => {
    for (const make of [(x: Value) => x, (_x: Value, y: Value) => y]) {
      const { graph, x, y } = small();
      graph.output('x', make(x, y));
      expectCode('BadGraph', 'result x has the name of another value', () => checkGraph(graph));
    }
  });

  test('encoding checks first', () => {
    expectCode('BadGraph', 'it has no results', () => encodeOnnx(new Graph('empty')));
  });
});

test('printing', () => {
  const { graph } = small();
  expect(printGraph(graph)).toBe(
    [
      'graph small(x: float32[2, 3], w: float32[4, 3])',
      '  c1: float32[] = constant',
      '  v0: float32[2, 4] = Gemm(x, w) {"transA":0,"transB":1}  # mlp.out',
      '  v2: float32[2, 4] = Mul(v0, c1)',
      '  v3: float32[2, 4] = Softmax(v2) {"axis":1}',
      '  result y = v3',
    ].join('\n'),
  );
});

describe('encoding', () => {
  test('nodes and constants that no result needs are left out', async () => {
    const { graph, x, w } = small();
    const lean = encodeOnnx(graph);
    // Would give NaN and 40 kB of constant if it were kept
    graph.apply('Log', [
      graph.apply('Add', [graph.input('unused', [1]), graph.constant(tensor('float32', [10_000], Array(10_000).fill(-1)))]),
    ]);
    const pruned = encodeOnnx(graph);
    expect(pruned.length - lean.length).toBeLessThan(100);
    expect(new TextDecoder('latin1').decode(pruned)).not.toContain('Log');
    const feeds = new Map<Value, readonly number[]>([
      [x, uniform(1, 6)],
      [w, uniform(2, 12)],
      [graph.inputs[2]!, [0]],
    ]); // prettier-ignore
    expect((await run(graph, feeds)).y).toHaveLength(8);
  });

  test('the bytes are the same every time', () => {
    expect(encodeOnnx(small().graph)).toEqual(encodeOnnx(small().graph));
  });

  test('results that are one value, inputs, constants, or used further', async () => {
    const graph = new Graph('results');
    const x = graph.input('x', [2]);
    const negative = graph.negate(x);
    const constant = graph.constant(tensor('int64', [2], [7, -8]));
    graph.output('first', negative);
    graph.output('second', negative);
    graph.output('third', negative);
    graph.output('input', x);
    graph.output('constant', constant);
    graph.output('scalar', graph.scalar(0.25));
    graph.output('further', graph.apply('Exp', [negative]));
    const results = await run(graph, new Map([[x, [0, 1]]]));
    expectClose(results.further!, [1, Math.exp(-1)], 1e-7, 'further');
    expect({ ...results, further: [] }).toEqual({
      first: [-0, -1],
      second: [-0, -1],
      third: [-0, -1],
      input: [0, 1],
      constant: [7, -8],
      scalar: [0.25],
      further: [],
    });
  });

  test('a graph of nothing but its input', async () => {
    const graph = new Graph('through');
    const x = graph.input('x', [3]);
    graph.output('y', x);
    expect(await run(graph, new Map([[x, [1, 2, 3]]]))).toEqual({ y: [1, 2, 3] });
  });

  test('constants of every type that graphs hold, from the middle of a buffer', async () => {
    const graph = new Graph('types');
    const floats = Float32Array.of(9, 1.5, -2.5, 9).subarray(1, 3);
    graph.output('float32', graph.constant({ type: 'float32', shape: [2], data: floats }));
    graph.output('int64', graph.constant(tensor('int64', [2], [-1, 2 ** 40])));
    graph.output('int32', graph.constant(tensor('int32', [1, 1], [-5])));
    graph.output('bool', graph.constant(tensor('bool', [3], [1, 0, 1])));
    expect(await run(graph, new Map())).toEqual({ float32: [1.5, -2.5], int64: [-1, 2 ** 40], int32: [-5], bool: [1, 0, 1] });
  });

  test('names with spaces, dots and other scripts', async () => {
    const graph = new Graph('имя');
    const x = graph.input('model.layers.0 weight/ß', [2]);
    graph.output('d model.layers.0 weight/ß', graph.negate(x));
    expect(await run(graph, new Map([[x, [1, 2]]]))).toEqual({ 'd model.layers.0 weight/ß': [-1, -2] });
  });
});
