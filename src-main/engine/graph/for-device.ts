/**
 * Rewrites a graph for a device that computes with floats only: integers that say where are used as they are fed, and weights may be fed in
 * half precision. The numbers are those of the graph given, which stays as it was.
 */
import { Graph, type Node, type Value } from './graph.ts';

/** Between the name of an input and the shape in which it is fed a second time. */
const again = ' as ';

/** The input that is to be fed again in this input's declared shape; null for an input of the graph's own. */
export function fedAgain(name: string): string | null {
  return /^(.*) as \d+(?:x\d+)*$/.exec(name)?.[1] ?? null;
}

/**
 * The graph without reshapes of integers, which a device would leave to the CPU: an input that is reshaped becomes a second input of that
 * shape, `rows as 8x1`, which `fedAgain` recognizes. Inputs named in `halves` become float16 and are widened where they are used.
 */
export function forDevice(graph: Graph, halves: ReadonlySet<string> = new Set()): Graph {
  const device = new Graph(graph.name);
  const replaced = new Map<Value, Value>();
  const now = (value: Value): Value => replaced.get(value) ?? value;
  const second = new Map<string, Value>();
  const sources = new Map<Value, Value>();
  for (const [value, tensor] of graph.constants) device.constants.set(value, tensor);
  for (const value of graph.inputs) {
    if (!halves.has(value.name)) {
      device.inputs.push(value);
      sources.set(value, value);
      continue;
    }
    replaced.set(value, widened(device, device.input(value.name, value.shape, 'float16')));
  }
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    const source = node.op === 'Reshape' && output.type === 'int64' ? sources.get(now(node.inputs[0]!)) : undefined;
    if (!source) {
      device.nodes.push({ ...node, inputs: node.inputs.map(now) });
      continue;
    }
    const name = `${source.name}${again}${output.shape.join('x')}`;
    let value = output.shape.join() === source.shape.join() ? source : second.get(name);
    if (!value) {
      value = device.input(name, output.shape, 'int64');
      second.set(name, value);
      sources.set(value, source);
    }
    replaced.set(output, value);
  }
  for (const [name, value] of graph.outputs) device.output(name, now(value));
  return device;
}

/** The float32 of a float16; its name cannot be that of a value of the graph that is rewritten. */
function widened(device: Graph, half: Value): Value {
  const outputs: Value[] = [];
  const node: Node = { op: 'Cast', inputs: [half], attributes: { to: 'float32' }, outputs };
  const value: Value = { name: `${half.name} widened`, type: 'float32', shape: half.shape, node };
  outputs.push(value);
  device.nodes.push(node);
  return value;
}
