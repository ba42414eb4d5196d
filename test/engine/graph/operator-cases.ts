/**
 * Inputs on which every operator is tried: forward against the float64 reference, gradients against finite differences of it.
 * It is data only; ops.test.ts says what must hold. Float inputs without values are random and kept away from kinks and poles.
 */
import type { Attributes } from '../../../src-main/engine/graph/graph.ts';
import type { OperatorName } from '../../../src-main/engine/graph/ops.ts';
import type { ElementType } from '../../../src-main/engine/tensor.ts';

export interface CaseInput {
  shape: readonly number[];
  type: ElementType;
  values?: readonly number[];
  low: number;
  high: number;
}

export interface OperatorCase {
  inputs: readonly CaseInput[];
  attributes: Attributes;
  /** Replaces the reference where numbers stand for bit patterns. */
  expected?: readonly number[];
  /** Of the gradients, where float32 cannot do better; default 2e-6. */
  tolerance?: number;
}

const floats = (shape: readonly number[], low = -2, high = 2): CaseInput => ({ shape, type: 'float32', low, high });
const given = (type: ElementType, shape: readonly number[], values: readonly number[]): CaseInput => ({
  shape,
  type,
  values,
  low: 0,
  high: 0,
});
const integers = (shape: readonly number[], values: readonly number[]): CaseInput => given('int64', shape, values);
const truths = (shape: readonly number[], values: readonly number[]): CaseInput => given('bool', shape, values);
const row = (inputs: readonly CaseInput[], attributes: Attributes = {}): OperatorCase => ({ inputs, attributes });

type Shapes = readonly (readonly number[])[];

/** Every way in which two shapes can meet. */
const broadcastPairs: Shapes[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [[2, 3], []],
  [[], [2, 3]],
  [
    [1, 3],
    [2, 1],
  ],
  [
    [2, 1, 4],
    [3, 1],
  ],
  [
    [2, 3, 4],
    [1, 3, 1],
  ],
  [[1], [1, 1]],
  [[], []],
]; // prettier-ignore

const elementwiseShapes: Shapes = [[2, 3], [], [4]];

const elementwise = (low = -2, high = 2): OperatorCase[] => elementwiseShapes.map((shape) => row([floats(shape, low, high)]));

const pairs = (low = -2, high = 2): OperatorCase[] => broadcastPairs.map(([a, b]) => row([floats(a!), floats(b!, low, high)]));

const reductions = (low = -2, high = 2): OperatorCase[] =>
  [[0], [1], [2], [-1], [0, 2], [1, 2], [-3, -1], [0, 1, 2]].flatMap((axes) =>
    [0, 1].map((keepdims) => row([floats([2, 3, 4], low, high)], { axes, keepdims })),
  );

const transposed = (flag: number, rows: number, columns: number): number[] => (flag ? [columns, rows] : [rows, columns]);

const rotation = (x: readonly number[], positions: CaseInput, half: number, attributes: Attributes): OperatorCase =>
  row([floats(x), floats([5, half]), floats([5, half]), positions], attributes);

const condition = truths([2, 3], [1, 0, 0, 1, 1, 0]);

/** Typed by the operators' names, and ops.test.ts demands at least one row for each. */
export const operatorCases: Record<OperatorName, OperatorCase[]> = {
  Add: [...pairs(), { ...row([integers([2, 2], [1, 2, 3, 4]), integers([2], [10, -20])]), expected: [11, -18, 13, -16] }],
  Sub: pairs(),
  Mul: pairs(),
  Div: [...pairs(0.5, 2), ...pairs(-2, -0.5)],
  Neg: elementwise(),
  Identity: [...elementwise(), row([integers([3], [4, -5, 6])])],
  Sqrt: elementwise(0.5, 3),
  Reciprocal: [...elementwise(0.5, 2), ...elementwise(-2, -0.5)],
  Exp: elementwise(),
  Log: elementwise(0.3, 3),
  Sigmoid: [...elementwise(), row([given('float32', [4], [-90, -15, 15, 90])])],
  Tanh: [...elementwise(), row([given('float32', [4], [-40, -8, 8, 40])])],
  Erf: [...elementwise(), row([given('float32', [6], [-9, -3, -0.001, 0, 0.001, 5])])],
  Clip: [
    row([given('float32', [2, 4], [-7, -1.5, -0.9, -0.1, 0.2, 0.7, 1.2, 9])], { min: -1, max: 1 }),
    row([given('float32', [3], [-3, 0.25, 5])], { min: 0, max: 2 }),
  ],
  MatMul: (
    [
      [
        [2, 3],
        [3, 4],
      ],
      [
        [1, 3],
        [3, 1],
      ],
      [
        [5, 2, 3],
        [5, 3, 4],
      ],
      [
        [5, 2, 3],
        [3, 4],
      ],
      [
        [2, 3],
        [5, 3, 4],
      ],
      [
        [2, 1, 2, 3],
        [4, 3, 2],
      ],
      [
        [1, 2, 3],
        [4, 3, 2],
      ],
    ] as Shapes[]
  ).map(([a, b]) => row([floats(a!), floats(b!)])), // prettier-ignore
  Gemm: [0, 1].flatMap((transA) =>
    [0, 1].map((transB) => row([floats(transposed(transA, 2, 3)), floats(transposed(transB, 3, 4))], { transA, transB })),
  ),
  Transpose: [
    ...[
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ].map((perm) => row([floats([2, 3, 4])], { perm })),
    row([floats([2, 3, 2, 2, 1])], { perm: [0, 2, 3, 1, 4] }),
    row([integers([2, 3], [1, 2, 3, 4, 5, 6])], { perm: [1, 0] }),
  ], // prettier-ignore
  Reshape: [
    row([floats([2, 6])], { shape: [3, 4] }),
    row([floats([2, 3])], { shape: [6] }),
    row([floats([])], { shape: [1, 1] }),
    row([floats([1])], { shape: [] }),
    row([integers([4], [1, 2, 3, 4])], { shape: [2, 2] }),
  ],
  Expand: [
    row([floats([3])], { shape: [2, 3] }),
    row([floats([2, 1])], { shape: [2, 3] }),
    row([floats([])], { shape: [2, 2] }),
    row([floats([2, 3])], { shape: [3] }),
    row([floats([1, 3])], { shape: [2, 1] }),
    row([floats([2, 1, 3])], { shape: [2, 4, 3] }),
  ],
  Concat: [
    row([floats([2, 3]), floats([4, 3])], { axis: 0 }),
    row([floats([2, 1]), floats([2, 3]), floats([2, 2])], { axis: 1 }),
    row([floats([2, 3, 1]), floats([2, 3, 2])], { axis: 2 }),
    row([floats([3])], { axis: 0 }),
  ],
  Slice: [
    ...[0, 1, 2].flatMap((axis) =>
      [
        [0, 2],
        [1, 3],
        [3, 4],
        [0, 4],
      ].map(([start, end]) => row([floats([4, 4, 4])], { starts: [start!], ends: [end!], axes: [axis] })),
    ),
    row([integers([4], [1, 2, 3, 4])], { starts: [1], ends: [3], axes: [0] }),
  ], // prettier-ignore
  ReduceSum: reductions(),
  ReduceMean: reductions(),
  ReduceLogSumExp: [
    ...reductions(),
    // y is about 901 with a rounding error of 3e-5, which exp(x - y) turns into a relative one
    { ...row([given('float32', [2, 3], [900, 901, 899, -900, -901, -899])], { axes: [1], keepdims: 1 }), tolerance: 3e-5 },
  ],
  Softmax: [
    ...[0, 1, 2, -1].map((axis) => row([floats([2, 3, 4])], { axis })),
    row([given('float32', [2, 3], [0.5, -60_000, 0.25, 900, 901, -60_000])], { axis: 1 }),
  ],
  LayerNormalization: [
    row([floats([4, 6]), floats([6]), floats([6])], { axis: -1, epsilon: 1e-5 }),
    row([floats([4, 6]), floats([6])], { axis: -1, epsilon: 1e-5 }),
    row([floats([2, 3, 4]), floats([4]), floats([4])], { axis: 2, epsilon: 0.5 }),
    row([floats([1, 5], -0.01, 0.01), floats([5])], { axis: -1, epsilon: 1 }),
  ],
  RMSNormalization: [
    row([floats([4, 6]), floats([6])], { axis: -1, epsilon: 1e-5 }),
    row([floats([2, 3, 4]), floats([4])], { axis: 2, epsilon: 0.5 }),
    row([floats([1, 5], -0.01, 0.01), floats([5])], { axis: -1, epsilon: 1 }),
  ],
  RotaryEmbedding: [
    rotation([2, 3, 8], integers([2, 3], [0, 1, 2, 4, 4, 0]), 2, { num_heads: 2 }),
    rotation([2, 2, 12], integers([2, 2], [0, 1, 3, 2]), 1, { num_heads: 6 }),
    rotation([1, 3, 8], integers([1, 3], [2, 3, 4]), 4, { num_heads: 1 }),
    rotation([2, 3, 8], integers([2, 3], [0, 1, 2, 3, 4, 4]), 2, { num_heads: 2, interleaved: 1 }),
    rotation([2, 2, 3, 4], integers([2, 3], [0, 1, 2, 4, 4, 0]), 2, {}),
    rotation([1, 2, 12], integers([1, 2], [1, 3]), 2, { num_heads: 2, rotary_embedding_dim: 4 }),
  ],
  Gather: [
    row([floats([4, 3]), integers([6], [0, 2, 2, 3, 2, 0])]),
    row([floats([4, 3]), integers([2, 2], [1, 1, 3, 0])]),
    row([floats([3, 2, 2]), integers([2], [2, 2])]),
    row([floats([5]), integers([3], [4, 4, 1])]),
    row([floats([4, 3]), integers([], [2])]),
    row([floats([4, 3]), integers([3], [-1, 0, -1])]),
    row([integers([3], [7, 8, 9]), integers([2], [2, 0])]),
  ],
  ScatterND: [
    row([floats([4, 3]), integers([5, 1], [0, 2, 2, 3, 2]), floats([5, 3])], { reduction: 'add' }),
    row([floats([4]), integers([3, 1], [1, 1, 0]), floats([3])], { reduction: 'add' }),
    row([floats([3, 2, 2]), integers([2, 2, 1], [0, 1, 1, 1]), floats([2, 2, 2, 2])], { reduction: 'add' }),
  ],
  GatherElements: [
    row([floats([3, 4]), integers([3, 2], [0, 0, 3, 1, 2, 2])], { axis: 1 }),
    row([floats([3, 4]), integers([2, 4], [0, 1, 2, 2, 0, 1, 2, 1])], { axis: 0 }),
    row([floats([3, 4]), integers([2, 1], [3, -1])], { axis: 1 }),
    row([floats([5]), integers([4], [4, 4, 0, 4])], { axis: 0 }),
  ],
  ScatterElements: [
    row([floats([3, 4]), integers([3, 2], [0, 0, 3, 1, 2, 2]), floats([3, 2])], { axis: 1, reduction: 'add' }),
    row([floats([3, 4]), integers([2, 4], [0, 1, 2, 2, 0, 1, 2, 1]), floats([2, 4])], { axis: 0, reduction: 'add' }),
    row([floats([5]), integers([3], [1, 1, 1]), floats([3])], { axis: 0, reduction: 'add' }),
  ],
  Where: [
    row([condition, floats([2, 3]), floats([2, 3])]),
    row([condition, floats([]), floats([2, 3])]),
    row([condition, floats([2, 3]), floats([])]),
    row([condition, floats([]), floats([])]),
    row([truths([3], [1, 0, 1]), floats([2, 1]), floats([1, 3])]),
    row([truths([], [0]), floats([2]), floats([2])]),
    row([condition, integers([], [5]), integers([3], [1, 2, 3])]),
  ],
  Equal: [
    row([given('float32', [2, 3], [1, 2, 3, 1.5, 2, -0]), given('float32', [3], [1.5, 2, 0])]),
    row([integers([4], [1, 2, 3, -1]), integers([], [3])]),
    row([given('int32', [2], [4, 5]), given('int32', [2], [4, 6])]),
  ],
  Less: [
    row([given('float32', [2, 3], [1, 2, 3, -1, 0, 1]), given('float32', [3], [1, 2.5, 0])]),
    row([integers([2, 1], [1, 3]), integers([1, 3], [1, 2, 4])]),
  ],
  Cast: [
    row([truths([3], [1, 0, 1])], { to: 'float32' }),
    row([given('float32', [4], [-1.75, -0.5, 0.99, 3])], { to: 'int64' }),
    row([integers([3], [-3, 0, 16_777_217])], { to: 'float32' }),
    row([given('float32', [3], [0, -2.5, 1])], { to: 'bool' }),
    row([integers([2], [5, -6])], { to: 'int32' }),
    {
      ...row([given('float16', [5], [0x3c00, 0xc100, 0x0001, 0x7bff, 0x0000])], { to: 'float32' }),
      expected: [1, -2.5, 2 ** -24, 65_504, 0],
    },
    { ...row([given('float32', [4], [1, -2.5, 65_504, 1.0006])], { to: 'float16' }), expected: [0x3c00, 0xc100, 0x7bff, 0x3c01] },
  ],
};
