/**
 * Random small graphs: whatever is composed of elementwise operators, matrix products and broadcasting, the gradient is that of finite differences.
 * The operators' own rows, with their edge cases, are in operator-cases.ts.
 */
import fastCheck from 'fast-check';
import { expect, test } from 'vitest';
import { gradients } from '../../../src-main/engine/graph/gradient.ts';
import { Graph, type Value } from '../../../src-main/engine/graph/graph.ts';
import { elementCount } from '../../../src-main/engine/tensor.ts';
import { finiteDifferences } from './reference.ts';
import { expectClose, run, uniform } from './support.ts';

/** Each keeps values within [-1, 1], so that compositions of any depth stay well conditioned. */
const steps: Record<string, (graph: Graph, a: Value, b: Value) => Value> = {
  add: (graph, a, b) => graph.scale(graph.add(a, b), 0.5),
  subtract: (graph, a, b) => graph.scale(graph.subtract(a, b), 0.5),
  multiply: (graph, a, b) => graph.multiply(a, b),
  divide: (graph, a, b) => graph.divide(a, graph.add(graph.multiply(b, b), graph.scalar(1))),
  tanh: (graph, a) => graph.apply('Tanh', [a]),
  sigmoid: (graph, a) => graph.apply('Sigmoid', [a]),
  exponential: (graph, a) => graph.scale(graph.apply('Exp', [a]), 1 / Math.E),
  root: (graph, a) => graph.scale(graph.apply('Sqrt', [graph.add(graph.multiply(a, a), graph.scalar(1))]), 0.7),
  softmax: (graph, a) => (a.shape.length > 0 ? graph.apply('Softmax', [a], { axis: -1 }) : graph.negate(a)),
  mean: (graph, a) => (a.shape.length > 0 ? graph.reduceMean(a, [0]) : a),
  matMul: (graph, a, b) => graph.scale(graph.matMul(square(graph, a), square(graph, b)), 1 / 3),
  gemm: (graph, a, b) => graph.scale(graph.gemm(square(graph, a), square(graph, b), true, true), 1 / 3),
};

const square = (graph: Graph, value: Value): Value => graph.apply('Expand', [value], { shape: [3, 3] });

const inputShapes = [[3, 3], [3, 3], [3], [1, 3], [3, 1], []];

const recipe = fastCheck.array(fastCheck.tuple(fastCheck.constantFrom(...Object.keys(steps)), fastCheck.nat(), fastCheck.nat()), {
  minLength: 1,
  maxLength: 9,
});

test('the gradient of a random graph is that of finite differences', async () => {
  await fastCheck.assert(
    fastCheck.asyncProperty(recipe, fastCheck.integer(), async (chosen, seed) => {
      const graph = new Graph('random');
      const inputs = inputShapes.map((shape, index) => graph.input(`x${index}`, shape));
      const feeds = new Map(inputs.map((value, index) => [value, uniform(seed + index, elementCount(value.shape), -0.9, 0.9)]));
      const values = [...inputs];
      // Counted from the end, so that small numbers chain the steps
      const pick = (number: number): Value => values[values.length - 1 - (number % values.length)]!;
      for (const [step, a, b] of chosen) values.push(steps[step]!(graph, pick(a), pick(b)));
      const y = values.at(-1)!;
      const weights = uniform(seed + 99, elementCount(y.shape));
      const differences = inputs.map((x) => finiteDifferences(graph, feeds, new Map([[y, weights]]), x));
      const dy = graph.input('dy', y.shape);
      feeds.set(dy, weights);
      gradients(graph, new Map([[y, dy]]), inputs).forEach((dx, index) => {
        expect(dx.shape).toEqual(inputShapes[index]);
        graph.output(`gradient${index}`, dx);
      });
      const results = await run(graph, feeds);
      inputs.forEach((x, index) => {
        expectClose(results[`gradient${index}`]!, differences[index]!, 1e-5, `gradient of ${x.name}`);
      });
    }),
    // A fixed start, so that a failing run can be repeated
    { numRuns: 20, seed: 20_260_101 },
  );
});
