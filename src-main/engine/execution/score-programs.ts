/**
 * Builds the graphs that scores are read from: a block with its components' values, gradients and the effect of changed weights; a block on
 * another model's inputs; a head on a few candidate tokens. Nothing is run here, and no score is put together.
 */

import { HopscopeError } from '../../shared/errors.ts';
import { gradients } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import type { BuildContext } from '../models/family.ts';
import type { Parameter } from '../models/parameters.ts';
import { gradientOf, type ModelOutline, observed, type ProgramShape } from './programs.ts';
import { scoredMaps, splitByInput } from './scored-maps.ts';

/** A layer's scored components: the heads' outputs before the output projection, and the MLP's output. */
export const components = ['attn.z', 'mlp.out'] as const;
export type Component = (typeof components)[number];

/** What the first maps of attention and of the MLP read. */
export const componentInputs = ['attn.in', 'mlp.in'] as const;

/** The feed that holds the changed weights of a role. */
export const changedWeight = (role: string): string => `new ${role}`;
/** The score of a linear map or bias, by role. */
export const informativeOf = (role: string): string => `informative ${role}`;

export type WeightInputs = ReadonlyMap<string, Value>;
type Label = BuildContext['label'];

/** One graph input per parameter and role; a head's rows are those of `rows` candidates. */
export function inputsByRole(
  graph: Graph,
  parameters: readonly Parameter[],
  rows?: number,
  nameOf = (role: string) => role,
): WeightInputs {
  return new Map(
    parameters.map(({ role, shape }) => [
      role,
      graph.input(nameOf(role), rows && role === 'head' ? [rows, ...shape.slice(1)] : shape),
    ]),
  );
}

export function buildContext(
  graph: Graph,
  { configuration }: ModelOutline,
  { batch, positions }: ProgramShape,
  layer: number,
  weight: (role: string) => Value,
  label: Label = (_, value) => value,
): BuildContext {
  return { graph, configuration, batch, positions, layer, weight, label };
}

export const lookUpIn =
  (inputs: WeightInputs) =>
  (role: string): Value => {
    const value = inputs.get(role);
    if (value) return value;
    throw new HopscopeError('BadGraph', `A block asks for the weight ${role}, which its table does not have.`, 'failure');
  };

function labelled(labels: ReadonlyMap<string, Value>, name: string): Value {
  const value = labels.get(name);
  if (value) return value;
  throw new HopscopeError('BadGraph', `A block has no value labelled ${name}, which scores need.`, 'failure');
}

export const residualShape = ({ configuration }: ModelOutline, { batch, positions }: ProgramShape): number[] => [
  batch * positions,
  configuration.hidden,
];

/**
 * One block forward and backward. Feeds: `x`, `dy`, weights by role, and with `changed` also `new ROLE` of every linear map.
 * Results: `gradient x`; of the components the values and gradients; the values of `attn.in` and `mlp.in`; and with `changed` the
 * informative score of every linear map, `informative ROLE` [rows, parts].
 */
export function blockReading(outline: ModelOutline, layer: number, shape: ProgramShape, changed: boolean): Graph {
  const graph = new Graph('block reading');
  const x = graph.input('x', residualShape(outline, shape));
  const dy = graph.input('dy', x.shape);
  const parameters = outline.parameters.blocks[layer]!;
  const weights = inputsByRole(graph, parameters);
  const labels = new Map<string, Value>();
  const record: Label = (name, value) => {
    labels.set(name, value);
    return value;
  };
  const y = outline.family.block(buildContext(graph, outline, shape, layer, lookUpIn(weights), record), x);
  const maps = changed ? scoredMaps(outline) : [];
  const linear = maps.filter(({ isBias }) => !isBias).map(({ role }) => role);
  const targets = [
    x,
    ...components.map((name) => labelled(labels, name)),
    ...linear.map((role) => labelled(labels, `${role}.y`)),
  ];
  const [dx, ...inner] = gradients(graph, new Map([[y, dy]]), targets);
  graph.output(gradientOf('x'), dx!);
  for (const [index, name] of components.entries()) graph.output(gradientOf(name), inner[index]!);
  for (const name of [...components, ...componentInputs]) graph.output(observed(name), labelled(labels, name));
  if (!changed) return graph;

  const outputGradient = new Map(linear.map((role, index) => [role, inner[components.length + index]!]));
  const differences = differencesOf(
    graph,
    parameters.filter(({ role }) => maps.some((map) => map.role === role)),
    weights,
  );
  const effects = linearEffects(graph, outline, shape, layer, { x, weights, labels, differences });
  for (const { role, isBias, parts } of maps) {
    const map = isBias ? role.slice(0, -'.bias'.length) : role;
    const g = outputGradient.get(map)!;
    const effect = isBias ? differences.get(role)! : effects.get(role)!;
    graph.output(informativeOf(role), minusPartSums(graph, elementProducts(graph, role, effect, g, labels), parts ?? 1));
  }
  return graph;
}

/** new - old of every given parameter; the new ones are fed. */
export function differencesOf(
  graph: Graph,
  parameters: readonly Parameter[],
  weights: WeightInputs,
  rows?: number,
): Map<string, Value> {
  const changed = inputsByRole(graph, parameters, rows, changedWeight);
  return new Map([...changed].map(([role, value]) => [role, graph.subtract(value, weights.get(role)!)]));
}

/**
 * x dW of every linear map, x being what the map reads in the block already built. The family's own code computes it, given the differences in
 * place of the weights and those x in place of what it would compute; whatever else it builds is not used and is removed by the runtime.
 */
function linearEffects(
  graph: Graph,
  outline: ModelOutline,
  shape: ProgramShape,
  layer: number,
  built: { x: Value; weights: WeightInputs; labels: ReadonlyMap<string, Value>; differences: ReadonlyMap<string, Value> },
): Map<string, Value> {
  const effects = new Map<string, Value>();
  const weight = (role: string): Value => {
    const difference = built.differences.get(role);
    // A bias's change has a score of its own
    if (difference) return role.endsWith('.bias') ? graph.zeros(difference.shape) : difference;
    return lookUpIn(built.weights)(role);
  };
  const label: Label = (name, value) => {
    if (name.endsWith('.x')) return labelled(built.labels, name);
    if (name.endsWith('.y')) effects.set(name.slice(0, -2), value);
    return value;
  };
  outline.family.block(buildContext(graph, outline, shape, layer, weight, label), built.x);
  return effects;
}

/** Elements whose sum is (x dW) . g: by output element, or for the output projection by input element, x (g dW'), so that they fall into heads. */
function elementProducts(graph: Graph, role: string, effect: Value, g: Value, labels: ReadonlyMap<string, Value>): Value {
  if (role !== splitByInput) return graph.multiply(effect, g);
  const x = labelled(labels, `${role}.x`);
  const [atInput] = gradients(graph, new Map([[effect, g]]), [x]);
  return graph.multiply(x, atInput!);
}

/** -sum over each of `parts` equal stretches of the last axis: [rows, width] -> [rows, parts]. */
function minusPartSums(graph: Graph, products: Value, parts: number): Value {
  const [rows, width] = products.shape as [number, number];
  return graph.negate(graph.reduceSum(graph.reshape(products, [rows, parts, width / parts]), [2], false));
}

/** The components' values with a block's weights on given inputs of attention and MLP. Feeds `attn.in`, `mlp.in` and weights by role. */
export function blockOnGivenInputs(outline: ModelOutline, layer: number, shape: ProgramShape): Graph {
  const graph = new Graph('block on given inputs');
  const size = residualShape(outline, shape);
  const given = new Map<string, Value>(componentInputs.map((name) => [name, graph.input(name, size)]));
  const weights = inputsByRole(graph, outline.parameters.blocks[layer]!);
  const labels = new Map<string, Value>();
  const replace: Label = (name, value) => {
    labels.set(name, value);
    return given.get(name) ?? value;
  };
  // The residual stream reaches no component once their inputs are given
  outline.family.block(buildContext(graph, outline, shape, layer, lookUpIn(weights), replace), graph.zeros(size));
  for (const name of components) graph.output(observed(name), labelled(labels, name));
  return graph;
}

export interface Head {
  x: Value;
  weights: WeightInputs;
  logits: Value;
}

/** Final norm and logits of `candidates` tokens at `shape.rows` rows; the output matrix is fed with those tokens' rows only. */
export function buildHead(
  graph: Graph,
  outline: ModelOutline,
  shape: ProgramShape,
  candidates: number,
  change?: (role: string, old: Value) => Value,
): Head {
  const x = graph.input('x', residualShape(outline, shape));
  const rows = graph.input('rows', [shape.rows], 'int64');
  const weights = inputsByRole(graph, outline.parameters.head, candidates);
  const few = { ...outline, configuration: { ...outline.configuration, vocabulary: candidates } };
  const weight = (role: string) => {
    const old = lookUpIn(weights)(role);
    return change ? change(role, old) : old;
  };
  const context = buildContext(graph, few, shape, outline.configuration.layers, weight);
  const logits = outline.family.logits(context, outline.family.finalNorm(context, graph.apply('Gather', [x, rows])));
  return { x, weights, logits };
}

/** Feeds `x`, `rows`, `coefficients` = dL/dlogits [rows, candidates] and weights by role; results `logits` and `gradient x`. */
export function candidateHead(outline: ModelOutline, shape: ProgramShape, candidates: number): Graph {
  const graph = new Graph('candidate head');
  const { x, logits } = buildHead(graph, outline, shape, candidates);
  const coefficients = graph.input('coefficients', logits.shape);
  const [dx] = gradients(graph, new Map([[logits, coefficients]]), [x]);
  graph.output('logits', logits);
  graph.output(gradientOf('x'), dx!);
  return graph;
}
