/**
 * A graph as text, one node a line, for tests, error messages and bug reports.
 * It is for reading only: there is no parser.
 */
import type { Graph, Value } from './graph.ts';

const typed = (value: Value): string => `${value.name}: ${value.type}[${value.shape.join(', ')}]`;

/** For example `v3: float32[2, 4] = Gemm(x, w) {"transA":0,"transB":1}  # mlp.out`. */
export function printGraph(graph: Graph): string {
  const labels = new Map([...graph.labels].map(([name, value]) => [value, name]));
  const lines = [`graph ${graph.name}(${graph.inputs.map(typed).join(', ')})`];
  for (const value of graph.constants.keys()) lines.push(`  ${typed(value)} = constant`);
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    const attributes = Object.keys(node.attributes).length > 0 ? ` ${JSON.stringify(node.attributes)}` : '';
    const label = labels.get(output);
    lines.push(
      `  ${typed(output)} = ${node.op}(${node.inputs.map((value) => value.name).join(', ')})${attributes}${label ? `  # ${label}` : ''}`,
    );
  }
  for (const [name, value] of graph.outputs) lines.push(`  result ${name} = ${value.name}`);
  return lines.join('\n');
}
