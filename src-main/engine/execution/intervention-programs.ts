/**
 * Builds the graphs in which any head's or MLP's value gives way to another one, token by token: masks and replacements are fed, so that one
 * program serves every intervention of its size. Which values are replaced by what is the caller's choice.
 */
import { Graph, type Value } from '../graph/graph.ts';
import { buildContext, buildHead, inputsByRole, type Label, lookUpIn, residualShape, withoutUnused } from './program-parts.ts';
import type { ModelOutline, ProgramShape } from './programs.ts';
import { type Component, components, layerPrefix } from './score-programs.ts';

/** The feed [rows, parts, 1] that says how much of each part is replaced: 0 nothing, 1 all of it. */
export const maskOf = (name: string): string => `mask ${name}`;
/** The feed [rows, width] of what is put in place. */
export const replacementOf = (name: string): string => `replacement ${name}`;

/** Into how many parts a component's value is divided: heads, or the MLP as one. */
export const partsOf = (component: Component, { configuration }: ModelOutline): number =>
  component === 'attn.z' ? configuration.heads : 1;

/** A component's number of elements per token. */
export const widthOf = (component: Component, { configuration }: ModelOutline): number =>
  component === 'attn.z' ? configuration.heads * configuration.headSize : configuration.hidden;

/** The block goes on with value (1 - mask) + replacement mask: with masks of 0 and 1 both are kept to the bit. */
function replacing(graph: Graph, outline: ModelOutline, prefix: string): Label {
  return (name, value) => {
    const component = components.find((known) => known === name);
    if (!component) return value;
    const [rows, width] = value.shape as [number, number];
    const parts = partsOf(component, outline);
    const byPart = [rows, parts, width / parts];
    const mask = graph.input(maskOf(prefix + name), [rows, parts, 1]);
    const replacement = graph.reshape(graph.input(replacementOf(prefix + name), value.shape), byPart);
    const kept = graph.multiply(graph.reshape(value, byPart), graph.subtract(graph.scalar(1), mask));
    return graph.reshape(graph.add(kept, graph.multiply(replacement, mask)), value.shape);
  };
}

function replacedBlock(graph: Graph, outline: ModelOutline, layer: number, shape: ProgramShape, x: Value, prefix: string): Value {
  const weights = inputsByRole(graph, outline.parameters.blocks[layer]!, undefined, (role) => prefix + role);
  return outline.family.block(
    buildContext(graph, outline, shape, layer, lookUpIn(weights), replacing(graph, outline, prefix)),
    x,
  );
}

/** One block forward. Feeds `x`, weights by role, and of each component `mask NAME` and `replacement NAME`; result `y`. */
export function blockWithReplacements(outline: ModelOutline, layer: number, shape: ProgramShape): Graph {
  const graph = new Graph('block with replacements');
  const x = graph.input('x', residualShape(outline, shape));
  graph.output('y', replacedBlock(graph, outline, layer, shape, x, ''));
  return withoutUnused(graph);
}

/**
 * All blocks and the head in one. Feeds `x` (embedded prompts), `rows`, the head's weights by role, and with `layers.N.` in front of roles and
 * components what `blockWithReplacements` is fed; result `logits` [rows, candidates].
 */
export function wholeWithReplacements(outline: ModelOutline, shape: ProgramShape, candidates: number): Graph {
  const graph = new Graph('whole with replacements');
  let residual = graph.input('x', residualShape(outline, shape));
  outline.parameters.blocks.forEach((_, layer) => {
    residual = replacedBlock(graph, outline, layer, shape, residual, layerPrefix(layer));
  });
  graph.output('logits', buildHead(graph, outline, shape, residual, candidates).logits);
  return withoutUnused(graph);
}

/** Feeds `x`, `rows` and the head's weights by role; result `logits` [rows, candidates]. */
export function candidateLogits(outline: ModelOutline, shape: ProgramShape, candidates: number): Graph {
  const graph = new Graph('candidate logits');
  const x = graph.input('x', residualShape(outline, shape));
  graph.output('logits', buildHead(graph, outline, shape, x, candidates).logits);
  return withoutUnused(graph);
}
