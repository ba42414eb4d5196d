/**
 * A graph of ONNX operators over values with static shapes, built node by node, each checked against the operator table as it is added.
 * It is symbolic only: it knows no runtime, holds no weights (those are inputs) and no large data beyond small constants.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { type ElementType, elementCount, type Tensor } from '../tensor.ts';
import { type OperatorName, operators } from './ops.ts';

export type AttributeValue = number | string | readonly number[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Type and shape of a value; all that shape rules see. */
export interface ValueType {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** One edge of the graph. `node` is what computes it; inputs and constants have none. */
export interface Value extends ValueType {
  readonly name: string;
  readonly node: Node | null;
}

export interface Node {
  readonly op: OperatorName;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

export class Graph {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly nodes: Node[] = [];
  readonly constants = new Map<Value, Tensor>();
  /** Results by the name under which a session returns them, in order. */
  readonly outputs = new Map<string, Value>();
  /** Values an observer may ask for, by canonical name such as `layers.0.attn.z`. */
  readonly labels = new Map<string, Value>();
  readonly #scalars = new Map<number, Value>();
  #count = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** A value fed at run time: activations, token positions, weights. */
  input(name: string, shape: readonly number[], type: ElementType = 'float32'): Value {
    const value: Value = { name, type, shape, node: null };
    this.inputs.push(value);
    return value;
  }

  /** A small fixed tensor stored in the graph (masks, rotary tables, indices); weights must be inputs. */
  constant(tensor: Tensor): Value {
    const value: Value = { name: `c${this.#count++}`, type: tensor.type, shape: tensor.shape, node: null };
    this.constants.set(value, tensor);
    return value;
  }

  /** A float32 scalar, made once per number. */
  scalar(number: number): Value {
    let value = this.#scalars.get(number);
    if (!value) {
      value = this.constant({ type: 'float32', shape: [], data: Float32Array.of(number) });
      this.#scalars.set(number, value);
    }
    return value;
  }

  /** Adds a node. Errors: `BadGraph` when the operator's shape rule refuses the inputs. */
  apply(op: OperatorName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    let inferred: ValueType;
    try {
      inferred = operators[op].shape(inputs, attributes);
    } catch (error) {
      const shapes = inputs.map((input) => `${input.type}[${input.shape.join(',')}]`).join(', ');
      throw new HopscopeError(
        'BadGraph',
        `${op}(${shapes}) ${JSON.stringify(attributes)} in graph ${this.name}: ${(error as Error).message}`,
        'failure',
      );
    }
    const outputs: Value[] = [];
    const node: Node = { op, inputs, attributes, outputs };
    const output: Value = { name: `v${this.#count++}`, type: inferred.type, shape: inferred.shape, node };
    outputs.push(output);
    this.nodes.push(node);
    return output;
  }

  /** Names a value for observers and returns it. */
  label(name: string, value: Value): Value {
    this.labels.set(name, value);
    return value;
  }

  /** Makes a value a result of the graph. */
  output(name: string, value: Value): void {
    this.outputs.set(name, value);
  }

  add(a: Value, b: Value): Value {
    return this.apply('Add', [a, b]);
  }
  subtract(a: Value, b: Value): Value {
    return this.apply('Sub', [a, b]);
  }
  multiply(a: Value, b: Value): Value {
    return this.apply('Mul', [a, b]);
  }
  divide(a: Value, b: Value): Value {
    return this.apply('Div', [a, b]);
  }
  scale(a: Value, factor: number): Value {
    return factor === 1 ? a : this.multiply(a, this.scalar(factor));
  }
  negate(a: Value): Value {
    return this.apply('Neg', [a]);
  }
  matMul(a: Value, b: Value): Value {
    return this.apply('MatMul', [a, b]);
  }
  /** A B of two matrices, either one transposed first. */
  gemm(a: Value, b: Value, transA = false, transB = false): Value {
    return this.apply('Gemm', [a, b], { transA: Number(transA), transB: Number(transB) });
  }
  transpose(a: Value, perm: readonly number[]): Value {
    return perm.every((axis, index) => axis === index) ? a : this.apply('Transpose', [a], { perm });
  }
  /** Swaps the last two axes. */
  swapLast(a: Value): Value {
    const rank = a.shape.length;
    return this.transpose(a, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
  }
  reshape(a: Value, shape: readonly number[]): Value {
    const same = a.shape.length === shape.length && a.shape.every((size, axis) => size === shape[axis]);
    return same ? a : this.apply('Reshape', [a], { shape });
  }
  reduceSum(a: Value, axes: readonly number[], keep = true): Value {
    return this.apply('ReduceSum', [a], { axes, keepdims: Number(keep) });
  }
  reduceMean(a: Value, axes: readonly number[]): Value {
    return this.apply('ReduceMean', [a], { axes, keepdims: 1 });
  }
  slice(a: Value, axis: number, start: number, end: number): Value {
    return this.apply('Slice', [a], { starts: [start], ends: [end], axes: [axis] });
  }
  zeros(shape: readonly number[]): Value {
    return this.apply('Expand', [this.scalar(0)], { shape });
  }
  /** Sums `a` over the axes along which `shape` was broadcast to `a`'s shape, and returns it in `shape`. */
  sumTo(a: Value, shape: readonly number[]): Value {
    const extra = a.shape.length - shape.length;
    const axes = a.shape.flatMap((size, axis) => (axis < extra || (shape[axis - extra] === 1 && size !== 1) ? [axis] : []));
    const summed = axes.length === 0 ? a : this.reduceSum(a, axes);
    return this.reshape(summed, shape);
  }
  /** Total number of constants' elements, to keep graphs small. */
  constantElements(): number {
    let total = 0;
    for (const tensor of this.constants.values()) total += elementCount(tensor.shape);
    return total;
  }
}
