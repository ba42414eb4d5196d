/**
 * A second implementation of every operator, in float64 and plain loops, written from the ONNX text: what the runtime and the gradient
 * rules are compared with. It is for small tensors only and shares no code with the engine's shape or gradient rules.
 */
import type { Attributes, Graph, Node, Value } from '../../../src-main/engine/graph/graph.ts';
import type { OperatorName } from '../../../src-main/engine/graph/ops.ts';

/** Numbers in row-major order, whatever the element type. */
export interface Reference {
  shape: readonly number[];
  data: number[];
}

type Rule = (inputs: readonly Reference[], attributes: Attributes) => Reference;

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The index along every axis of the element at `offset`. */
function position(offset: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = offset;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** Where an element lies; axes of size 1 are broadcast, missing leading axes too. */
function offset(index: readonly number[], shape: readonly number[]): number {
  const missing = index.length - shape.length;
  return shape.reduce((sum, size, axis) => sum * size + (size === 1 ? 0 : index[axis + missing]!), 0);
}

const at = ({ shape, data }: Reference, index: readonly number[]): number => data[offset(index, shape)]!;

function build(shape: readonly number[], element: (index: number[]) => number): Reference {
  return { shape, data: Array.from({ length: count(shape) }, (_, place) => element(position(place, shape))) };
}

function broadcast(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

const list = (attributes: Attributes, name: string): number[] => [...(attributes[name] as readonly number[])];
const number = (attributes: Attributes, name: string, otherwise?: number): number => (attributes[name] ?? otherwise) as number;
const replace = (index: readonly number[], axis: number, value: number): number[] =>
  index.map((old, i) => (i === axis ? value : old));
const fromEnd = (axis: number, size: number): number => (axis < 0 ? axis + size : axis);

const unary =
  (f: (x: number, attributes: Attributes) => number): Rule =>
  ([x], attributes) => ({ shape: x!.shape, data: x!.data.map((value) => f(value, attributes)) });

const binary =
  (f: (a: number, b: number) => number): Rule =>
  ([a, b]) =>
    build(broadcast(a!.shape, b!.shape), (index) => f(at(a!, index), at(b!, index)));

const reduction =
  (f: (values: number[]) => number): Rule =>
  ([x], attributes) => {
    const axes = list(attributes, 'axes').map((axis) => fromEnd(axis, x!.shape.length));
    const kept = x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const groups: number[][] = Array.from({ length: count(kept) }, () => []);
    x!.data.forEach((value, place) => {
      const index = position(place, x!.shape).map((i, axis) => (axes.includes(axis) ? 0 : i));
      groups[offset(index, kept)]!.push(value);
    });
    const shape = attributes.keepdims === 1 ? kept : x!.shape.filter((_, axis) => !axes.includes(axis));
    return { shape, data: groups.map(f) };
  };

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(sum(values.map((value) => Math.exp(value - largest))));
}

function matMul(a: Reference, b: Reference): Reference {
  const inner = a.shape.at(-1)!;
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), a.shape.at(-2)!, b.shape.at(-1)!];
  return build(shape, (index) => {
    const batch = index.slice(0, -2);
    const products = Array.from(
      { length: inner },
      (_, k) => at(a, [...batch, index.at(-2)!, k]) * at(b, [...batch, k, index.at(-1)!]),
    );
    return sum(products);
  });
}

const transposed = (x: Reference, perm: readonly number[]): Reference =>
  build(
    perm.map((axis) => x.shape[axis]!),
    (index) =>
      at(
        x,
        x.shape.map((_, axis) => index[perm.indexOf(axis)]!),
      ),
  );

/** Adds or reads along one axis at given places. */
function scatterElements([data, indices, updates]: readonly Reference[], attributes: Attributes): Reference {
  const axis = number(attributes, 'axis');
  const result = { shape: data!.shape, data: [...data!.data] };
  indices!.data.forEach((place, i) => {
    const index = replace(position(i, indices!.shape), axis, fromEnd(place, data!.shape[axis]!));
    result.data[offset(index, data!.shape)]! += updates!.data[i]!;
  });
  return result;
}

function rotary([x, cos, sin, positions]: readonly Reference[], attributes: Attributes): Reference {
  const heads = number(attributes, 'num_heads', 0);
  const [, second, third] = x!.shape as [number, number, number];
  const four = x!.shape.length === 4;
  const size = four ? x!.shape[3]! : third / heads;
  const rotated = number(attributes, 'rotary_embedding_dim', 0) || size;
  const half = rotated / 2;
  const interleaved = number(attributes, 'interleaved', 0) === 1;
  return build(x!.shape, (index) => {
    const token = four ? index[2]! : index[1]!;
    const within = four ? index[3]! : index[2]! % size;
    if (within >= rotated) return at(x!, index);
    const pair = interleaved ? Math.floor(within / 2) : within % half;
    const isFirst = interleaved ? within % 2 === 0 : within < half;
    const step = interleaved ? 1 : half;
    const other = replace(index, index.length - 1, index.at(-1)! + (isFirst ? step : -step));
    const row = positions!.data[index[0]! * (four ? third : second) + token]!;
    const [c, s] = [at(cos!, [row, pair]), at(sin!, [row, pair])];
    return isFirst ? at(x!, index) * c - at(x!, other) * s : at(x!, index) * c + at(x!, other) * s;
  });
}

/** 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, by its series x exp(-x^2) sum (2 x^2)^n / (1 3 5 ... (2 n + 1)), whose terms are positive. */
function errorFunction(x: number): number {
  // 1 - erf(6) is 2e-17
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = 0;
  for (let n = 0; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    total += term;
    term *= (2 * x * x) / (2 * n + 3);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** Typed by the operators' names: an operator without a reference does not type-check. */
export const references: Record<OperatorName, Rule> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Neg: unary((x) => -x),
  Identity: unary((x) => x),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Tanh: unary(Math.tanh),
  Erf: unary(errorFunction),
  Clip: unary((x, attributes) => Math.min(number(attributes, 'max'), Math.max(number(attributes, 'min'), x))),
  MatMul: ([a, b]) => matMul(a!, b!),
  Gemm: ([a, b], attributes) =>
    matMul(attributes.transA ? transposed(a!, [1, 0]) : a!, attributes.transB ? transposed(b!, [1, 0]) : b!),
  Transpose: ([x], attributes) => transposed(x!, list(attributes, 'perm')),
  Reshape: ([x], attributes) => ({ shape: list(attributes, 'shape'), data: x!.data }),
  Expand: ([x], attributes) => build(broadcast(x!.shape, list(attributes, 'shape')), (index) => at(x!, index)),
  Concat: (inputs, attributes) => {
    const axis = number(attributes, 'axis');
    const size = sum(inputs.map(({ shape }) => shape[axis]!));
    return build(replace(inputs[0]!.shape, axis, size), (index) => {
      let place = index[axis]!;
      for (const x of inputs) {
        if (place < x.shape[axis]!) return at(x, replace(index, axis, place));
        place -= x.shape[axis]!;
      }
      throw new Error('outside the inputs');
    });
  },
  Slice: ([x], attributes) => {
    const [[start], [end], [axis]] = [list(attributes, 'starts'), list(attributes, 'ends'), list(attributes, 'axes')];
    return build(replace(x!.shape, axis!, end! - start!), (index) => at(x!, replace(index, axis!, index[axis!]! + start!)));
  },
  ReduceSum: reduction(sum),
  ReduceMean: reduction((values) => sum(values) / values.length),
  ReduceLogSumExp: reduction(logSumExp),
  Softmax: ([x], attributes) => {
    const axis = fromEnd(number(attributes, 'axis'), x!.shape.length);
    return build(x!.shape, (index) => {
      const along = Array.from({ length: x!.shape[axis]! }, (_, i) => at(x!, replace(index, axis, i)));
      return Math.exp(at(x!, index) - logSumExp(along));
    });
  },
  LayerNormalization: ([x, gain, bias], attributes) =>
    build(x!.shape, (index) => {
      const size = x!.shape.at(-1)!;
      const along = Array.from({ length: size }, (_, i) => at(x!, replace(index, index.length - 1, i)));
      const mean = sum(along) / size;
      const variance = sum(along.map((value) => (value - mean) ** 2)) / size;
      const normalized = (at(x!, index) - mean) / Math.sqrt(variance + number(attributes, 'epsilon'));
      return normalized * at(gain!, index.slice(-1)) + (bias ? at(bias, index.slice(-1)) : 0);
    }),
  RMSNormalization: ([x, gain], attributes) =>
    build(x!.shape, (index) => {
      const size = x!.shape.at(-1)!;
      const squares = Array.from({ length: size }, (_, i) => at(x!, replace(index, index.length - 1, i)) ** 2);
      return (at(x!, index) / Math.sqrt(sum(squares) / size + number(attributes, 'epsilon'))) * at(gain!, index.slice(-1));
    }),
  RotaryEmbedding: rotary,
  Gather: ([data, indices]) =>
    build([...indices!.shape, ...data!.shape.slice(1)], (index) => {
      const row = at(indices!, index.slice(0, indices!.shape.length));
      return at(data!, [fromEnd(row, data!.shape[0]!), ...index.slice(indices!.shape.length)]);
    }),
  ScatterND: ([data, indices, updates]) => {
    const rowSize = count(data!.shape.slice(1));
    const result = { shape: data!.shape, data: [...data!.data] };
    indices!.data.forEach((row, i) => {
      const start = fromEnd(row, data!.shape[0]!) * rowSize;
      for (let k = 0; k < rowSize; k++) result.data[start + k]! += updates!.data[i * rowSize + k]!;
    });
    return result;
  },
  GatherElements: ([data, indices], attributes) => {
    const axis = number(attributes, 'axis');
    return build(indices!.shape, (index) => at(data!, replace(index, axis, fromEnd(at(indices!, index), data!.shape[axis]!))));
  },
  ScatterElements: scatterElements,
  Where: ([condition, a, b]) =>
    build(broadcast(condition!.shape, a!.shape, b!.shape), (index) => (at(condition!, index) ? at(a!, index) : at(b!, index))),
  Equal: binary((a, b) => Number(a === b)),
  Less: binary((a, b) => Number(a < b)),
  Cast: unary((x, attributes) => {
    if (attributes.to === 'bool') return Number(x !== 0);
    return attributes.to === 'float32' ? Math.fround(x) : Math.trunc(x);
  }),
};

/** Every value of a graph by direct evaluation, from the inputs' numbers. */
export function evaluateReference(graph: Graph, feeds: ReadonlyMap<Value, readonly number[]>): Map<Value, Reference> {
  const values = new Map<Value, Reference>();
  for (const value of graph.inputs) values.set(value, { shape: value.shape, data: [...feeds.get(value)!] });
  for (const [value, tensor] of graph.constants) values.set(value, { shape: value.shape, data: Array.from(tensor.data, Number) });
  for (const node of graph.nodes) evaluateNode(node, values);
  return values;
}

function evaluateNode(node: Node, values: Map<Value, Reference>): void {
  const inputs = node.inputs.map((value) => values.get(value)!);
  values.set(node.outputs[0]!, references[node.op](inputs, node.attributes));
}

/**
 * d(sum of y times weights) / d(every element of `target`), by central differences in float64. `target` may be an input or any value
 * inside; then only the nodes after it see the change.
 */
export function finiteDifferences(
  graph: Graph,
  feeds: ReadonlyMap<Value, readonly number[]>,
  seeds: ReadonlyMap<Value, readonly number[]>,
  target: Value,
): number[] {
  const step = 1e-4;
  const base = evaluateReference(graph, feeds);
  const loss = (element: number, change: number): number => {
    const values = new Map(base);
    const { shape, data } = base.get(target)!;
    values.set(target, { shape, data: data.map((value, i) => (i === element ? value + change : value)) });
    for (const node of graph.nodes) if (node !== target.node) evaluateNode(node, values);
    return sum([...seeds].map(([y, weights]) => sum(values.get(y)!.data.map((value, i) => value * weights[i]!))));
  };
  return base.get(target)!.data.map((_, i) => (loss(i, step) - loss(i, -step)) / (2 * step));
}
