/**
 * Verifies a finished graph: every value is defined before it is used, shapes still follow from the table, names are unique, results exist.
 * It runs before every encoding and changes nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { elementCount } from '../tensor.ts';
import type { Graph, Value } from './graph.ts';
import { operators } from './ops.ts';
import { printGraph } from './print.ts';

/** Throws `BadGraph` with what is wrong and the graph as text. */
export function checkGraph(graph: Graph): void {
  const fail = (reason: string): never => {
    throw new HopscopeError('BadGraph', `${graph.name}: ${reason}\n${printGraph(graph)}`, 'failure');
  };
  const defined = new Set<Value>();
  const names = new Set<string>();
  const define = (value: Value) => {
    if (names.has(value.name)) fail(`two values are called ${value.name}`);
    if (value.shape.some((size) => !Number.isInteger(size) || size < 1)) fail(`${value.name} has shape [${value.shape}]`);
    names.add(value.name);
    defined.add(value);
  };
  for (const value of graph.inputs) define(value);
  for (const [value, tensor] of graph.constants) {
    define(value);
    if (tensor.data.length !== elementCount(value.shape)) fail(`constant ${value.name} holds ${tensor.data.length} elements`);
  }
  for (const node of graph.nodes) {
    const undefinedInput = node.inputs.find((value) => !defined.has(value));
    if (undefinedInput) fail(`${node.op} uses ${undefinedInput.name}, which nothing before it defines`);
    const inferred = operators[node.op].shape(node.inputs, node.attributes);
    const output = node.outputs[0]!;
    if (inferred.type !== output.type || inferred.shape.join() !== output.shape.join())
      fail(`${output.name} is not what ${node.op} gives`);
    define(output);
  }
  if (graph.outputs.size === 0) fail('it has no results');
  for (const [name, value] of graph.outputs) {
    if (!defined.has(value)) fail(`result ${name} is not in the graph`);
    // In ONNX a result's name is a value's name
    if (names.has(name)) fail(`result ${name} has the name of another value`);
  }
  for (const [name, value] of graph.labels) if (!defined.has(value)) fail(`label ${name} is not in the graph`);
}
