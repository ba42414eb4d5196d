/**
 * Builds the graphs of a head whose output matrix is too large to be one tensor with one gradient: final norm, logits of a stretch of the
 * vocabulary, and the way back through both. programs.ts has the head in one piece; losses between the two are head.ts's.
 */
import { gradients } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { buildContext, inputsByRole, lookUpIn, residualShape, withoutUnused } from './program-parts.ts';
import { gradientOf, type ModelOutline, type ProgramShape } from './programs.ts';

/** What a head has besides the output matrix. */
export const normParameters = ({ parameters }: ModelOutline) => parameters.head.filter(({ role }) => role !== 'head');

function finalNorm(
  graph: Graph,
  outline: ModelOutline,
  shape: ProgramShape,
): { x: Value; weights: ReadonlyMap<string, Value>; normed: Value } {
  const x = graph.input('x', residualShape(outline, shape));
  const weights = inputsByRole(graph, normParameters(outline));
  const context = buildContext(graph, outline, shape, outline.configuration.layers, lookUpIn(weights));
  const rows = graph.input('rows', [shape.rows], 'int64');
  return { x, weights, normed: outline.family.finalNorm(context, graph.apply('Gather', [x, rows])) };
}

/** Feeds `x`, `rows` and the norm's weights by role; result `normed` [rows, hidden]. */
export function headNorm(outline: ModelOutline, shape: ProgramShape): Graph {
  const graph = new Graph('final norm');
  graph.output('normed', finalNorm(graph, outline, shape).normed);
  return graph;
}

/** Feeds as `headNorm` and `dnormed`; results the gradients of `roles`, and of x if `needInput`. */
export function headNormBackward(
  outline: ModelOutline,
  shape: ProgramShape,
  roles: readonly string[],
  needInput: boolean,
): Graph {
  const graph = new Graph('final norm backward');
  const { x, weights, normed } = finalNorm(graph, outline, shape);
  const seed = graph.input('dnormed', normed.shape);
  const targets = new Map(roles.map((role) => [role, weights.get(role)!]));
  if (needInput) targets.set('x', x);
  const values = gradients(graph, new Map([[normed, seed]]), [...targets.values()]);
  [...targets.keys()].forEach((name, index) => {
    graph.output(gradientOf(name), values[index]!);
  });
  return graph;
}

function stretchLogits(
  graph: Graph,
  outline: ModelOutline,
  rows: number,
  count: number,
): { normed: Value; matrix: Value; logits: Value } {
  const { hidden, layers } = outline.configuration;
  const normed = graph.input('normed', [rows, hidden]);
  const matrix = graph.input('head', [count, hidden]);
  const few = { ...outline, configuration: { ...outline.configuration, vocabulary: count } };
  const context = buildContext(graph, few, { batch: rows, positions: 1, rows }, layers, lookUpIn(new Map([['head', matrix]])));
  return { normed, matrix, logits: outline.family.logits(context, normed) };
}

/** Feeds `normed` [rows, hidden] and `head`, `count` rows of the output matrix; result `logits` [rows, count]. */
export function headLogits(outline: ModelOutline, rows: number, count: number): Graph {
  const graph = new Graph('logits');
  graph.output('logits', stretchLogits(graph, outline, rows, count).logits);
  return graph;
}

/** Feeds `dlogits` and what it needs of those of `headLogits`; result the gradient of `normed` or of `head`. */
export function headLogitsBackward(outline: ModelOutline, rows: number, count: number, target: 'normed' | 'head'): Graph {
  const graph = new Graph('logits backward');
  const { normed, matrix, logits } = stretchLogits(graph, outline, rows, count);
  const seed = graph.input('dlogits', logits.shape);
  const [value] = gradients(graph, new Map([[logits, seed]]), [target === 'head' ? matrix : normed]);
  graph.output(gradientOf(target), value!);
  withoutUnused(graph);
  // The matrix need not be read from disk for a gradient that does not look at it
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  graph.inputs.splice(0, graph.inputs.length, ...graph.inputs.filter((input) => used.has(input)));
  return graph;
}
