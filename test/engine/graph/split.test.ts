/** A graph run in two parts gives what it gives in one, and computes no node twice. */
import { expect, test } from 'vitest';
import { gradients } from '../../../src-main/engine/graph/gradient.ts';
import { Graph } from '../../../src-main/engine/graph/graph.ts';
import { splitGraph } from '../../../src-main/engine/graph/split.ts';
import { expectClose, run, uniform } from './support.ts';

function build() {
  const graph = new Graph('to be split');
  const x = graph.input('x', [3, 4]);
  const weight = graph.input('w', [5, 4]);
  const dy = graph.input('dy', [3, 5]);
  const inner = graph.apply('Tanh', [graph.gemm(x, weight, false, true)]);
  const y = graph.multiply(inner, graph.apply('Sigmoid', [inner]));
  const [dx] = gradients(graph, new Map([[y, dy]]), [x]);
  graph.output('y', y);
  graph.output('inner', inner);
  graph.output('gradient x', dx!);
  return graph;
}

const numbers: Record<string, number[]> = { x: uniform(1, 12), w: uniform(2, 20), dy: uniform(3, 15) };

const feedsOf = (graph: Graph, more: Record<string, number[]> = {}) =>
  new Map(graph.inputs.map((value) => [value, { ...numbers, ...more }[value.name]!]));

test('both parts together give the results of the whole', async () => {
  const whole = build();
  const expected = await run(whole, feedsOf(whole));
  const nodes = whole.nodes.length;
  const { first, second, kept } = splitGraph(build(), 'y');
  expect(first.nodes.length + second.nodes.length).toBe(nodes);
  expect(first.inputs.map(({ name }) => name)).toEqual(['x', 'w']);
  expect(second.inputs.map(({ name }) => name)).toEqual(['w', 'dy', ...kept.keys()]);
  const { y, ...values } = await run(first, feedsOf(first));
  expect(Object.keys(values)).toEqual([...kept.keys()]);
  const rest = await run(second, feedsOf(second, values));
  expectClose(y!, expected.y!, 1e-6, 'y');
  expectClose(rest.inner!, expected.inner!, 1e-6, 'inner');
  expectClose(rest['gradient x']!, expected['gradient x']!, 1e-6, 'gradient x');
});
