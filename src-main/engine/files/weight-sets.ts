/**
 * Arithmetic on named sets of float32 tensors: what finetuning changed, put back whole, in part or onto other weights.
 * Nothing here works in place, and nothing here knows which tensors belong to which layer.
 */
import { createHash } from 'node:crypto';
import { HopscopeError } from '../../shared/errors.ts';
import type { FloatTensor } from '../tensor.ts';
import { SafetensorsFile, writeSafetensors } from './safetensors.ts';

export type WeightSet = ReadonlyMap<string, FloatTensor>;

/** The difference of two weight sets on some tensors, and of which tensors exactly it is the difference. */
export interface Delta {
  readonly tensors: WeightSet;
  /** `tensorHash` of the base's tensor by name; a name is missing when the delta comes from a file that does not say. */
  readonly baseHashes: ReadonlyMap<string, string>;
}

/** sha256 (hexadecimal) over a tensor's shape and bytes. */
export function tensorHash({ shape, data }: FloatTensor): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return createHash('sha256').update(`[${shape}]`).update(bytes).digest('hex');
}

/**
 * after - before, for every tensor of `after`; `before` may have more.
 * @throws HopscopeError `MissingTensor`, `WrongShape`
 */
export function subtract(after: WeightSet, before: WeightSet): Delta {
  const tensors = new Map<string, FloatTensor>();
  const baseHashes = new Map<string, string>();
  for (const [name, tensor] of after) {
    const base = tensorOf(before, name, 'the weights before', tensor);
    tensors.set(name, combine(tensor, base, -1));
    baseHashes.set(name, tensorHash(base));
  }
  return { tensors, baseHashes };
}

/**
 * base + delta + ..., a new set: no tensor of it shares memory with `base`. Every delta must be counted from `base`; grafting
 * weights onto a model they were not trained from is asked for by `onAnotherBase`.
 * @throws HopscopeError `DeltaOfAnotherBase`, `MissingTensor`, `WrongShape`
 */
export function add(base: WeightSet, delta: Delta | readonly Delta[], { onAnotherBase = false } = {}): Map<string, FloatTensor> {
  const deltas = 'tensors' in delta ? [delta] : delta;
  const result = new Map<string, FloatTensor>();
  for (const each of deltas) {
    for (const [name, change] of each.tensors) {
      const tensor = tensorOf(base, name, 'the weights that the delta is added to', change);
      if (!onAnotherBase) checkBase(name, tensor, each);
      result.set(name, combine(result.get(name) ?? tensor, change, 1));
    }
  }
  const all = [...base].map(([name, tensor]): [string, FloatTensor] => [
    name,
    result.get(name) ?? { ...tensor, data: tensor.data.slice() },
  ]);
  return new Map(all);
}

/** The delta on some of its tensors only. @throws HopscopeError `MissingTensor` */
export function part(delta: Delta, names: Iterable<string>): Delta {
  const tensors = new Map<string, FloatTensor>();
  const baseHashes = new Map<string, string>();
  for (const name of names) {
    const tensor = delta.tensors.get(name);
    if (tensor === undefined) throw new HopscopeError('MissingTensor', `The delta has no tensor "${name}": it was not trained.`);
    tensors.set(name, tensor);
    const hash = delta.baseHashes.get(name);
    if (hash !== undefined) baseHashes.set(name, hash);
  }
  return { tensors, baseHashes };
}

/** L2 norm of every tensor's change, summed in double precision. */
export function norms(delta: Delta): Map<string, number> {
  return new Map(
    [...delta.tensors].map(([name, { data }]) => [name, Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))]),
  );
}

/** Writes a delta whole or not at all: tensors under their plain names, the base's hashes as metadata. @throws HopscopeError `CannotWrite` */
export function writeDelta(path: string, delta: Delta): void {
  const metadata: Record<string, string> = { format: 'pt' };
  for (const [name, hash] of delta.baseHashes) metadata[basePrefix + name] = hash;
  writeSafetensors(path, delta.tensors, metadata);
}

/** Reads a delta file, also one that says nothing about its base. @throws HopscopeError `UnsupportedDtype`, `BadSafetensors`, `CannotRead` */
export function readDelta(path: string): Delta {
  const { tensors, metadata } = readFloats(path);
  const bases = [...metadata].filter(([key]) => key.startsWith(basePrefix));
  return { tensors, baseHashes: new Map(bases.map(([key, hash]) => [key.slice(basePrefix.length), hash])) };
}

/** All tensors of a float32 safetensors file. @throws HopscopeError `UnsupportedDtype`, `BadSafetensors`, `CannotRead` */
export function readWeights(path: string): Map<string, FloatTensor> {
  return readFloats(path).tensors;
}

function readFloats(path: string): { tensors: Map<string, FloatTensor>; metadata: Map<string, string> } {
  const file = SafetensorsFile.open(path);
  try {
    const tensors = new Map<string, FloatTensor>();
    for (const name of file.tensors.keys()) {
      const tensor = file.read(name);
      if (!isFloat(tensor)) {
        throw new HopscopeError('UnsupportedDtype', `${path}: tensor "${name}" is ${file.info(name).dtype}; F32 is expected.`);
      }
      tensors.set(name, tensor);
    }
    return { tensors, metadata: file.header.metadata };
  } finally {
    file.close();
  }
}

const basePrefix = 'base:';

function isFloat(tensor: { type: string }): tensor is FloatTensor {
  return tensor.type === 'float32';
}

function tensorOf(set: WeightSet, name: string, where: string, other: FloatTensor): FloatTensor {
  const tensor = set.get(name);
  if (tensor === undefined)
    throw new HopscopeError('MissingTensor', `Tensor "${name}" is not in ${where}. Both must come from one model.`);
  if (tensor.shape.length !== other.shape.length || tensor.shape.some((size, axis) => size !== other.shape[axis])) {
    throw new HopscopeError(
      'WrongShape',
      `Tensor "${name}" has shape [${tensor.shape}] in ${where} but [${other.shape}] in the other set.`,
    );
  }
  return tensor;
}

function checkBase(name: string, tensor: FloatTensor, delta: Delta): void {
  const expected = delta.baseHashes.get(name);
  if (expected === undefined || expected === tensorHash(tensor)) return;
  throw new HopscopeError(
    'DeltaOfAnotherBase',
    `The delta was counted from other weights: tensor "${name}" differs. Add it to the model it was trained from.`,
  );
}

/** left + sign x right. */
function combine(left: FloatTensor, right: FloatTensor, sign: 1 | -1): FloatTensor {
  const data = new Float32Array(left.data.length);
  for (let index = 0; index < data.length; index++) data[index] = left.data[index]! + sign * right.data[index]!;
  return { type: 'float32', shape: left.shape, data };
}
