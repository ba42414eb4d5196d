/**
 * The reverse walk over several operators: sums where gradients meet, targets anywhere, seeds anywhere, and nothing computed in vain.
 * Single operators' rules are ops.test.ts's.
 */
import { expect, test } from 'vitest';
import { gradients } from '../../../src-main/engine/graph/gradient.ts';
import { Graph, type Value } from '../../../src-main/engine/graph/graph.ts';
import { elementCount } from '../../../src-main/engine/tensor.ts';
import { evaluateReference, finiteDifferences } from './reference.ts';
import { expectClose, expectCode, run, uniform } from './support.ts';

/** Random numbers for every float input of the graph, and the ones given. */
function randomFeeds(graph: Graph, fixed: readonly (readonly [Value, readonly number[]])[] = []): Map<Value, readonly number[]> {
  const feeds = new Map<Value, readonly number[]>(fixed);
  graph.inputs.forEach((value, index) => {
    if (!feeds.has(value)) feeds.set(value, uniform(index + 1, elementCount(value.shape)));
  });
  return feeds;
}

/** Gradients of the random-weighted sum of `results` at `targets`, from onnxruntime, against finite differences. */
async function expectGradients(
  graph: Graph,
  results: readonly Value[],
  targets: readonly Value[],
  fixed: readonly (readonly [Value, readonly number[]])[] = [],
): Promise<number[][]> {
  const feeds = randomFeeds(graph, fixed);
  const weights = new Map(results.map((y, index) => [y, uniform(50 + index, elementCount(y.shape))] as const));
  const differences = targets.map((target) => finiteDifferences(graph, feeds, weights, target));
  const seeds = new Map(results.map((y, index) => [y, graph.input(`seed${index}`, y.shape)] as const));
  for (const [y, seed] of seeds) feeds.set(seed, weights.get(y)!);
  gradients(graph, seeds, targets).forEach((dx, index) => {
    expect(dx.shape).toEqual(targets[index]!.shape);
    graph.output(`gradient${index}`, dx);
  });
  const computed = await run(graph, feeds);
  return targets.map((target, index) => {
    const gradient = computed[`gradient${index}`]!;
    expectClose(gradient, differences[index]!, 5e-6, `gradient of ${target.name}`);
    return gradient;
  });
}

const operatorsSince = (graph: Graph, start: number): string[] => graph.nodes.slice(start).map((node) => node.op);

test('a value used twice by one node, by two nodes, and on paths of different length gets the sum', async () => {
  const graph = new Graph('twice');
  const x = graph.input('x', [2, 3]);
  const square = graph.multiply(x, x);
  const long = graph.apply('Tanh', [graph.add(square, x)]);
  await expectGradients(graph, [graph.add(graph.multiply(long, x), square)], [x]);
});

test('a value concatenated with itself and a matrix multiplied with its own transpose', async () => {
  const graph = new Graph('self');
  const x = graph.input('x', [2, 3]);
  const doubled = graph.apply('Concat', [x, x], { axis: 1 });
  await expectGradients(graph, [doubled, graph.matMul(x, graph.swapLast(x)), graph.gemm(x, x, true, false)], [x]);
});

test('a broadcast value that is used at several shapes gets the sum over all of them', async () => {
  const graph = new Graph('broadcast');
  const x = graph.input('x', [3]);
  const matrix = graph.input('matrix', [2, 3]);
  const column = graph.input('column', [4, 1]);
  const wide = graph.reduceSum(graph.multiply(column, x), [0], false);
  await expectGradients(graph, [graph.multiply(graph.add(matrix, x), wide)], [x, matrix, column]);
});

test('targets may be values inside the graph, together with what they are computed from', async () => {
  const graph = new Graph('inside');
  const x = graph.input('x', [2, 3]);
  const w = graph.input('w', [3, 2]);
  const hidden = graph.apply('Tanh', [graph.matMul(x, w)]);
  const y = graph.apply('Softmax', [graph.multiply(hidden, hidden)], { axis: -1 });
  await expectGradients(graph, [y], [hidden, x, y, w]);
});

test('targets that the results do not depend on get zeros, in any order with others', async () => {
  const graph = new Graph('unreached');
  const x = graph.input('x', [2]);
  const other = graph.input('other', [2, 3]);
  const after = graph.apply('Exp', [graph.negate(x)]);
  const [dOther, dx, dAfter] = await expectGradients(graph, [graph.apply('Tanh', [x])], [other, x, after]);
  expect(dOther).toEqual(Array(6).fill(0));
  expect(dAfter).toEqual([0, 0]);
  expect(dx!.some((value) => value !== 0)).toBe(true);
});

test('several seeds add up, also where one seeded value is computed from another', async () => {
  const graph = new Graph('seeds');
  const x = graph.input('x', [2, 2]);
  const first = graph.apply('Sigmoid', [x]);
  const second = graph.multiply(first, x);
  const third = graph.reduceMean(second, [1]);
  await expectGradients(graph, [first, second, third], [x, first, second]);
});

test('the gradient at a seeded value itself is its seed', async () => {
  const graph = new Graph('seeded');
  const x = graph.input('x', [2]);
  const seed = graph.input('seed', [2]);
  expect(gradients(graph, new Map([[x, seed]]), [x])).toEqual([seed]);
  expect(graph.nodes).toEqual([]);
});

test('two layers of a transformer-like network with a cross-entropy loss', async () => {
  const graph = new Graph('layers');
  const [rows, width, inner, classes] = [3, 4, 6, 5];
  const embedding = graph.input('embedding', [7, width]);
  const tokens = graph.input('tokens', [rows], 'int64');
  const answers = graph.input('answers', [rows, 1], 'int64');
  const head = graph.input('head', [classes, width]);
  const gain = graph.input('gain', [width]);
  const trained = [embedding, head, gain];
  let x = graph.apply('Gather', [embedding, tokens]);
  for (const layer of [0, 1]) {
    const [gate, up, down] = [
      graph.input(`gate${layer}`, [inner, width]),
      graph.input(`up${layer}`, [inner, width]),
      graph.input(`down${layer}`, [width, inner]),
    ];
    trained.push(gate, up, down);
    const normed = graph.apply('RMSNormalization', [x, gain], { axis: -1, epsilon: 1e-5 });
    const pattern = graph.apply('Softmax', [graph.scale(graph.gemm(normed, normed, false, true), 0.5)], { axis: 1 });
    x = graph.add(x, graph.matMul(pattern, normed));
    const gated = graph.gemm(x, gate, false, true);
    const activated = graph.multiply(graph.multiply(gated, graph.apply('Sigmoid', [gated])), graph.gemm(x, up, false, true));
    x = graph.add(x, graph.gemm(activated, down, false, true));
  }
  const logits = graph.gemm(x, head, false, true);
  const normalizer = graph.apply('ReduceLogSumExp', [logits], { axes: [1], keepdims: 1 });
  const losses = graph.subtract(normalizer, graph.apply('GatherElements', [logits, answers], { axis: 1 }));
  const loss = graph.reshape(graph.reduceMean(losses, [0, 1]), []);
  await expectGradients(graph, [loss], trained, [
    [tokens, [6, 2, 6]],
    [answers, [1, 4, 0]],
  ]);
});

test('gradients that are not asked for cost no nodes', () => {
  const build = () => {
    const graph = new Graph('lazy');
    const [a, b] = [graph.input('a', [2, 3]), graph.input('b', [3, 2])];
    const y = graph.matMul(graph.apply('Tanh', [a]), b);
    return { graph, a, b, seeds: new Map([[y, graph.input('dy', [2, 2])]]), start: graph.nodes.length };
  };
  const onlyB = build();
  gradients(onlyB.graph, onlyB.seeds, [onlyB.b]);
  expect(operatorsSince(onlyB.graph, onlyB.start)).toEqual(['Transpose', 'MatMul']);
  const onlyA = build();
  gradients(onlyA.graph, onlyA.seeds, [onlyA.a]);
  expect(operatorsSince(onlyA.graph, onlyA.start)).toEqual(['Transpose', 'MatMul', 'Mul', 'Sub', 'Mul']);
  const nothing = build();
  expect(gradients(nothing.graph, nothing.seeds, [])).toEqual([]);
  expect(operatorsSince(nothing.graph, nothing.start)).toEqual([]);
});

test('the walk does not go on below the lowest target', () => {
  const graph = new Graph('stop');
  const x = graph.input('x', [2]);
  const middle = graph.apply('Exp', [graph.apply('Tanh', [graph.apply('Sqrt', [x])])]);
  const y = graph.negate(middle);
  const start = graph.nodes.length;
  gradients(graph, new Map([[y, graph.input('dy', [2])]]), [middle]);
  expect(operatorsSince(graph, start)).toEqual(['Neg']);
});

test('what both gradients of a normalization need is computed once', () => {
  const graph = new Graph('shared');
  const [x, gain] = [graph.input('x', [2, 4]), graph.input('gain', [4])];
  const y = graph.apply('RMSNormalization', [x, gain], { axis: -1, epsilon: 1e-5 });
  const start = graph.nodes.length;
  gradients(graph, new Map([[y, graph.input('dy', [2, 4])]]), [x, gain]);
  expect(operatorsSince(graph, start).filter((op) => op === 'Sqrt')).toHaveLength(1);
});

test('a second call on the same graph gives the same, and can differentiate the first call', async () => {
  const graph = new Graph('second');
  const x = graph.input('x', [2, 3]);
  const w = graph.input('w', [3, 3]);
  const y = graph.apply('Softmax', [graph.matMul(graph.apply('Tanh', [x]), w)], { axis: -1 });
  const dy = graph.input('dy', [2, 3]);
  const [again, dx] = [1, 2].map(() => gradients(graph, new Map([[y, dy]]), [x])[0]!);
  graph.output('again', again!);
  graph.output('dx', dx!);
  // The Hessian times a vector: the gradient rules' own operators are differentiable
  await expectGradients(graph, [dx!], [x, w, dy]);
  const feeds = randomFeeds(graph);
  const results = await run(graph, feeds);
  expect(results.again).toEqual(results.dx);
  expectClose(results.dx!, evaluateReference(graph, feeds).get(dx!)!.data, 2e-6, 'gradient');
});

test('nothing flows through indices and conditions, and that is no error', async () => {
  const graph = new Graph('conditions');
  const x = graph.input('x', [4]);
  const positive = graph.apply('Less', [graph.scalar(0), x]);
  const rectified = graph.apply('Where', [positive, x, graph.scale(x, 0.1)]);
  const [dx] = await expectGradients(graph, [rectified], [x], [[x, [-2, -0.5, 0.5, 2]]]);
  const weights = uniform(50, 4);
  expectClose(dx!, [0.1 * weights[0]!, 0.1 * weights[1]!, weights[2]!, weights[3]!], 1e-6, 'leaky gradient');
});

test('a seed of another shape is refused even where it would broadcast', () => {
  const graph = new Graph('seeding');
  const y = graph.negate(graph.input('x', [2, 1]));
  for (const shape of [[], [2, 2], [2]]) {
    const seed = graph.input(`seed${shape.length}`, shape);
    expectCode('BadGraph', ['seeding', `[${shape}]`, '[2,1]'], () =>
      gradients(graph, new Map([[y, seed]]), graph.inputs.slice(0, 1)),
    );
  }
});
