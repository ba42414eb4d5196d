/**
 * THE operator table: for every ONNX operator the project uses, its shape rule and its gradient rule (or `'none'` said aloud).
 * Rules use only operators of this table, so graphs stay closed under differentiation; summing over broadcast axes, accumulation
 * and "is it needed" are done once, in gradient.ts.
 */
import { bytesPerElement, type ElementType, elementCount } from '../tensor.ts';
import type { Attributes, Graph, Value, ValueType } from './graph.ts';
import { axisFromStart, broadcastShapes, integer, integers, matMulShape, number, permuted, same, withAxis } from './shapes.ts';

/** What a gradient rule sees: y = op(inputs), dy = dL/dy. */
export interface GradientContext {
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly dy: Value;
  readonly attributes: Attributes;
}

/** One thunk per input, run only where a gradient is needed; null where an input (an index, a mask) has none. */
export type GradientRule = (context: GradientContext) => readonly ((() => Value) | null)[];

export interface Operator {
  /** Throws an Error with a short reason when the inputs do not fit, or when the gradient rule would not hold for the attributes. */
  readonly shape: (inputs: readonly ValueType[], attributes: Attributes) => ValueType;
  /** `'none'`: the output is an integer, a truth value or otherwise not differentiable; asking for its gradient is an error. */
  readonly gradient: GradientRule | 'none';
  /** Attributes that ONNX passes as further inputs, in order: int64 lists, or float scalars for Clip. */
  readonly attributeInputs?: readonly string[];
  /** Attributes that ONNX stores as floats even where the number is whole. */
  readonly floatAttributes?: readonly string[];
}

const input = (inputs: readonly ValueType[], index: number): ValueType => {
  const value = inputs[index];
  if (!value) throw new Error(`input ${index} is missing`);
  return value;
};

const first = (inputs: readonly ValueType[]): ValueType => input(inputs, 0);

const float = (value: ValueType): ValueType => {
  if (value.type !== 'float32') throw new Error(`expected float32, got ${value.type}`);
  return value;
};

/** Integers that say where; they have no gradient. */
const indices = (value: ValueType): ValueType => {
  if (value.type !== 'int64' && value.type !== 'int32') throw new Error(`indices of type ${value.type}`);
  return value;
};

const sameShape = (a: readonly number[], b: readonly number[]): void => {
  if (a.join() !== b.join()) throw new Error(`[${a}] and [${b}] differ`);
};

/** Without it ONNX overwrites, which has another gradient. */
const onlyAdds = (attributes: Attributes): void => {
  if (attributes.reduction !== 'add') throw new Error('only reduction "add" has a rule');
};

/** Indices along one axis into data of the same rank; elsewhere they may be fewer than the data. */
const elementIndices = (data: ValueType, places: ValueType, attributes: Attributes): readonly number[] => {
  const axis = axisFromStart(integer(attributes, 'axis'), data.shape);
  const { shape } = indices(places);
  const fits = shape.length === data.shape.length && shape.every((size, index) => index === axis || size <= data.shape[index]!);
  if (!fits) throw new Error(`indices [${shape}] do not fit [${data.shape}]`);
  return shape;
};

const broadcast = (inputs: readonly ValueType[]): ValueType => ({
  type: same(input(inputs, 0).type, input(inputs, 1).type),
  shape: broadcastShapes(input(inputs, 0).shape, input(inputs, 1).shape),
});

const compare = (inputs: readonly ValueType[]): ValueType => ({ ...broadcast(inputs), type: 'bool' });

const elementwise = (inputs: readonly ValueType[]): ValueType => ({ type: 'float32', shape: float(first(inputs)).shape });

const reduce = (inputs: readonly ValueType[], attributes: Attributes): ValueType => {
  const value = float(first(inputs));
  const axes = integers(attributes, 'axes').map((axis) => axisFromStart(axis, value.shape));
  if (axes.length === 0) throw new Error('no axes, which ONNX takes for all of them');
  const keep = integer(attributes, 'keepdims') === 1;
  const shape = value.shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]));
  return { type: value.type, shape };
};

/** A reduced value back with its reduced axes as 1, so that it broadcasts against the input. */
const keepAxes = ({ graph, attributes, inputs }: GradientContext, reduced: Value): Value =>
  graph.reshape(reduced, reduce(inputs, { ...attributes, keepdims: 1 }).shape);

/** x over its last axis, with a gain and, where the operator has one, perhaps a bias of that size. */
const normalization = (inputs: readonly ValueType[], attributes: Attributes, mayHaveBias: boolean): ValueType => {
  const { shape } = float(first(inputs));
  number(attributes, 'epsilon');
  if (axisFromStart(integer(attributes, 'axis'), shape) !== shape.length - 1) throw new Error('only the last axis has a rule');
  sameShape(float(input(inputs, 1)).shape, shape.slice(-1));
  if (inputs.length > (mayHaveBias ? 3 : 2)) throw new Error(`${inputs.length} inputs`);
  if (inputs[2]) sameShape(float(inputs[2]).shape, shape.slice(-1));
  return elementwise(inputs);
};

/** 1 / sqrt(meanSquare + epsilon). */
const inverseRoot = (graph: Graph, meanSquare: Value, attributes: Attributes): Value => {
  const shifted = graph.add(meanSquare, graph.scalar(number(attributes, 'epsilon')));
  return graph.apply('Reciprocal', [graph.apply('Sqrt', [shifted])]);
};

/** What several thunks of a rule need, built when the first of them runs. */
const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

const lastAxis = (value: ValueType): number => value.shape.length - 1;

/** Every operator of the table; one that is not listed does not type-check. */
export type OperatorName =
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Neg'
  | 'Identity'
  | 'Sqrt'
  | 'Reciprocal'
  | 'Exp'
  | 'Log'
  | 'Sigmoid'
  | 'Tanh'
  | 'Erf'
  | 'Clip'
  | 'MatMul'
  | 'Gemm'
  | 'Transpose'
  | 'Reshape'
  | 'Expand'
  | 'Concat'
  | 'Slice'
  | 'ReduceSum'
  | 'ReduceMean'
  | 'ReduceLogSumExp'
  | 'Softmax'
  | 'LayerNormalization'
  | 'RMSNormalization'
  | 'RotaryEmbedding'
  | 'Gather'
  | 'ScatterND'
  | 'GatherElements'
  | 'ScatterElements'
  | 'Where'
  | 'Equal'
  | 'Less'
  | 'Cast';

export const operators: Record<OperatorName, Operator> = {
  Add: {
    shape: broadcast,
    gradient: ({ dy }) => [() => dy, () => dy],
  },
  Sub: {
    shape: broadcast,
    gradient: ({ graph, dy }) => [() => dy, () => graph.negate(dy)],
  },
  Mul: {
    shape: broadcast,
    // y = a b:  da = dy b,  db = dy a
    gradient: ({ graph, inputs: [a, b], dy }) => [() => graph.multiply(dy, b!), () => graph.multiply(dy, a!)],
  },
  Div: {
    shape: broadcast,
    // y = a / b:  da = dy / b,  db = -dy y / b
    gradient: ({ graph, inputs: [, b], output, dy }) => [
      () => graph.divide(dy, b!),
      () => graph.negate(graph.divide(graph.multiply(dy, output), b!)),
    ],
  },
  Neg: {
    shape: elementwise,
    gradient: ({ graph, dy }) => [() => graph.negate(dy)],
  },
  Identity: {
    shape: first,
    gradient: ({ dy }) => [() => dy],
  },
  Sqrt: {
    shape: elementwise,
    // dx = dy / (2 y)
    gradient: ({ graph, output, dy }) => [() => graph.divide(graph.scale(dy, 0.5), output)],
  },
  Reciprocal: {
    shape: elementwise,
    // dx = -dy y^2
    gradient: ({ graph, output, dy }) => [() => graph.negate(graph.multiply(dy, graph.multiply(output, output)))],
  },
  Exp: {
    shape: elementwise,
    gradient: ({ graph, output, dy }) => [() => graph.multiply(dy, output)],
  },
  Log: {
    shape: elementwise,
    gradient: ({ graph, inputs: [x], dy }) => [() => graph.divide(dy, x!)],
  },
  Sigmoid: {
    shape: elementwise,
    // dx = dy y (1 - y)
    gradient: ({ graph, output, dy }) => [
      () => graph.multiply(dy, graph.multiply(output, graph.subtract(graph.scalar(1), output))),
    ],
  },
  Tanh: {
    shape: elementwise,
    // dx = dy (1 - y^2)
    gradient: ({ graph, output, dy }) => [
      () => graph.multiply(dy, graph.subtract(graph.scalar(1), graph.multiply(output, output))),
    ],
  },
  Erf: {
    shape: elementwise,
    // dx = dy 2 / sqrt(pi) exp(-x^2)
    gradient: ({ graph, inputs: [x], dy }) => [
      () => {
        const slope = graph.apply('Exp', [graph.negate(graph.multiply(x!, x!))]);
        return graph.multiply(graph.scale(dy, 2 / Math.sqrt(Math.PI)), slope);
      },
    ],
  },
  Clip: {
    shape: (inputs, attributes) => {
      if (number(attributes, 'min') > number(attributes, 'max')) throw new Error('min is above max');
      return elementwise(inputs);
    },
    attributeInputs: ['min', 'max'],
    // dy where y = x (nothing was cut), else 0; torch.clamp passes the gradient at the bounds too
    gradient: ({ graph, inputs: [x], output, dy }) => [
      () => graph.apply('Where', [graph.apply('Equal', [x!, output]), dy, graph.scalar(0)]),
    ],
  },
  MatMul: {
    shape: (inputs) => ({
      type: same(float(first(inputs)).type, input(inputs, 1).type),
      shape: matMulShape(first(inputs).shape, input(inputs, 1).shape),
    }),
    // Y = A B:  dA = dY B',  dB = A' dY
    gradient: ({ graph, inputs: [a, b], dy }) => [
      () => graph.matMul(dy, graph.swapLast(b!)),
      () => graph.matMul(graph.swapLast(a!), dy),
    ],
  },
  Gemm: {
    shape: (inputs, attributes) => {
      const [a, b] = [float(first(inputs)).shape, float(input(inputs, 1)).shape];
      if (a.length !== 2 || b.length !== 2) throw new Error('Gemm needs two matrices');
      const oriented = (shape: readonly number[], flag: string) => (integer(attributes, flag) ? [...shape].reverse() : shape);
      return { type: 'float32', shape: matMulShape(oriented(a, 'transA'), oriented(b, 'transB')) };
    },
    // Y = op(A) op(B):  dA = dY op(B)' or (op(B) dY')' as A asks,  dB likewise; every case is one Gemm
    gradient: ({ graph, inputs: [a, b], attributes, dy }) => {
      const transA = integer(attributes, 'transA') === 1;
      const transB = integer(attributes, 'transB') === 1;
      return [
        () => (transA ? graph.gemm(b!, dy, transB, true) : graph.gemm(dy, b!, false, !transB)),
        () => (transB ? graph.gemm(dy, a!, true, transA) : graph.gemm(a!, dy, !transA, false)),
      ];
    },
  },
  Transpose: {
    shape: (inputs, attributes) => ({
      type: first(inputs).type,
      shape: permuted(first(inputs).shape, integers(attributes, 'perm')),
    }),
    gradient: ({ graph, attributes, dy }) => {
      const perm = integers(attributes, 'perm');
      return [
        () =>
          graph.transpose(
            dy,
            perm.map((_, axis) => perm.indexOf(axis)),
          ),
      ];
    },
  },
  Reshape: {
    attributeInputs: ['shape'],
    shape: (inputs, attributes) => {
      const shape = integers(attributes, 'shape');
      if (elementCount(shape) !== elementCount(first(inputs).shape)) throw new Error(`cannot become [${shape}]`);
      return { type: first(inputs).type, shape };
    },
    gradient: ({ graph, inputs: [x], dy }) => [() => graph.reshape(dy, x!.shape)],
  },
  Expand: {
    attributeInputs: ['shape'],
    shape: (inputs, attributes) => ({
      type: first(inputs).type,
      shape: broadcastShapes(first(inputs).shape, integers(attributes, 'shape')),
    }),
    gradient: ({ dy }) => [() => dy],
  },
  Concat: {
    shape: (inputs, attributes) => {
      const axis = axisFromStart(integer(attributes, 'axis'), first(inputs).shape);
      for (const other of inputs.slice(1)) {
        same(first(inputs).type, other.type);
        if (withAxis(other.shape, axis, 0).join() !== withAxis(first(inputs).shape, axis, 0).join())
          throw new Error('shapes differ');
      }
      const size = inputs.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0);
      return { type: first(inputs).type, shape: withAxis(first(inputs).shape, axis, size) };
    },
    gradient: ({ graph, inputs, attributes, dy }) => {
      const axis = axisFromStart(integer(attributes, 'axis'), inputs[0]!.shape);
      let end = 0;
      return inputs.map((value) => {
        const start = end;
        end += value.shape[axis]!;
        const stop = end;
        return () => graph.slice(dy, axis, start, stop);
      });
    },
  },
  Slice: {
    attributeInputs: ['starts', 'ends', 'axes'],
    shape: (inputs, attributes) => {
      const [[start], [end], [axis, another]] = [
        integers(attributes, 'starts'),
        integers(attributes, 'ends'),
        integers(attributes, 'axes'),
      ];
      if (another !== undefined) throw new Error('more than one axis');
      const size = first(inputs).shape[axis!];
      if (size === undefined || start! < 0 || end! > size || start! >= end!)
        throw new Error(`[${start}, ${end}) of axis ${axis}`);
      return { type: first(inputs).type, shape: withAxis(first(inputs).shape, axis!, end! - start!) };
    },
    // dx is dy with zeros where x was cut away
    gradient: ({ graph, inputs: [x], attributes, dy }) => {
      const axis = integers(attributes, 'axes')[0]!;
      const [start, end] = [integers(attributes, 'starts')[0]!, integers(attributes, 'ends')[0]!];
      const zeros = (size: number) => (size > 0 ? [graph.zeros(withAxis(x!.shape, axis, size))] : []);
      return [() => graph.apply('Concat', [...zeros(start), dy, ...zeros(x!.shape[axis]! - end)], { axis })];
    },
  },
  ReduceSum: {
    attributeInputs: ['axes'],
    shape: reduce,
    gradient: (context) => [
      () => context.graph.apply('Expand', [keepAxes(context, context.dy)], { shape: context.inputs[0]!.shape }),
    ],
  },
  ReduceMean: {
    attributeInputs: ['axes'],
    shape: reduce,
    gradient: (context) => {
      const shape = context.inputs[0]!.shape;
      const count = elementCount(shape) / elementCount(context.output.shape);
      return [() => context.graph.apply('Expand', [context.graph.scale(keepAxes(context, context.dy), 1 / count)], { shape })];
    },
  },
  ReduceLogSumExp: {
    attributeInputs: ['axes'],
    shape: reduce,
    // dx = dy softmax(x) = dy exp(x - y)
    gradient: (context) => [
      () =>
        context.graph.multiply(
          keepAxes(context, context.dy),
          context.graph.apply('Exp', [context.graph.subtract(context.inputs[0]!, keepAxes(context, context.output))]),
        ),
    ],
  },
  Softmax: {
    shape: (inputs, attributes) => {
      axisFromStart(integer(attributes, 'axis'), first(inputs).shape);
      return elementwise(inputs);
    },
    // dx = y (dy - sum(dy y)) along the axis
    gradient: ({ graph, output, attributes, dy }) => [
      () => {
        const axis = integer(attributes, 'axis');
        const weighted = graph.multiply(dy, output);
        return graph.subtract(weighted, graph.multiply(output, graph.reduceSum(weighted, [axis])));
      },
    ],
  },
  LayerNormalization: {
    // inputs: x, gain and, where there is one, bias
    shape: (inputs, attributes) => normalization(inputs, attributes, true),
    floatAttributes: ['epsilon'],
    // c = x - mean x, r = 1 / sqrt(mean c^2 + eps), h = c r, y = h g + b:
    // dg = sum dy h,  db = sum dy,  dx = r (dh - mean dh - h mean(dh h)) with dh = dy g; last axis only
    gradient: ({ graph, inputs, attributes, dy }) => {
      const [x, gain] = inputs as [Value, Value];
      const mean = (value: Value) => graph.reduceMean(value, [lastAxis(x)]);
      const normalized = once(() => {
        const centred = graph.subtract(x, mean(x));
        const r = inverseRoot(graph, mean(graph.multiply(centred, centred)), attributes);
        return { r, h: graph.multiply(centred, r) };
      });
      const rules = [
        () => {
          const { r, h } = normalized();
          const dh = graph.multiply(dy, gain);
          const along = graph.multiply(h, mean(graph.multiply(dh, h)));
          return graph.multiply(r, graph.subtract(graph.subtract(dh, mean(dh)), along));
        },
        () => graph.multiply(dy, normalized().h),
        () => dy,
      ];
      return rules.slice(0, inputs.length);
    },
  },
  RMSNormalization: {
    shape: (inputs, attributes) => normalization(inputs, attributes, false),
    floatAttributes: ['epsilon'],
    // h = x r, r = 1 / sqrt(mean x^2 + eps), y = h g:  dg = sum dy h,  dx = r (dy g - h mean(dy g h)); last axis only
    gradient: ({ graph, inputs: [x, gain], attributes, dy }) => {
      const axis = lastAxis(x!);
      const normalized = once(() => {
        const r = inverseRoot(graph, graph.reduceMean(graph.multiply(x!, x!), [axis]), attributes);
        return { r, h: graph.multiply(x!, r) };
      });
      return [
        () => {
          const { r, h } = normalized();
          const dh = graph.multiply(dy, gain!);
          return graph.multiply(r, graph.subtract(dh, graph.multiply(h, graph.reduceMean(graph.multiply(dh, h), [axis]))));
        },
        () => graph.multiply(dy, normalized().h),
      ];
    },
  },
  RotaryEmbedding: {
    // inputs: x [batch, position, heads * size], cos and sin [positions, size / 2], position ids [batch, position]
    shape: (inputs) => {
      sameShape(float(input(inputs, 1)).shape, float(input(inputs, 2)).shape);
      indices(input(inputs, 3));
      return elementwise(inputs);
    },
    // A rotation's transpose is the rotation by the opposite angle
    gradient: ({ graph, inputs: [, cos, sin, positions], attributes, dy }) => [
      () => graph.apply('RotaryEmbedding', [dy, cos!, graph.negate(sin!), positions!], attributes),
      null,
      null,
      null,
    ],
  },
  Gather: {
    // Rows of the first axis: data [n, ...], indices [m] -> [m, ...]
    shape: (inputs, attributes) => {
      const { type, shape } = first(inputs);
      if (shape.length === 0 || (attributes.axis ?? 0) !== 0) throw new Error('only rows of the first axis have a rule');
      return { type, shape: [...indices(input(inputs, 1)).shape, ...shape.slice(1)] };
    },
    // Rows read twice receive both gradients
    gradient: ({ graph, inputs: [data, places], dy }) => [
      () =>
        graph.apply('ScatterND', [graph.zeros(data!.shape), graph.reshape(places!, [...places!.shape, 1]), dy], {
          reduction: 'add',
        }),
      null,
    ],
  },
  ScatterND: {
    // data [n, ...] + updates [m, ...] at rows indices [m, 1] (reduction add)
    shape: (inputs, attributes) => {
      onlyAdds(attributes);
      const { type, shape } = first(inputs);
      const rows = indices(input(inputs, 1)).shape;
      if (shape.length === 0 || rows.at(-1) !== 1) throw new Error('only whole rows of the first axis have a rule');
      same(type, input(inputs, 2).type);
      sameShape(input(inputs, 2).shape, [...rows.slice(0, -1), ...shape.slice(1)]);
      return { type, shape };
    },
    gradient: ({ graph, inputs: [, places], dy }) => [
      () => dy,
      null,
      () => graph.apply('Gather', [dy, graph.reshape(places!, places!.shape.slice(0, -1))]),
    ],
  },
  GatherElements: {
    shape: (inputs, attributes) => ({
      type: first(inputs).type,
      shape: elementIndices(first(inputs), input(inputs, 1), attributes),
    }),
    gradient: ({ graph, inputs: [data, places], attributes, dy }) => [
      () =>
        graph.apply('ScatterElements', [graph.zeros(data!.shape), places!, dy], {
          axis: integer(attributes, 'axis'),
          reduction: 'add',
        }),
      null,
    ],
  },
  ScatterElements: {
    // reduction add
    shape: (inputs, attributes) => {
      onlyAdds(attributes);
      const { type, shape } = first(inputs);
      same(type, input(inputs, 2).type);
      sameShape(elementIndices(first(inputs), input(inputs, 1), attributes), input(inputs, 2).shape);
      return { type, shape };
    },
    gradient: ({ graph, inputs: [, places], attributes, dy }) => [
      () => dy,
      null,
      () => graph.apply('GatherElements', [dy, places!], { axis: integer(attributes, 'axis') }),
    ],
  },
  Where: {
    shape: (inputs) => {
      same(first(inputs).type, 'bool');
      const chosen = broadcast(inputs.slice(1));
      return { type: chosen.type, shape: broadcastShapes(first(inputs).shape, chosen.shape) };
    },
    gradient: ({ graph, inputs: [condition], dy }) => [
      null,
      () => graph.apply('Where', [condition!, dy, graph.scalar(0)]),
      () => graph.apply('Where', [condition!, graph.scalar(0), dy]),
    ],
  },
  Equal: { shape: compare, gradient: 'none' },
  Less: { shape: compare, gradient: 'none' },
  Cast: {
    shape: (inputs, attributes) => {
      const to = String(attributes.to);
      if (!(to in bytesPerElement)) throw new Error(`there is no type ${to}`);
      return { type: to as ElementType, shape: first(inputs).shape };
    },
    gradient: 'none',
  },
};
