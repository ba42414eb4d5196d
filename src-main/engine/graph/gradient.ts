/**
 * Reverse-mode differentiation: one walk over the nodes from last to first that applies each operator's rule, sums gradients that
 * meet, reduces them over broadcast axes and leaves out whatever leads to no target. It adds nodes to the same graph and evaluates nothing.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Graph, Value } from './graph.ts';
import { operators } from './ops.ts';

/**
 * Gradients of L at `targets`, given dL/dv for some values v (`seeds`; for a scalar loss: the constant 1).
 * Targets may be inputs or any value inside the graph; a target that L does not depend on gets zeros.
 * Errors: `NoGradient` when the way to a target leads through an operator, or an input of one, without a gradient; `BadGraph`
 * for a seed that is not of its value's shape.
 */
export function gradients(graph: Graph, seeds: ReadonlyMap<Value, Value>, targets: readonly Value[]): Value[] {
  for (const [value, seed] of seeds) {
    if (seed.shape.join() === value.shape.join()) continue;
    throw new HopscopeError(
      'BadGraph',
      `The seed ${seed.name} [${seed.shape}] is not of the shape of ${value.name} [${value.shape}] in ${graph.name}.`,
      'failure',
    );
  }
  const leadsToTarget = new Set<Value>(targets);
  const nodes = [...graph.nodes];
  for (const node of nodes) {
    if (node.inputs.some((value) => leadsToTarget.has(value))) leadsToTarget.add(node.outputs[0]!);
  }
  const accumulated = new Map<Value, Value>(seeds);
  for (const node of nodes.reverse()) {
    const output = node.outputs[0]!;
    const dy = accumulated.get(output);
    if (!dy || !node.inputs.some((value) => leadsToTarget.has(value))) continue;
    const rule = operators[node.op].gradient;
    if (rule === 'none') {
      throw new HopscopeError(
        'NoGradient',
        `${node.op} has no gradient but lies on the way to a target in ${graph.name}.`,
        'failure',
      );
    }
    const thunks = rule({ graph, inputs: node.inputs, output, dy, attributes: node.attributes });
    if (thunks.length !== node.inputs.length) {
      throw new HopscopeError(
        'NoGradient',
        `${node.op}'s rule gave ${thunks.length} gradients for ${node.inputs.length} inputs.`,
        'failure',
      );
    }
    node.inputs.forEach((value, index) => {
      const thunk = thunks[index];
      if (!leadsToTarget.has(value)) return;
      if (!thunk) {
        // Nothing flows through an index or a truth value; a number's gradient would silently be missing
        if (value.type !== 'float32') return;
        throw new HopscopeError(
          'NoGradient',
          `${node.op} has no gradient for its input ${index} (${value.name}) in ${graph.name}.`,
          'failure',
        );
      }
      const contribution = graph.sumTo(thunk(), value.shape);
      const sofar = accumulated.get(value);
      accumulated.set(value, sofar ? graph.add(sofar, contribution) : contribution);
    });
  }
  return targets.map((target) => accumulated.get(target) ?? graph.zeros(target.shape));
}
