/**
 * What the shape rules refuse while a graph is built: inputs that do not fit, and attributes for which the gradient would not hold.
 * That accepted shapes are the runtime's is proved in ops.test.ts by running them.
 */
import { expect, test } from 'vitest';
import { type Attributes, Graph } from '../../../src-main/engine/graph/graph.ts';
import { type OperatorName, operators } from '../../../src-main/engine/graph/ops.ts';
import type { ElementType } from '../../../src-main/engine/tensor.ts';
import { expectCode } from './support.ts';

type Input = readonly [ElementType, readonly number[]];
type Refusal = readonly [reason: string, inputs: readonly Input[], attributes?: Attributes];

const f = (...shape: number[]): Input => ['float32', shape];
const i = (...shape: number[]): Input => ['int64', shape];

const clash: Refusal[] = [
  ['do not broadcast', [f(2, 3), f(2)]],
  ['differ', [f(2), i(2)]],
  ['missing', [f(2)]],
];
const notFloat: Refusal[] = [['expected float32', [i(2)]]];
const reduction: Refusal[] = [
  ['outside', [f(2, 3)], { axes: [2], keepdims: 1 }],
  ['no axes', [f(2, 3)], { axes: [], keepdims: 1 }],
  ['keepdims is missing', [f(2, 3)], { axes: [1] }],
  ['expected float32', [i(2)], { axes: [0], keepdims: 1 }],
];

const refusals: Record<OperatorName, Refusal[]> = {
  Add: clash,
  Sub: clash,
  Mul: clash,
  Div: clash,
  Neg: notFloat,
  Identity: [['missing', []]],
  Sqrt: notFloat,
  Reciprocal: notFloat,
  Exp: notFloat,
  Log: notFloat,
  Sigmoid: notFloat,
  Tanh: notFloat,
  Erf: notFloat,
  Clip: [
    ['max is missing', [f(2)], { min: 0 }],
    ['min is above max', [f(2)], { min: 1, max: 0 }],
  ],
  MatMul: [
    ['inner sizes 3 and 4', [f(2, 3), f(4, 5)]],
    ['at least two axes', [f(3), f(3, 2)]],
    ['do not broadcast', [f(2, 2, 3), f(4, 3, 2)]],
  ],
  Gemm: [
    ['inner sizes 3 and 4', [f(2, 3), f(4, 5)], { transA: 0, transB: 0 }],
    ['inner sizes 3 and 5', [f(2, 3), f(3, 5)], { transA: 0, transB: 1 }],
    ['two matrices', [f(1, 2, 3), f(3, 5)], { transA: 0, transB: 0 }],
  ],
  Transpose: [['no permutation', [f(2, 3)], { perm: [0, 0] }]],
  Reshape: [['cannot become', [f(2, 3)], { shape: [4] }]],
  Expand: [['do not broadcast', [f(2, 3)], { shape: [2, 4] }]],
  Concat: [
    ['shapes differ', [f(2, 3), f(3, 3)], { axis: 1 }],
    ['outside', [f(2, 3), f(2, 3)], { axis: 2 }],
    ['differ', [f(2), i(2)], { axis: 0 }],
  ],
  Slice: [
    ['[0, 3) of axis 0', [f(2)], { starts: [0], ends: [3], axes: [0] }],
    ['[1, 1) of axis 0', [f(2)], { starts: [1], ends: [1], axes: [0] }],
    ['of axis 4', [f(2)], { starts: [0], ends: [1], axes: [4] }],
    ['more than one axis', [f(2, 2)], { starts: [0, 0], ends: [1, 1], axes: [0, 1] }],
  ],
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceLogSumExp: reduction,
  Softmax: [
    ['axis is missing', [f(2, 3)]],
    ['outside', [f(2, 3)], { axis: 2 }],
  ],
  LayerNormalization: [
    ['only the last axis', [f(3, 3), f(3)], { axis: 0, epsilon: 1e-5 }],
    ['epsilon is missing', [f(3, 3), f(3)], { axis: -1 }],
    ['differ', [f(3, 4), f(4), f(3)], { axis: -1, epsilon: 1e-5 }],
    ['4 inputs', [f(3), f(3), f(3), f(3)], { axis: -1, epsilon: 1e-5 }],
  ],
  RMSNormalization: [
    ['3 inputs', [f(3, 4), f(4), f(4)], { axis: -1, epsilon: 1e-5 }],
    ['only the last axis', [f(3, 3), f(3)], { axis: 0, epsilon: 1e-5 }],
    ['epsilon is missing', [f(3, 3), f(3)], { axis: -1 }],
    ['differ', [f(3, 4), f(3)], { axis: -1, epsilon: 1e-5 }],
  ],
  RotaryEmbedding: [
    ['differ', [f(1, 2, 4), f(2, 2), f(3, 2), i(1, 2)], { num_heads: 1 }],
    ['indices of type float32', [f(1, 2, 4), f(2, 2), f(2, 2), f(1, 2)], { num_heads: 1 }],
  ],
  Gather: [
    ['indices of type float32', [f(3, 2), f(2)]],
    ['only rows of the first axis', [f(3, 2), i(2)], { axis: 1 }],
    ['only rows of the first axis', [f(), i(2)]],
  ],
  ScatterND: [
    ['only reduction "add"', [f(3, 2), i(1, 1), f(1, 2)]],
    ['only whole rows', [f(3, 2), i(1, 2), f(1)], { reduction: 'add' }],
    ['differ', [f(3, 2), i(1, 1), f(2, 2)], { reduction: 'add' }],
  ],
  GatherElements: [
    ['do not fit', [f(3, 2), i(2)], { axis: 0 }],
    ['do not fit', [f(3, 2), i(3, 3)], { axis: 0 }],
    ['outside', [f(3, 2), i(3, 2)], { axis: 2 }],
  ],
  ScatterElements: [
    ['only reduction "add"', [f(3, 2), i(1, 1), f(1, 1)], { axis: 0 }],
    ['differ', [f(3, 2), i(1, 1), f(1, 2)], { axis: 0, reduction: 'add' }],
    ['do not fit', [f(3, 2), i(1), f(1)], { axis: 0, reduction: 'add' }],
  ],
  Where: [
    ['float32 and bool differ', [f(2), f(2), f(2)]],
    ['do not broadcast', [['bool', [3]], f(2), f(2)]],
  ],
  Equal: clash,
  Less: clash,
  Cast: [
    ['missing', [], { to: 'float32' }],
    ['no type double', [f(2)], { to: 'double' }],
  ],
};

test.each(Object.keys(operators) as OperatorName[])('%s refuses what does not fit, by name and with shapes', (op) => {
  expect(refusals[op].length).toBeGreaterThan(0);
  for (const [reason, inputs, attributes = {}] of refusals[op]) {
    const graph = new Graph('refusing');
    const values = inputs.map(([type, shape], index) => graph.input(`x${index}`, shape, type));
    const shapes = inputs.map(([type, shape]) => `${type}[${shape.join(',')}]`).join(', ');
    expectCode('BadGraph', [`${op}(${shapes})`, 'refusing', reason], () => graph.apply(op, values, attributes));
    expect(graph.nodes).toEqual([]);
  }
});
