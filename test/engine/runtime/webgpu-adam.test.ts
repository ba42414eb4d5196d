/** Adam on the device against the kernels, in place, with decay, scale and rows. */
import { expect, test } from 'vitest';
import type { AdamStep } from '../../../src-main/engine/kernels/kernels.ts';
import { DeviceAdam } from '../../../src-main/engine/runtime/device-adam.ts';
import { DeviceMemory } from '../../../src-main/engine/runtime/device-memory.ts';
import { Arena } from '../../../src-main/engine/runtime/memory.ts';
import { elementCount, floatTensor } from '../../../src-main/engine/tensor.ts';
import { wave } from './programs.ts';
import { describeWebGpu } from './webgpu-here.ts';

function stepOf(step: number, decay: number, gradientScale: number): AdamStep {
  const [beta1, beta2] = [0.9, 0.999];
  return {
    learningRate: 1e-3,
    beta1,
    beta2,
    epsilon: 1e-8,
    correction1: 1 - beta1 ** step,
    correction2: 1 - beta2 ** step,
    decay,
    gradientScale,
  };
}

const gradientOf = (shape: readonly number[], step: number) => wave(shape, 0.37 + step * 0.11);

/** Weights after three steps of the kernels. */
function byKernels(shape: readonly number[], decay: number, scale: number): Float32Array {
  const arena = new Arena(elementCount(shape) * 16 + 4096);
  const [weight, m, v, gradient] = [0, 1, 2, 3].map(() => arena.floats(elementCount(shape)));
  weight!.set(wave(shape, 0.9).data);
  for (let step = 1; step <= 3; step++) {
    gradient!.set(gradientOf(shape, step).data);
    const [w, first, second, g] = [weight, m, v, gradient].map((view) => arena.address(view!));
    arena.kernels.adam(w!, first!, second!, g!, elementCount(shape), stepOf(step, decay, scale));
  }
  return weight!;
}

const largestGap = (left: Float32Array, right: Float32Array) =>
  left.reduce((largest, value, index) => Math.max(largest, Math.abs(value - right[index]!)), 0);

describeWebGpu('Adam on the device', () => {
  test.each([
    [[7, 33], 0, 1],
    [[129], 0.1, 0.25],
    [[2, 3, 5], 0, 1],
  ])('%j with decay %d and scale %d', async (shape, decay, scale) => {
    const memory = await DeviceMemory.of('webgpu');
    const adam = new DeviceAdam(memory);
    const state = {
      weight: memory.upload(wave(shape, 0.9)),
      m: memory.allocate('float32', shape),
      v: memory.allocate('float32', shape),
    };
    const gradient = memory.allocate('float32', shape);
    const allocated = memory.allocated;
    for (let step = 1; step <= 3; step++) {
      memory.write(gradientOf(shape, step), gradient);
      adam.begin(stepOf(step, decay, scale));
      await adam.update(state, gradient);
    }
    expect(memory.allocated).toBe(allocated);
    const weight = floatTensor(shape);
    memory.read(state.weight, weight);
    const expected = byKernels(shape, decay, scale);
    expect(largestGap(weight.data, wave(shape, 0.9).data)).toBeGreaterThan(1e-3);
    expect(largestGap(weight.data, expected)).toBeLessThan(1e-6);

    // A tensor that does not decay
    memory.write(wave(shape, 0.9), state.weight);
    memory.write(floatTensor(shape), state.m);
    memory.write(floatTensor(shape), state.v);
    for (let step = 1; step <= 3; step++) {
      memory.write(gradientOf(shape, step), gradient);
      adam.begin(stepOf(step, decay, scale));
      await adam.update(state, gradient, false);
    }
    memory.read(state.weight, weight);
    expect(largestGap(weight.data, byKernels(shape, 0, scale))).toBeLessThan(1e-6);

    const squares = gradientOf(shape, 3).data.reduce((sum, value) => sum + value * value, 0);
    expect(Math.abs((await adam.sumOfSquares(gradient)) / squares - 1)).toBeLessThan(1e-5);
    for (const tensor of [...Object.values(state), gradient]) tensor.dispose();
    adam.release();
  });

  test('rows are added to a matrix, or to zeros, and may repeat', async () => {
    const memory = await DeviceMemory.of('webgpu');
    const adam = new DeviceAdam(memory);
    const matrix = wave([11, 6], 0.9);
    const target = memory.upload(matrix);
    const rows = Int32Array.of(10, 2, 2, 7);
    const updates = wave([4, 6], 0.4);
    for (const fresh of [false, true]) {
      const expected = fresh ? new Float32Array(66) : matrix.data.slice();
      rows.forEach((row, index) => {
        for (let column = 0; column < 6; column++) expected[row * 6 + column]! += updates.data[index * 6 + column]!;
      });
      await adam.addRows(target, rows, updates.data, fresh);
      const sum = floatTensor([11, 6]);
      memory.read(target, sum);
      expect(largestGap(sum.data, expected)).toBeLessThan(1e-6);
    }
    target.dispose();
    adam.release();
  });
});
