/**
 * Builds the graphs that scores are read from: a block with its components' values, gradients and the effect of changed weights; a block on
 * another model's inputs; a head on a few candidate tokens. Nothing is run here, and no score is put together.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { gradients } from '../graph/gradient.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { type SplitGraph, splitGraph } from '../graph/split.ts';
import {
  buildContext,
  buildHead,
  differencesOf,
  inputsByRole,
  type Label,
  lookUpIn,
  residualShape,
  type WeightInputs,
  withoutUnused,
} from './program-parts.ts';
import { gradientOf, type ModelOutline, observed, type ProgramShape } from './programs.ts';
import { type ScoredMap, scoredMaps, splitByInput } from './scored-maps.ts';
import { computeOnce } from './shared-rows.ts';

/** A layer's scored components: the heads' outputs before the output projection, and the MLP's output. */
export const components = ['attn.z', 'mlp.out'] as const;
export type Component = (typeof components)[number];

/** What the first maps of attention and of the MLP read. */
export const componentInputs = ['attn.in', 'mlp.in'] as const;

/** Sizes of a program for scores. What prompts have in common is computed once: of all rows only `distinct` ones differ (shared-rows.ts). */
export interface ReadingShape extends ProgramShape {
  distinct: number;
}

/** The score of a linear map or bias, by role. */
export const informativeOf = (role: string): string => `informative ${role}`;

/** What a layer's feeds and results begin with in a program of the whole model. */
export const layerPrefix = (layer: number): string => `layers.${layer}.`;

function labelled(labels: ReadonlyMap<string, Value>, name: string): Value {
  const value = labels.get(name);
  if (value) return value;
  throw new HopscopeError('BadGraph', `A block has no value labelled ${name}, which scores need.`, 'failure');
}

/** A block as it was built, with its values by label. */
interface BuiltBlock {
  layer: number;
  labels: ReadonlyMap<string, Value>;
  x: Value;
  y: Value;
  weights: WeightInputs;
}

function buildBlock(graph: Graph, outline: ModelOutline, layer: number, shape: ProgramShape, x: Value): BuiltBlock {
  const weights = inputsByRole(graph, outline.parameters.blocks[layer]!);
  const labels = new Map<string, Value>();
  const record: Label = (name, value) => {
    labels.set(name, value);
    return value;
  };
  const y = outline.family.block(buildContext(graph, outline, shape, layer, lookUpIn(weights), record), x);
  return { layer, labels, x, y, weights };
}

/** The values of a block whose gradients scores need: the components, and the outputs of the scored maps. */
function readValues({ labels }: BuiltBlock, maps: readonly ScoredMap[]): Value[] {
  const outputs = maps.filter(({ isBias }) => !isBias).map(({ role }) => `${role}.y`);
  return [...components, ...outputs].map((name) => labelled(labels, name));
}

/** Names a block's results, given the gradients of its `readValues`. */
function outputReading(
  graph: Graph,
  outline: ModelOutline,
  shape: ProgramShape,
  block: BuiltBlock,
  maps: readonly ScoredMap[],
  gradientOfValue: ReadonlyMap<Value, Value>,
): void {
  const { labels, weights } = block;
  const gradient = (name: string) => gradientOfValue.get(labelled(labels, name))!;
  for (const name of components) graph.output(gradientOf(name), gradient(name));
  for (const name of [...components, ...componentInputs]) graph.output(observed(name), labelled(labels, name));
  if (maps.length === 0) return;
  const scored = outline.parameters.blocks[block.layer]!.filter(({ role }) => maps.some((map) => map.role === role));
  const differences = differencesOf(graph, scored, weights);
  const effects = linearEffects(graph, outline, shape, block, differences);
  for (const { role, isBias, parts } of maps) {
    const g = gradient(`${isBias ? role.slice(0, -'.bias'.length) : role}.y`);
    const effect = isBias ? differences.get(role)! : effects.get(role)!;
    const products = elementProducts(graph, role, effect, g, labels);
    graph.output(informativeOf(role), minusPartSums(graph, products, parts ?? 1));
  }
}

/** Removes what no result needs, and computes once what prompts have in common: `inputs` are fed, `y`, `attn.in` and `mlp.in` returned for distinct rows. */
function finished(
  graph: Graph,
  { batch, positions, distinct }: ReadingShape,
  labels: ReadonlyMap<string, Value>,
  inputs: readonly Value[],
): Graph {
  withoutUnused(graph);
  const rows = batch * positions;
  if (distinct === rows) return graph;
  const outputs = ['y', ...componentInputs.map(observed)];
  return withoutUnused(computeOnce(graph, { rows, distinct }, { inputs, outputs, causal: [labelled(labels, 'attn.z')] }));
}

function gradientsByValue(graph: Graph, seeds: ReadonlyMap<Value, Value>, targets: readonly Value[]): Map<Value, Value> {
  const values = gradients(graph, seeds, targets);
  return new Map(targets.map((target, index) => [target, values[index]!]));
}

/** The maps, and biases of maps, with one of the roles. */
const scoredOf = (outline: ModelOutline, roles: ReadonlySet<string>): ScoredMap[] =>
  roles.size === 0 ? [] : scoredMaps(outline).filter(({ role }) => roles.has(role));

/** One block forward. Feeds: `x` of distinct rows, weights by role; result `y` of distinct rows. */
export function blockOnce(outline: ModelOutline, layer: number, shape: ReadingShape): Graph {
  const graph = new Graph('block forward');
  const x = graph.input('x', residualShape(outline, shape));
  const block = buildBlock(graph, outline, layer, shape, x);
  graph.output('y', block.y);
  return finished(graph, shape, block.labels, [x]);
}

/**
 * One block forward and backward. Feeds: `x` of distinct rows, `dy`, weights by role, and `new ROLE` of every linear map among the `changed` roles.
 * Results: `gradient x`; of the components the values and gradients; the values of `attn.in` and `mlp.in` in distinct rows; and the informative
 * score of every changed map, `informative ROLE` [rows, parts].
 */
export function blockReading(outline: ModelOutline, layer: number, shape: ReadingShape, changed: ReadonlySet<string>): Graph {
  return reading(outline, layer, shape, changed, false);
}

/** The same in two programs, so that nothing is computed twice: `x` to `y`, of distinct rows, keeping inner values, and the way back with `dy`. */
export function splitBlockReading(
  outline: ModelOutline,
  layer: number,
  shape: ReadingShape,
  changed: ReadonlySet<string>,
): SplitGraph {
  return splitGraph(reading(outline, layer, shape, changed, true), 'y');
}

function reading(
  outline: ModelOutline,
  layer: number,
  shape: ReadingShape,
  changed: ReadonlySet<string>,
  withResult: boolean,
): Graph {
  const graph = new Graph('block reading');
  const x = graph.input('x', residualShape(outline, shape));
  const dy = graph.input('dy', x.shape);
  const block = buildBlock(graph, outline, layer, shape, x);
  const maps = scoredOf(outline, changed);
  const gradientOfValue = gradientsByValue(graph, new Map([[block.y, dy]]), [x, ...readValues(block, maps)]);
  if (withResult) graph.output('y', block.y);
  graph.output(gradientOf('x'), gradientOfValue.get(x)!);
  outputReading(graph, outline, shape, block, maps, gradientOfValue);
  return finished(graph, shape, block.labels, [x]);
}

/**
 * x dW of every linear map, x being what the map reads in the block already built. The family's own code computes it, given the differences in
 * place of the weights and those x in place of what it would compute; whatever else it builds is not used and is removed.
 */
function linearEffects(
  graph: Graph,
  outline: ModelOutline,
  shape: ProgramShape,
  { layer, x, weights, labels }: BuiltBlock,
  differences: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const effects = new Map<string, Value>();
  const weight = (role: string): Value => {
    const old = lookUpIn(weights)(role);
    // A bias's change has a score of its own, and one that did not change has no effect
    return role.endsWith('.bias') ? graph.zeros(old.shape) : (differences.get(role) ?? old);
  };
  const label: Label = (name, value) => {
    if (name.endsWith('.x')) return labelled(labels, name);
    if (name.endsWith('.y')) effects.set(name.slice(0, -2), value);
    return value;
  };
  outline.family.block(buildContext(graph, outline, shape, layer, weight, label), x);
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

/** The components' values with a block's weights on given inputs of attention and MLP. Feeds `attn.in`, `mlp.in`, both of distinct rows, and weights by role. */
export function blockOnGivenInputs(outline: ModelOutline, layer: number, shape: ReadingShape): Graph {
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
  return finished(graph, shape, labels, [...given.values()]);
}

/** Feeds `x`, `rows`, `coefficients` = dL/dlogits [rows, candidates] and weights by role; results `logits` and `gradient x`. */
export function candidateHead(outline: ModelOutline, shape: ProgramShape, candidates: number): Graph {
  const graph = new Graph('candidate head');
  const x = graph.input('x', residualShape(outline, shape));
  const { logits } = buildHead(graph, outline, shape, x, candidates);
  const coefficients = graph.input('coefficients', logits.shape);
  const [dx] = gradients(graph, new Map([[logits, coefficients]]), [x]);
  graph.output('logits', logits);
  graph.output(gradientOf('x'), dx!);
  return withoutUnused(graph);
}
