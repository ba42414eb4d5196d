/**
 * What the programs for scores are built from: weights as inputs by role, a block's context, a head on a few candidates, differences of weights.
 * It builds no whole program.
 */
import { HopscopeError } from '../../shared/errors.ts';
import type { Graph, Value } from '../graph/graph.ts';
import type { BuildContext } from '../models/family.ts';
import type { Parameter } from '../models/parameters.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';

/** The feed that holds the changed weights of a role. */
export const changedWeight = (role: string): string => `new ${role}`;
export type WeightInputs = ReadonlyMap<string, Value>;
export type Label = BuildContext['label'];

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

export const residualShape = ({ configuration }: ModelOutline, { batch, positions }: ProgramShape): number[] => [
  batch * positions,
  configuration.hidden,
];

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

/** Final norm and logits of `candidates` tokens at `shape.rows` rows; the output matrix is fed with those tokens' rows only. */
export function buildHead(
  graph: Graph,
  outline: ModelOutline,
  shape: ProgramShape,
  x: Value,
  candidates: number,
  change?: (role: string, old: Value) => Value,
): { weights: WeightInputs; logits: Value } {
  const rows = graph.input('rows', [shape.rows], 'int64');
  const weights = inputsByRole(graph, outline.parameters.head, candidates);
  const few = { ...outline, configuration: { ...outline.configuration, vocabulary: candidates } };
  const weight = (role: string) => {
    const old = lookUpIn(weights)(role);
    return change ? change(role, old) : old;
  };
  const context = buildContext(graph, few, shape, outline.configuration.layers, weight);
  const logits = outline.family.logits(context, outline.family.finalNorm(context, graph.apply('Gather', [x, rows])));
  return { weights, logits };
}

/** Removes the nodes that no result needs, which blocks built for some of their values leave behind: a smaller program compiles faster. */
export function withoutUnused(graph: Graph): Graph {
  const needed = new Set<Value>(graph.outputs.values());
  const kept = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((value) => needed.has(value))) return false;
    for (const value of inputs) needed.add(value);
    return true;
  });
  graph.nodes.splice(0, graph.nodes.length, ...kept.reverse());
  return graph;
}
