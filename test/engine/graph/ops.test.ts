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
import { expectClose, expectCode, run, tensor, uniform } from './support.ts';

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
  if (operators[op].gradient === 'none') return;
  const differentiable = operatorCases[op]
    .map((row) => build(op, row))
    .filter(({ y, inputs }) => differentiableInputs(inputs, y).length > 0);
  expect(differentiable.length, 'rows whose gradient is compared').toBeGreaterThan(0);
});

test.each(names)('%s: values and gradients', async (op) => {
  for (const row of operatorCases[op]) {
    const what = `${op}${describeCase(row)}`;
    const { graph, y, inputs, feeds } = build(op, row);
    const expected = row.expected ?? evaluateReference(graph, feeds).get(y)!.data;
    graph.output('y', y);
    const targets = differentiableInputs(inputs, y);
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
    expectClose(results.y!, expected, 1e-6, what);
    targets.forEach((x, index) => {
      expectClose(results[`d${x.name}`]!, differences[index]!, row.tolerance ?? 2e-6, `gradient of ${x.name} of ${what}`);
    });
  }
});

test.each(names)('%s: a single gradient adds only nodes that it needs', (op) => {
  for (const row of operatorCases[op]) {
    for (const index of row.inputs.keys()) {
      const { graph, y, inputs } = build(op, row);
      const target = inputs[index]!;
      if (!differentiableInputs(inputs, y).includes(target)) continue;
      const before = graph.nodes.length;
      const [dx] = gradients(graph, new Map([[y, graph.input('dy', y.shape)]]), [target]);
      const needed = new Set<Value>([dx!]);
      for (const node of [...graph.nodes].reverse())
        if (needed.has(node.outputs[0]!)) for (const value of node.inputs) needed.add(value);
      const idle = graph.nodes.slice(before).filter((node) => !needed.has(node.outputs[0]!));
      expect(
        idle.map((node) => node.op),
        `${target.name} of ${op}${describeCase(row)}`,
      ).toEqual([]);
    }
  }
});

test.each(names.filter((op) => operators[op].gradient === 'none'))('%s: asking for a gradient through it is refused', (op) => {
  for (const row of operatorCases[op]) {
    const { graph, y, inputs } = build(op, row);
    const seed = graph.input('dy', y.shape);
    expectCode('NoGradient', op, () => gradients(graph, new Map([[y, seed]]), inputs.slice(0, 1)));
  }
});

test('RotaryEmbedding has no gradient for its tables, and says so instead of giving zeros', () => {
  const { graph, y, inputs } = build('RotaryEmbedding', operatorCases.RotaryEmbedding[0]!);
  const seeds = new Map([[y, graph.input('dy', y.shape)]]);
  for (const table of inputs.slice(1, 3)) expectCode('NoGradient', table.name, () => gradients(graph, seeds, [table]));
});

test('Clip passes the gradient at its bounds and nothing beyond them', async () => {
  const graph = new Graph('bounds');
  const x = graph.input('x', [5]);
  const y = graph.apply('Clip', [x], { min: -1, max: 1 });
  const [dx] = gradients(graph, new Map([[y, graph.constant(tensor('float32', [5], [2, 3, 4, 5, 6]))]]), [x]);
  graph.output('dx', dx!);
  expect((await run(graph, new Map([[x, [-1.5, -1, 0, 1, 1.5]]]))).dx).toEqual([0, 3, 4, 5, 0]);
});

/** The inputs that have a gradient: of float type and with a rule. */
function differentiableInputs(inputs: readonly Value[], y: Value): Value[] {
  const { op, attributes } = y.node!;
  const rule = operators[op].gradient;
  if (rule === 'none' || y.type !== 'float32') return [];
  // A graph of its own, so that asking leaves no nodes behind
  const thunks = rule({ graph: new Graph('unused'), inputs, output: y, dy: y, attributes });
  return inputs.filter((value, index) => value.type === 'float32' && thunks[index]);
}
