/**
 * Decides where each parameter of a model is kept within a number of bytes - as float32 in memory, as the 16 bits of its file in memory, or in the
 * file - and brings it there. Programs compute with float32 wherever values come from, so results do not depend on it.
 */
import { HalfTensor } from '../files/half-tensor.ts';
import type { Model } from '../models/model.ts';
import type { Parameter } from '../models/parameters.ts';
import { Arena, arenaLimit, arenaSize } from '../runtime/memory.ts';
import { bytesOf, elementCount, floatTensor } from '../tensor.ts';
import type { Weights, WeightTensor } from '../weights.ts';

/** Where parameters are: all as float32 in memory, all in memory but some as 16 bits, or some in their files. */
export type Residency = 'memory' | '16-bit' | 'disk';

interface Placement {
  parameter: Parameter;
  where: 'float32' | '16-bit' | 'file';
}

const none: ReadonlySet<string> = new Set();

/**
 * Where `limit` bytes of memory for weights leave each parameter: all or nothing as float32, then layer by layer in the form of the files. `left`:
 * names that stay in their files whatever there is, because training has values of its own for them; residency is about the others.
 */
export function placeWeights(
  { checkpoint, parameters }: Model,
  limit: number,
  left: ReadonlySet<string> = none,
): { residency: Residency; bytes: number; placements: Placement[] } {
  const wanted = parameters.all.filter(({ name }) => !left.has(name));
  const total = wanted.reduce((sum, { shape }) => sum + arenaSize(elementCount(shape) * 4), 0);
  if (total <= limit) {
    const placements = parameters.all.map(
      (parameter): Placement => ({ parameter, where: left.has(parameter.name) ? 'file' : 'float32' }),
    );
    return { residency: 'memory', bytes: total, placements };
  }
  // The embedding is looked up row by row, which a file does well; it comes last
  const order = [...parameters.blocks.flat(), ...parameters.head, ...parameters.all];
  const where = new Map<string, Placement['where']>();
  let bytes = 0;
  for (const { name, shape } of order) {
    if (where.has(name) || left.has(name)) continue;
    const isHalf = checkpoint.tensors.get(name)!.type !== 'float32';
    const size = arenaSize(elementCount(shape) * (isHalf ? 2 : 4));
    const fits = bytes + size <= limit;
    if (fits) bytes += size;
    where.set(name, fits ? (isHalf ? '16-bit' : 'float32') : 'file');
  }
  const placements = parameters.all.map((parameter): Placement => ({ parameter, where: where.get(parameter.name) ?? 'file' }));
  return { residency: wanted.some(({ name }) => where.get(name) === 'file') ? 'disk' : '16-bit', bytes, placements };
}

/**
 * All parameters by file name. Those in memory lie in WebAssembly memories filled in order, one never spanning two; those in files need the
 * checkpoint to stay open. `limit`: bytes of memory for weights; `keptInFiles`: `left` of `placeWeights`. Errors: those of the checkpoint; `OutOfMemory`.
 */
export function loadWeights(model: Model, limit = Number.POSITIVE_INFINITY, keptInFiles: ReadonlySet<string> = none): Weights {
  const { checkpoint } = model;
  const { placements } = placeWeights(model, limit, keptInFiles);
  const weights = new Map<string, WeightTensor>(placements.map(({ parameter: { name } }) => [name, checkpoint.stored(name)]));
  const bytes = ({ parameter: { shape }, where }: Placement) => arenaSize(elementCount(shape) * (where === '16-bit' ? 2 : 4));
  let left = placements.filter(({ where }) => where !== 'file');
  while (left.length > 0) {
    let used = 0;
    let taken = 0;
    while (taken < left.length && (taken === 0 || used + bytes(left[taken]!) <= arenaLimit)) used += bytes(left[taken++]!);
    const arena = new Arena(used);
    for (const {
      parameter: { name, shape },
      where,
    } of left.slice(0, taken)) {
      const count = elementCount(shape);
      if (where === 'float32') {
        const target = arena.floats(count);
        checkpoint.readFloat32Into(name, target);
        weights.set(name, floatTensor(shape, target));
      } else {
        weights.set(name, readHalf(checkpoint, name, shape, arena.words16(count)));
      }
    }
    left = left.slice(taken);
  }
  return weights;
}

function readHalf(checkpoint: Model['checkpoint'], name: string, shape: readonly number[], bits: Uint16Array): HalfTensor {
  checkpoint.readInto(name, bytesOf(bits));
  return new HalfTensor(checkpoint.tensors.get(name)!.type as 'bfloat16' | 'float16', shape, bits);
}
