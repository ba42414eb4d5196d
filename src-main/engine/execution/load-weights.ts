/**
 * Reads all of a model's parameters into memory as float32, widened by the kernels where the file holds 16 bits.
 * Nothing is computed and nothing is cached.
 */
import type { Model } from '../models/model.ts';
import type { Parameter } from '../models/parameters.ts';
import { Arena, arenaLimit, arenaSize } from '../runtime/memory.ts';
import { elementCount, type FloatTensor, floatTensor } from '../tensor.ts';

/** All parameters by file name, in WebAssembly memories filled in order; one parameter never spans two. Errors: those of the checkpoint; `OutOfMemory`. */
export function loadWeights({ checkpoint, parameters }: Model): Map<string, FloatTensor> {
  const bytes = ({ shape }: Parameter) => arenaSize(elementCount(shape) * 4);
  const weights = new Map<string, FloatTensor>();
  let left = [...parameters.all];
  while (left.length > 0) {
    let used = 0;
    let taken = 0;
    while (taken < left.length && (taken === 0 || used + bytes(left[taken]!) <= arenaLimit)) used += bytes(left[taken++]!);
    const arena = new Arena(used);
    for (const { name, shape } of left.slice(0, taken)) {
      const target = arena.floats(elementCount(shape));
      checkpoint.readFloat32Into(name, target);
      weights.set(name, floatTensor(shape, target));
    }
    left = left.slice(taken);
  }
  return weights;
}
