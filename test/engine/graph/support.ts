/**
 * What the graph tests share: numbers that look random but never change, and running a graph in onnxruntime from and to plain numbers.
 * It holds no expectations of its own beyond comparing two lists.
 */
import { expect } from 'vitest';
import type { Graph, Value } from '../../../src-main/engine/graph/graph.ts';
import { encodeOnnx } from '../../../src-main/engine/graph/onnx.ts';
import { Session } from '../../../src-main/engine/runtime/session.ts';
import { type ElementType, elementCount, type Tensor } from '../../../src-main/engine/tensor.ts';
import { HopscopeError } from '../../../src-main/shared/errors.ts';

/** Uniform numbers in [low, high), rounded to float32, the same for the same seed. */
export function uniform(seed: number, length: number, low = -1, high = 1): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.fround(low + (high - low) * (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32));
  });
}

export function tensor(type: ElementType, shape: readonly number[], numbers: readonly number[]): Tensor {
  if (numbers.length !== elementCount(shape)) throw new Error(`${numbers.length} numbers for [${shape}]`);
  switch (type) {
    case 'float32':
      return { type, shape, data: Float32Array.from(numbers) };
    case 'int64':
      return { type, shape, data: BigInt64Array.from(numbers, BigInt) };
    case 'int32':
      return { type, shape, data: Int32Array.from(numbers) };
    case 'uint8':
    case 'bool':
      return { type, shape, data: Uint8Array.from(numbers) };
    default:
      return { type, shape, data: Uint16Array.from(numbers) };
  }
}

/** All results of a graph, computed in onnxruntime on one thread. */
export async function run(graph: Graph, feeds: ReadonlyMap<Value, readonly number[]>): Promise<Record<string, number[]>> {
  const session = await Session.create(encodeOnnx(graph), { device: 'cpu', threads: 1, name: graph.name });
  try {
    const inputs = Object.fromEntries(
      graph.inputs.map((value) => [value.name, tensor(value.type, value.shape, feeds.get(value)!)]),
    );
    const results = Object.fromEntries(
      [...graph.outputs].map(([name, { type, shape }]) => [name, tensor(type, shape, Array(elementCount(shape)).fill(77))]),
    );
    session.run(inputs, results);
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]));
  } finally {
    session.release();
  }
}

/** Equal within `tolerance` of the largest expected number (or of 1, where that is smaller). */
export function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number, what: string): void {
  expect(actual.length, what).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  let worst = 0;
  actual.forEach((value, i) => {
    const difference = Math.abs(value - expected[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  });
  expect(worst / scale, `${what}: got ${actual}, expected ${expected}`).toBeLessThanOrEqual(tolerance);
}

/** `action` throws a HopscopeError with this code whose message says all of `words`. */
export function expectCode(code: string, words: string | readonly string[], action: () => unknown): void {
  let error: unknown;
  try {
    action();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(HopscopeError);
  expect((error as HopscopeError).code).toBe(code);
  for (const word of [words].flat()) expect((error as HopscopeError).message).toContain(word);
}
