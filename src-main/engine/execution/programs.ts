/**
 * Builds the graphs that a model is run with: one per block kind and head (any depth, nothing kept but block inputs), or the whole model
 * in one (small models). All are composed from the family's block, head and the reverse walk; nothing is run here.
 */
import { gradients } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { adapterRoles } from '../models/adapters.ts';
import type { BuildContext, ModelConfiguration, ModelFamily } from '../models/family.ts';
import type { Parameter, ParameterList } from '../models/parameters.ts';

/** What the programs need to know of a model; weights are feeds. */
export interface ModelOutline {
  family: ModelFamily;
  configuration: ModelConfiguration;
  parameters: ParameterList;
  /** Factor on what low-rank adapters give, where some of a block's parameters are such. */
  adapterScale?: number;
}

/** Sizes a program is compiled for: [batch, positions] tokens, of which `rows` reach the head. */
export interface ProgramShape {
  batch: number;
  positions: number;
  rows: number;
}

/** Results' names: the gradient of the input named x is `gradient x`, an observed value `value NAME`. */
export const gradientOf = (name: string): string => `gradient ${name}`;
export const observed = (name: string): string => `value ${name}`;

type WeightInputs = Map<string, Value>;

/** One graph input per parameter, named as in the file, in the order given; a tied matrix is fed once. */
function weightInputs(graph: Graph, parameters: readonly Parameter[]): WeightInputs {
  const inputs: WeightInputs = new Map();
  for (const { name, shape } of parameters) if (!inputs.has(name)) inputs.set(name, graph.input(name, shape));
  return inputs;
}

function buildContext(
  graph: Graph,
  { configuration, adapterScale }: ModelOutline,
  shape: ProgramShape,
  parameters: readonly Parameter[],
  weights: WeightInputs,
  layer: number | null,
): BuildContext {
  const names = new Map(parameters.map(({ role, name }) => [role, name]));
  const weightOf = (role: string) => weights.get(names.get(role) ?? '');
  const adapt = adapterScale === undefined ? (_: string, value: Value) => value : adapting(graph, weightOf, adapterScale);
  return {
    graph,
    configuration,
    batch: shape.batch,
    positions: shape.positions,
    layer: layer ?? configuration.layers,
    weight: (role) => weightOf(role)!,
    label: (name, value) => graph.label(layer === null ? name : `layers.${layer}.${name}`, adapt(name, value)),
  };
}

/** Puts y + scale (x A') B' in the place of a linear map's output y, for maps with an adapter: families label every map's input and output. */
function adapting(
  graph: Graph,
  weightOf: (role: string) => Value | undefined,
  scale: number,
): (name: string, value: Value) => Value {
  const inputs = new Map<string, Value>();
  return (name, value) => {
    const role = name.slice(0, -2);
    if (name.endsWith('.x')) inputs.set(role, value);
    const [x, a, b] = [inputs.get(role), weightOf(adapterRoles(role).a), weightOf(adapterRoles(role).b)];
    if (!name.endsWith('.y') || !x || !a || !b) return value;
    return graph.add(value, graph.scale(graph.gemm(graph.gemm(x, a, false, true), b, false, true), scale));
  };
}

/** The rows that the head runs on: `rows` [P] index into batch * positions. */
function gatherRows(graph: Graph, x: Value, rows: number): Value {
  return graph.apply('Gather', [x, graph.input('rows', [rows], 'int64')]);
}

/** logits [rows, vocabulary] of gathered rows. */
function buildLogits(context: BuildContext, outline: ModelOutline, gathered: Value): Value {
  return outline.family.logits(context, outline.family.finalNorm(context, gathered));
}

/**
 * loss = sum over rows of weight (logsumexp(logits) - logits[target]): a mean cross entropy when the weights are 1 / count, and
 * padding rows have weight 0. Inputs `targets` and `target weights`, [rows, 1].
 */
function crossEntropy(graph: Graph, logits: Value, rows: number): Value {
  const targets = graph.input('targets', [rows, 1], 'int64');
  const weights = graph.input('target weights', [rows, 1]);
  const normalizer = graph.apply('ReduceLogSumExp', [logits], { axes: [1], keepdims: 1 });
  const picked = graph.apply('GatherElements', [logits, targets], { axis: 1 });
  const weighted = graph.multiply(graph.subtract(normalizer, picked), weights);
  return graph.reduceSum(weighted, [0, 1], false);
}

function outputGradients(graph: Graph, seeds: Map<Value, Value>, targets: ReadonlyMap<string, Value>): void {
  const values = gradients(graph, seeds, [...targets.values()]);
  for (const [index, name] of [...targets.keys()].entries()) graph.output(gradientOf(name), values[index]!);
}

function outputObserved(graph: Graph, names: readonly string[]): void {
  for (const name of names) {
    const value = graph.labels.get(name);
    if (value) graph.output(observed(name), value);
  }
}

/** The layer's labels without `layers.N.`, so that layers of a kind share a program. */
function blockLabels(layer: number, names: readonly string[]): string[] {
  return names.map((name) => `layers.${layer}.${name}`);
}

/** Weights of a block program are fed by role, so that every layer of the kind uses the same program. */
function roleNamed(parameters: readonly Parameter[]): Parameter[] {
  return parameters.map((parameter) => ({ ...parameter, name: parameter.role }));
}

/** One block forward: feeds `x` and weights by role; results `y` and observed values such as `attn.z`. */
export function blockForward(outline: ModelOutline, layer: number, shape: ProgramShape, observe: readonly string[]): Graph {
  const graph = new Graph('block forward');
  const parameters = roleNamed(outline.parameters.blocks[layer]!);
  const x = graph.input('x', [shape.batch * shape.positions, outline.configuration.hidden]);
  const context = buildContext(graph, outline, shape, parameters, weightInputs(graph, parameters), layer);
  graph.output('y', outline.family.block(context, x));
  for (const [index, label] of blockLabels(layer, observe).entries()) {
    const value = graph.labels.get(label);
    if (value) graph.output(observed(observe[index]!), value);
  }
  return graph;
}

/** One block backward, recomputing its forward: feeds `x`, `dy` and weights by role; results the gradients of `roles`, and of x if `needInput`. */
export function blockBackward(
  outline: ModelOutline,
  layer: number,
  shape: ProgramShape,
  roles: readonly string[],
  needInput: boolean,
): Graph {
  const graph = new Graph('block backward');
  const parameters = roleNamed(outline.parameters.blocks[layer]!);
  const size = [shape.batch * shape.positions, outline.configuration.hidden];
  const x = graph.input('x', size);
  const dy = graph.input('dy', size);
  const weights = weightInputs(graph, parameters);
  const y = outline.family.block(buildContext(graph, outline, shape, parameters, weights, layer), x);
  const targets = new Map(roles.map((role) => [role, weights.get(role)!]));
  if (needInput) targets.set('x', x);
  outputGradients(graph, new Map([[y, dy]]), targets);
  return graph;
}

/** The head forward: feeds `x`, `rows` and weights by name; result `logits`, and observed values. */
export function headForward(outline: ModelOutline, shape: ProgramShape, observe: readonly string[]): Graph {
  const graph = new Graph('head forward');
  const x = graph.input('x', [shape.batch * shape.positions, outline.configuration.hidden]);
  const { head } = outline.parameters;
  const context = buildContext(graph, outline, shape, head, weightInputs(graph, head), null);
  graph.output('logits', buildLogits(context, outline, gatherRows(graph, x, shape.rows)));
  outputObserved(graph, observe);
  return graph;
}

/** The head with its loss and gradients: results `loss`, the gradients of `names`, and of x if `needInput`. */
export function headTraining(outline: ModelOutline, shape: ProgramShape, names: readonly string[], needInput: boolean): Graph {
  const graph = new Graph('head training');
  const x = graph.input('x', [shape.batch * shape.positions, outline.configuration.hidden]);
  const { head } = outline.parameters;
  const weights = weightInputs(graph, head);
  const context = buildContext(graph, outline, shape, head, weights, null);
  const loss = crossEntropy(graph, buildLogits(context, outline, gatherRows(graph, x, shape.rows)), shape.rows);
  graph.output('loss', loss);
  const targets = new Map(names.map((name) => [name, weights.get(name)!]));
  if (needInput) targets.set('x', x);
  outputGradients(graph, new Map([[loss, graph.scalar(1)]]), targets);
  return graph;
}

interface Whole {
  graph: Graph;
  x: Value;
  weights: WeightInputs;
  logits: Value;
}

function whole(name: string, outline: ModelOutline, shape: ProgramShape): Whole {
  const graph = new Graph(name);
  const { blocks, head } = outline.parameters;
  const x = graph.input('x', [shape.batch * shape.positions, outline.configuration.hidden]);
  const weights = weightInputs(graph, [...blocks.flat(), ...head]);
  const rows = graph.input('rows', [shape.rows], 'int64');
  let residual = x;
  for (const [layer, parameters] of blocks.entries()) {
    const context = buildContext(graph, outline, shape, parameters, weights, layer);
    residual = outline.family.block(layer === blocks.length - 1 ? { ...context, rows } : context, residual);
  }
  const context = buildContext(graph, outline, shape, head, weights, null);
  return { graph, x, weights, logits: buildLogits(context, outline, residual) };
}

/** All blocks and the head in one: feeds `x` (embedded tokens), `rows` and weights by name; result `logits`. */
export function wholeForward(outline: ModelOutline, shape: ProgramShape): Graph {
  const { graph, logits } = whole('whole forward', outline, shape);
  graph.output('logits', logits);
  return graph;
}

/** The whole training step without recomputation: results `loss`, the gradients of `names`, and of x if `needInput`. */
export function wholeTraining(outline: ModelOutline, shape: ProgramShape, names: readonly string[], needInput: boolean): Graph {
  const { graph, x, weights, logits } = whole('whole training', outline, shape);
  const loss = crossEntropy(graph, logits, shape.rows);
  graph.output('loss', loss);
  const targets = new Map(names.map((name) => [name, weights.get(name)!]));
  if (needInput) targets.set('x', x);
  outputGradients(graph, new Map([[loss, graph.scalar(1)]]), targets);
  return graph;
}
