/**
 * Builds the graphs that follow a model from its old weights to its new ones: at any point between them, and the derivative along the way.
 * They check what first-order scores predict; scores themselves are read from score-programs.ts.
 */
import { gradients } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import {
  buildContext,
  buildHead,
  changedWeight,
  differencesOf,
  inputsByRole,
  lookUpIn,
  residualShape,
  withoutUnused,
} from './program-parts.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';

/** The derivative of a value along the change of the weights. */
export const tangentOf = (name: string): string => `tangent ${name}`;

/** A block with weights old + scale (new - old). Feeds `x`, `scale`, weights by role and `new ROLE`; result `y`. */
export function blockBetween(outline: ModelOutline, layer: number, shape: ProgramShape): Graph {
  const graph = new Graph('block between');
  const x = graph.input('x', residualShape(outline, shape));
  const parameters = outline.parameters.blocks[layer]!;
  const weights = inputsByRole(graph, parameters);
  const differences = differencesOf(graph, parameters, weights);
  const scale = graph.input('scale', []);
  const weight = (role: string) => graph.add(lookUpIn(weights)(role), graph.multiply(scale, lookUpIn(differences)(role)));
  graph.output('y', outline.family.block(buildContext(graph, outline, shape, layer, weight), x));
  return withoutUnused(graph);
}

/** The head likewise; result `logits`. */
export function headBetween(outline: ModelOutline, shape: ProgramShape, candidates: number): Graph {
  const graph = new Graph('head between');
  const changed = inputsByRole(graph, outline.parameters.head, candidates, changedWeight);
  const scale = graph.input('scale', []);
  const change = (role: string, old: Value) =>
    graph.add(old, graph.multiply(scale, graph.subtract(lookUpIn(changed)(role), old)));
  const x = graph.input('x', residualShape(outline, shape));
  graph.output('logits', buildHead(graph, outline, shape, x, candidates, change).logits);
  return withoutUnused(graph);
}

/**
 * The derivative of `y` along `directions` of values that y depends on. Reverse mode alone gives it: the gradients for a seed u are linear in u,
 * so the gradient of (gradients . directions) with respect to u is the derivative along them, whatever u is.
 */
function tangent(graph: Graph, y: Value, directions: ReadonlyMap<Value, Value>): Value {
  const u = graph.zeros(y.shape);
  const transposed = gradients(graph, new Map([[y, u]]), [...directions.keys()]);
  const seeds = new Map<Value, Value>();
  [...directions.values()].forEach((direction, index) => {
    const value = transposed[index]!;
    const sofar = seeds.get(value);
    seeds.set(value, sofar ? graph.add(sofar, direction) : direction);
  });
  return gradients(graph, seeds, [u])[0]!;
}

/** Derivative of a block along the change of its weights and of its input. Feeds `x`, `tangent x`, weights by role, `new ROLE`; results `y`, `tangent y`. */
export function blockTangent(outline: ModelOutline, layer: number, shape: ProgramShape): Graph {
  const graph = new Graph('block tangent');
  const x = graph.input('x', residualShape(outline, shape));
  const parameters = outline.parameters.blocks[layer]!;
  const weights = inputsByRole(graph, parameters);
  const y = outline.family.block(buildContext(graph, outline, shape, layer, lookUpIn(weights)), x);
  const directions = new Map([[x, graph.input(tangentOf('x'), x.shape)]]);
  for (const [role, difference] of differencesOf(graph, parameters, weights)) directions.set(weights.get(role)!, difference);
  graph.output('y', y);
  graph.output(tangentOf('y'), tangent(graph, y, directions));
  return withoutUnused(graph);
}

/** The head likewise; result `tangent logits`. */
export function headTangent(outline: ModelOutline, shape: ProgramShape, candidates: number): Graph {
  const graph = new Graph('head tangent');
  const x = graph.input('x', residualShape(outline, shape));
  const { weights, logits } = buildHead(graph, outline, shape, x, candidates);
  const directions = new Map([[x, graph.input(tangentOf('x'), x.shape)]]);
  for (const [role, difference] of differencesOf(graph, outline.parameters.head, weights, candidates))
    directions.set(weights.get(role)!, difference);
  graph.output(tangentOf('logits'), tangent(graph, logits, directions));
  return withoutUnused(graph);
}
