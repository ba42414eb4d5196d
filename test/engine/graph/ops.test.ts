/**
 * Every operator of the table on every row of operator-cases.ts: shape, forward values and gradients as onnxruntime computes them.
 * What the reverse walk does with several operators is gradient.test.ts's.
 */
import { expect, test } from 'vitest';
import { gradients } from '../../../src-main/engine/graph/gradient.ts';
import { Graph, type Value } from '../../../src-main/engine/graph/graph.ts';
import { type OperatorName, operators } from '../../../src-main/engine/graph/ops.ts';
import { elementCount } from '../../../src-main/engine/tensor.ts';
import { type OperatorCase, operatorCases } from './operator-cases.ts';
import { evaluateReference, finiteDifferences } from './reference.ts';
import { expectClose, run, uniform } from './support.ts';

const names = Object.keys(operators) as OperatorName[];

interface Built {
  graph: Graph;
  y: Value;
  inputs: Value[];
  feeds: Map<Value, readonly number[]>;
}

function build(op: OperatorName, { inputs: specifications, attributes }: OperatorCase): Built {
  const graph = new Graph(op);
  const feeds = new Map<Value, readonly number[]>();
  const inputs = specifications.map(({ shape, type, values, low, high }, index) => {
    const value = graph.input(`x${index}`, shape, type);
    feeds.set(value, values ?? uniform(100 * index + elementCount(shape), elementCount(shape), low, high));
    return value;
  });
  return { graph, y: graph.apply(op, inputs, attributes), inputs, feeds };
}

const describeCase = ({ inputs, attributes }: OperatorCase): string =>
  `(${inputs.map(({ type, shape }) => `${type}[${shape}]`).join(', ')}) ${JSON.stringify(attributes)}`;

test.each(names)('%s has a row in the table of cases', (op) => {
  expect(operatorCases[op]?.length ?? 0).toBeGreaterThan(0);
  const differentiable = operatorCases[op].filter(({ inputs }) => inputs.some(({ type }) => type === 'float32'));
  expect(differentiable.length, 'rows with a float input').toBeGreaterThan(0);
});

test.each(names)('%s: values and gradients', async (op) => {
  for (const row of operatorCases[op]) {
    const what = `${op}${describeCase(row)}`;
    const { graph, y, inputs, feeds } = build(op, row);
    const expected = row.expected ?? evaluateReference(graph, feeds).get(y)!.data;
    graph.output('y', y);
    const { gradient } = operators[op];
    const targets = gradient !== 'none' && y.type === 'float32' ? differentiableInputs(inputs, y, graph, op) : [];
    const seed = uniform(7, elementCount(y.shape));
    const differences = targets.map((x) => finiteDifferences(graph, feeds, new Map([[y, seed]]), x));
    if (targets.length > 0) {
      const dy = graph.input('dy', y.shape);
      feeds.set(dy, seed);
      gradients(graph, new Map([[y, dy]]), targets).forEach((dx, index) => {
        expect(dx.shape, `shape of the gradient of ${targets[index]!.name} of ${what}`).toEqual(targets[index]!.shape);
        graph.output(`d${targets[index]!.name}`, dx);
      });
    }
    const results = await run(graph, feeds);
    expectClose(results['y']!, expected, 1e-6, what);
    targets.forEach((x, index) => {
      expectClose(results[`d${x.name}`]!, differences[index]!, 2e-6, `gradient of ${x.name} of ${what}`);
    });
  }
});

/** The inputs that have a gradient: of float type and with a rule. */
function differentiableInputs(inputs: readonly Value[], y: Value, graph: Graph, op: OperatorName): Value[] {
  const rule = operators[op].gradient;
  if (rule === 'none') return [];
  const thunks = rule({ graph, inputs, output: y, dy: y, attributes: y.node!.attributes });
  return inputs.filter((value, index) => value.type === 'float32' && thunks[index]);
}
