/**
 * Computes once what prompts have in common: causal attention makes a token's values depend on the tokens up to it alone, so wherever prompts begin
 * alike their rows are the same. Gradients differ from prompt to prompt and are left as they are; nothing is run here.
 */
import type { Graph, Node, Value } from '../graph/graph.ts';
import { type FloatTensor, floatTensor, type Tensor } from '../tensor.ts';
import { indices, type Question } from './feeds.ts';

/** Rows of a batch that differ in what precedes them. */
export interface DistinctRows {
  /** For each distinct row the first one in the batch, ascending. */
  first: readonly number[];
  /** For each row of the batch its place among the distinct ones; rows behind an item's question stand at place 0, as nothing looks at them. */
  places: readonly number[];
}

/** Below this part of distinct rows it pays to collect and spread them. */
const worthwhile = 0.9;

/** `question.rows` must hold one row per item, in their order. Where hardly a row is shared, every row counts as distinct. */
export function distinctRows({ batch: { tokens, batch, positions }, rows }: Question): DistinctRows {
  const first: number[] = [];
  const places: number[] = new Array(batch * positions).fill(0);
  const known = new Map<string, number>();
  for (let item = 0; item < batch; item++) {
    let before = -1;
    for (let row = item * positions; row <= rows[item]!; row++) {
      const key = `${before} ${tokens[row]}`;
      let place = known.get(key);
      if (place === undefined) {
        place = first.length;
        known.set(key, place);
        first.push(row);
      }
      places[row] = place;
      before = place;
    }
  }
  if (first.length <= worthwhile * places.length) return { first, places };
  const all = places.map((_, row) => row);
  return { first: all, places: all };
}

/** The given rows of a matrix. */
export function rowsOf({ shape, data }: FloatTensor, rows: readonly number[]): FloatTensor {
  const width = shape[1]!;
  const taken = floatTensor([rows.length, width]);
  rows.forEach((row, index) => {
    taken.data.set(data.subarray(row * width, (row + 1) * width), index * width);
  });
  return taken;
}

/** What a program that went through `computeOnce` is fed besides. */
export function rowFeeds({ first, places }: DistinctRows): Record<string, Tensor> {
  if (first.length === places.length) return {};
  return { [firstInput]: indices(first), [placesInput]: indices(places) };
}

const firstInput = 'first rows';
const placesInput = 'places of rows';

/** Which rows a program is built for. */
export interface RowPlan {
  rows: number;
  distinct: number;
}

/** What `computeOnce` must know of a graph. */
interface Shared {
  /** Inputs that are fed, and results that are returned, for the distinct rows alone. */
  inputs: readonly Value[];
  outputs: readonly string[];
  /** Values alike in rows with the same beginning although rows were mixed on the way to them: what causal attention returns. */
  causal: readonly Value[];
}

/** Operators whose result's rows each depend on the same row of the arguments that have rows. */
const elementwise = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Neg',
  'Identity',
  'Sqrt',
  'Reciprocal',
  'Erf',
  'Exp',
  'Log',
  'Sigmoid',
  'Tanh',
  'Clip',
]);
const normalizations = new Set(['RMSNormalization', 'LayerNormalization']);

/**
 * Rebuilds the graph so that values which are alike in rows of the same beginning, [rows, width], are computed for distinct rows only and spread
 * over all rows where something else needs them. It is told where such values come from and follows them through operators that work row by row.
 */
export function computeOnce(graph: Graph, { rows, distinct }: RowPlan, { inputs, outputs, causal }: Shared): Graph {
  const first = graph.input(firstInput, [distinct], 'int64');
  const places = graph.input(placesInput, [rows], 'int64');
  /** By value of the graph as it was: its value in the new one, and that of the distinct rows. */
  const whole = new Map<Value, Value>();
  const once = new Map<Value, Value>();
  for (const value of inputs) {
    const fed: Value = { ...value, shape: [distinct, ...value.shape.slice(1)] };
    graph.inputs[graph.inputs.indexOf(value)] = fed;
    once.set(value, fed);
  }
  const mixed = new Set(causal);
  const rebuilt = (value: Value): Value => {
    const known = whole.get(value);
    if (known) return known;
    const fewer = once.get(value);
    if (!fewer) return value;
    const spread = graph.apply('Gather', [fewer, places]);
    whole.set(value, spread);
    return spread;
  };
  const fewer = (value: Value): Value => {
    let taken = once.get(value);
    if (!taken) {
      taken = graph.apply('Gather', [rebuilt(value), first]);
      once.set(value, taken);
    }
    return taken;
  };
  const isShared = (value: Value) => once.has(value) || mixed.has(value);
  for (const node of graph.nodes.splice(0)) {
    const output = node.outputs[0]!;
    if (worksByRow(node, rows, isShared)) {
      const args = node.inputs.map((value) => (isShared(value) ? fewer(value) : rebuilt(value)));
      once.set(output, graph.apply(node.op, args, node.attributes));
    } else {
      whole.set(output, graph.apply(node.op, node.inputs.map(rebuilt), node.attributes));
    }
  }
  for (const [name, value] of [...graph.outputs]) graph.output(name, outputs.includes(name) ? fewer(value) : rebuilt(value));
  return graph;
}

/** Whether the result's distinct rows follow from those of its arguments. */
function worksByRow({ op, inputs, outputs, attributes }: Node, rows: number, isShared: (value: Value) => boolean): boolean {
  const [first, ...others] = inputs;
  const { shape } = outputs[0]!;
  if (!inputs.some(isShared) || shape.length !== 2 || shape[0] !== rows) return false;
  if (elementwise.has(op)) return inputs.every((value) => isShared(value) || !hasRows(value));
  if (!isShared(first!) || others.some(isShared)) return false;
  if (op === 'Gemm') return attributes.transA === 0;
  if (normalizations.has(op)) return true;
  const along = (axes: unknown) => Array.isArray(axes) && axes.length === 1 && (axes[0] === 1 || axes[0] === -1);
  if (op === 'ReduceSum' || op === 'ReduceMean') return along(attributes.axes) && attributes.keepdims === 1;
  return op === 'Slice' && along(attributes.axes);
}

/** Whether broadcasting against [rows, width] would take different elements for different rows. */
const hasRows = ({ shape }: Value): boolean => shape.length > 1 && shape.at(-2) !== 1;
