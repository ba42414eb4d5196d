/**
 * Opens the golden models and values for parity tests, and compares tensors by name with the largest difference in the message.
 * It holds no expectations of its own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ExecutionMode, Executor } from '../../src-main/engine/execution/executor.ts';
import type { ModelOutline } from '../../src-main/engine/execution/programs.ts';
import { openCheckpoint } from '../../src-main/engine/files/checkpoint.ts';
import { SafetensorsFile } from '../../src-main/engine/files/safetensors.ts';
import { outlineOf } from '../../src-main/engine/models/model.ts';
import { elementCount, type FloatTensor, floatTensor } from '../../src-main/engine/tensor.ts';

const fixtures = join(import.meta.dirname, '../fixtures');

export const fixturePath = (...parts: string[]): string => join(fixtures, ...parts);

export function readFixture<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(fixturePath(...parts), 'utf8')) as T;
}

export function readTensors(...parts: string[]): Map<string, FloatTensor> {
  const file = SafetensorsFile.open(fixturePath(...parts));
  const tensors = new Map(
    [...file.tensors.keys()].flatMap((name) => {
      const tensor = file.read(name);
      return tensor.type === 'float32' ? [[name, tensor as FloatTensor] as const] : [];
    }),
  );
  file.close();
  return tensors;
}

export interface FixtureModel {
  outline: ModelOutline;
  weights: Map<string, FloatTensor>;
  executor(mode: ExecutionMode): Executor;
}

export function openFixtureModel(id: string): FixtureModel {
  const checkpoint = openCheckpoint(fixturePath('models', id));
  const outline = outlineOf(checkpoint);
  const weights = new Map(
    outline.parameters.all.map(({ name, shape }) => {
      const tensor = floatTensor(shape, new Float32Array(elementCount(shape)));
      checkpoint.readFloat32Into(name, tensor.data);
      return [name, tensor] as const;
    }),
  );
  checkpoint.close();
  return { outline, weights, executor: (mode) => new Executor(outline, { device: 'cpu', threads: 1, mode }) };
}

/** Largest absolute difference, and how many elements differ by more than `threshold`. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>, threshold = 0) {
  let largest = 0;
  let largestValue = 0;
  let above = 0;
  for (let index = 0; index < expected.length; index++) {
    const gap = Math.abs(actual[index]! - expected[index]!);
    if (!(gap <= largest)) largest = gap;
    if (gap > threshold) above++;
    largestValue = Math.max(largestValue, Math.abs(expected[index]!));
  }
  return { largest, largestValue, above };
}

/** Every element within `absolute + relative * largest expected value`. */
export function expectClose(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  absolute: number,
  relative: number,
): void {
  expect(actual.length, `${name}: number of elements`).toBe(expected.length);
  const { largest, largestValue } = difference(actual, expected);
  expect(largest, `${name}: largest difference (largest value ${largestValue})`).toBeLessThanOrEqual(
    absolute + relative * largestValue,
  );
}
