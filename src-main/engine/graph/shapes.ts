/**
 * Arithmetic on shapes and attributes that the operator table's rules share: broadcasting, matrix products, permutations.
 * It knows no operators and builds no nodes.
 */
import type { Attributes } from './graph.ts';

/** NumPy broadcasting of two shapes. Throws where sizes clash. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const sizeA = a[axis - rank + a.length] ?? 1;
    const sizeB = b[axis - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/** Shape of A B with batch axes broadcast; both at least matrices. */
export function matMulShape(a: readonly number[], b: readonly number[]): number[] {
  if (a.length < 2 || b.length < 2) throw new Error('a matrix product needs at least two axes');
  const [rows, inner] = a.slice(-2);
  const [innerB, columns] = b.slice(-2);
  if (inner !== innerB) throw new Error(`inner sizes ${inner} and ${innerB} differ`);
  return [...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), rows!, columns!];
}

export function permuted(shape: readonly number[], perm: readonly number[]): number[] {
  if ([...perm].sort((x, y) => x - y).join() !== [...shape.keys()].join())
    throw new Error(`[${perm}] is no permutation of the axes`);
  return perm.map((axis) => shape[axis]!);
}

/** The shape with one axis's size replaced. */
export function withAxis(shape: readonly number[], axis: number, size: number): number[] {
  return shape.map((old, index) => (index === axis ? size : old));
}

export function same<T>(a: T, b: T): T {
  if (a !== b) throw new Error(`${a} and ${b} differ`);
  return a;
}

export function number(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== 'number') throw new Error(`attribute ${name} is missing`);
  return value;
}

export function integer(attributes: Attributes, name: string): number {
  const value = number(attributes, name);
  if (!Number.isInteger(value)) throw new Error(`attribute ${name} is ${value}, not an integer`);
  return value;
}

/** Axis counted from 0; ONNX counts negative ones from the end. Throws outside the rank. */
export function axisFromStart(axis: number, shape: readonly number[]): number {
  const counted = axis < 0 ? axis + shape.length : axis;
  if (counted < 0 || counted >= shape.length) throw new Error(`axis ${axis} is outside [${shape}]`);
  return counted;
}

export function integers(attributes: Attributes, name: string): readonly number[] {
  const value = attributes[name];
  if (!Array.isArray(value)) throw new Error(`attribute ${name} is missing`);
  return value as readonly number[];
}
