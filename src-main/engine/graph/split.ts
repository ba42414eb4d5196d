/**
 * Divides a graph into two that are run one after the other: what leads to one result, and all the rest, which is handed the values it needs.
 * It changes no operator and runs nothing.
 */
import { Graph, type Node, type Value } from './graph.ts';

export interface SplitGraph {
  /** Results: the one named, and those of `kept`. */
  first: Graph;
  /** Inputs: those of `kept`, and of the whole graph's those it needs. Results: all but the one named. */
  second: Graph;
  /** Shapes of the values that go from one to the other, by name. */
  kept: ReadonlyMap<string, readonly number[]>;
}

/** `result` is the name of the result that the first graph computes. The graph given is not to be used any more. */
export function splitGraph(graph: Graph, result: string): SplitGraph {
  const target = graph.outputs.get(result)!;
  const needed = new Set<Value>([target]);
  const early: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((value) => needed.has(value))) continue;
    for (const value of node.inputs) needed.add(value);
    early.push(node);
  }
  early.reverse();
  const isEarly = new Set(early);
  const computedEarly = new Set(early.flatMap(({ outputs }) => outputs));
  const handed = new Map<Value, Value>();
  const taken = (value: Value): Value => {
    if (!computedEarly.has(value)) return value;
    let input = handed.get(value);
    if (!input) {
      input = { name: `kept ${handed.size}`, type: value.type, shape: value.shape, node: null };
      handed.set(value, input);
    }
    return input;
  };
  const late = graph.nodes.flatMap((node) => (isEarly.has(node) ? [] : [{ ...node, inputs: node.inputs.map(taken) }]));
  const lateOutputs = [...graph.outputs].flatMap(([name, value]) => (name === result ? [] : [[name, taken(value)] as const]));

  const first = assemble(`${graph.name}, first part`, graph, early, [
    [result, target],
    ...[...handed].map(([value, { name }]) => [name, value] as const),
  ]);
  const second = assemble(`${graph.name}, second part`, graph, late, lateOutputs, [...handed.values()]);
  return { first, second, kept: new Map([...handed.values()].map(({ name, shape }) => [name, shape])) };
}

function assemble(
  name: string,
  { inputs, constants }: Graph,
  nodes: readonly Node[],
  outputs: readonly (readonly [string, Value])[],
  handed: readonly Value[] = [],
): Graph {
  const graph = new Graph(name);
  const used = new Set<Value>([...nodes.flatMap((node) => node.inputs), ...outputs.map(([, value]) => value)]);
  graph.inputs.push(...inputs.filter((value) => used.has(value)), ...handed);
  for (const [value, tensor] of constants) if (used.has(value)) graph.constants.set(value, tensor);
  graph.nodes.push(...nodes);
  for (const [output, value] of outputs) graph.output(output, value);
  return graph;
}
