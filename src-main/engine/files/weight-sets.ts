/**
 * Arithmetic on named sets of weights: what finetuning changed, put back whole, in part or onto other weights.
 * Nothing here works in place, what is not in memory stays where it is until it is read, and which tensors make a layer is not known here.
 */
import { createHash } from 'node:crypto';
import { HopscopeError } from '../../shared/errors.ts';
import { bytesOf, bytesPerElement, elementCount, type FloatTensor } from '../tensor.ts';
import { areSame, inMemory, type Weights, type WeightTensor } from '../weights.ts';
import { FileTensor } from './file-tensor.ts';
import { SafetensorsFile, writeSafetensorsStreamed } from './safetensors.ts';
import { sumOf } from './sum-tensor.ts';
import { piecesOf, valuesOf } from './values.ts';

/** The difference of two weight sets on some tensors, and of which tensors exactly it is the difference. */
export interface Delta {
  readonly tensors: Weights;
  /** What each was counted from: the tensor, or its `tensorHash` as a file tells it; a name is missing when the file does not say. */
  readonly bases: ReadonlyMap<string, WeightTensor | string>;
}

/** sha256 (hexadecimal) over a tensor's shape and its values as float32. */
export async function tensorHash(tensor: WeightTensor): Promise<string> {
  const hash = createHash('sha256').update(`[${tensor.shape}]`);
  for (const piece of piecesOf(tensor)) {
    const { data } = await valuesOf(piece);
    hash.update(bytesOf(data));
  }
  return hash.digest('hex');
}

/**
 * after - before, for every tensor of `after`; `before` may have more. Where one of two tensors is not in memory the difference is
 * formed when it is read, so neither may change until then.
 * @throws HopscopeError `MissingTensor`, `WrongShape`
 */
export function subtract(after: Weights, before: Weights): Delta {
  const tensors = new Map<string, WeightTensor>();
  const bases = new Map<string, WeightTensor>();
  for (const [name, tensor] of after) {
    const base = tensorOf(before, name, 'the weights before', tensor);
    tensors.set(
      name,
      sumOf([
        { tensor, factor: 1 },
        { tensor: base, factor: -1 },
      ]),
    );
    bases.set(name, base);
  }
  return { tensors, bases };
}

/**
 * base + delta + ..., a new set that shares with `base` what no delta changes. Every delta must be counted from `base`; grafting weights onto
 * a model they were not trained from is asked for by `onAnotherBase`.
 * @throws HopscopeError `DeltaOfAnotherBase`, `MissingTensor`, `WrongShape`
 */
export async function add(
  base: Weights,
  delta: Delta | readonly Delta[],
  { onAnotherBase = false } = {},
): Promise<Map<string, WeightTensor>> {
  const deltas = 'tensors' in delta ? [delta] : delta;
  const result = new Map(base);
  for (const each of deltas) {
    for (const [name, change] of each.tensors) {
      const tensor = tensorOf(base, name, 'the weights that the delta is added to', change);
      if (!onAnotherBase) await checkBase(name, tensor, each);
      result.set(
        name,
        sumOf([
          { tensor: result.get(name)!, factor: 1 },
          { tensor: change, factor: 1 },
        ]),
      );
    }
  }
  return result;
}

/**
 * base + strength (trained - base) for every tensor of `trained`, each with its own strength; a new set that shares the others with `base`.
 * At 0 it is the base's own tensor and at 1 the trained one, bit for bit.
 * @throws HopscopeError `MissingTensor`, `WrongShape`
 */
export function between(base: Weights, trained: Weights, strengthOf: (name: string) => number): Map<string, WeightTensor> {
  const result = new Map(base);
  for (const [name, tensor] of trained) {
    const old = tensorOf(base, name, 'the weights before', tensor);
    const strength = strengthOf(name);
    if (strength === 0) continue;
    if (strength === 1) {
      result.set(name, tensor);
      continue;
    }
    const change = sumOf([
      { tensor, factor: 1 },
      { tensor: old, factor: -1 },
    ]);
    result.set(
      name,
      sumOf([
        { tensor: old, factor: 1 },
        { tensor: change, factor: strength },
      ]),
    );
  }
  return result;
}

/** The delta on some of its tensors only. @throws HopscopeError `MissingTensor` */
export function part(delta: Delta, names: Iterable<string>): Delta {
  const tensors = new Map<string, WeightTensor>();
  const bases = new Map<string, WeightTensor | string>();
  for (const name of names) {
    const tensor = delta.tensors.get(name);
    if (tensor === undefined) throw new HopscopeError('MissingTensor', `The delta has no tensor "${name}": it was not trained.`);
    tensors.set(name, tensor);
    const base = delta.bases.get(name);
    if (base !== undefined) bases.set(name, base);
  }
  return { tensors, bases };
}

/** L2 norm of every tensor's change, summed in double precision. */
export async function norms(delta: Delta): Promise<Map<string, number>> {
  const result = new Map<string, number>();
  for (const [name, tensor] of delta.tensors) {
    let squares = 0;
    for (const piece of piecesOf(tensor)) for (const value of (await valuesOf(piece)).data) squares += value * value;
    result.set(name, Math.sqrt(squares));
  }
  return result;
}

/** Writes a delta whole or not at all: tensors under their plain names, the base's hashes as metadata. @throws HopscopeError `CannotWrite` */
export async function writeDelta(path: string, delta: Delta): Promise<void> {
  const metadata: Record<string, string> = { format: 'pt' };
  for (const [name, base] of delta.bases) metadata[basePrefix + name] = await hashOf(base);
  await writeWeights(path, delta.tensors, metadata);
}

/** Writes weights as float32, whole or not at all, with one stretch of them in memory at a time. @throws HopscopeError `CannotWrite` */
export async function writeWeights(
  path: string,
  weights: Weights,
  metadata: Record<string, string> = { format: 'pt' },
): Promise<void> {
  const entries = [...weights].map(([name, tensor]) => ({ name, type: 'float32' as const, shape: tensor.shape, tensor }));
  await writeSafetensorsStreamed(path, entries, metadata, ({ tensor }, write) => writeValues(tensor, write));
}

/** Hands over a tensor's values as float32, stretch by stretch. */
export async function writeValues(tensor: WeightTensor, write: (bytes: Uint8Array) => void): Promise<void> {
  for (const piece of piecesOf(tensor)) {
    const { data } = await valuesOf(piece);
    write(bytesOf(data));
  }
}

/** Bytes of a file up to which its tensors are read into memory. */
const memoryLimit = 2 ** 30;

/**
 * Reads a delta file, also one that says nothing about its base. A file of more than `limit` bytes stays open, and its tensors stay in it.
 * @throws HopscopeError `UnsupportedDtype`, `BadSafetensors`, `CannotRead`
 */
export function readDelta(path: string, limit = memoryLimit): Delta {
  const { tensors, metadata } = readFloats(path, limit);
  const bases = [...metadata].filter(([key]) => key.startsWith(basePrefix));
  return { tensors, bases: new Map(bases.map(([key, hash]) => [key.slice(basePrefix.length), hash])) };
}

/** All tensors of a float32 safetensors file, in memory. @throws HopscopeError `UnsupportedDtype`, `BadSafetensors`, `CannotRead` */
export function readWeights(path: string): Map<string, FloatTensor> {
  return inMemory(readFloats(path, Number.POSITIVE_INFINITY).tensors);
}

/** Whether a file says that its tensors are changes of weights. */
export const isDelta = (metadata: ReadonlyMap<string, string>): boolean =>
  [...metadata.keys()].some((key) => key.startsWith(basePrefix));

function readFloats(path: string, limit: number): { tensors: Map<string, WeightTensor>; metadata: ReadonlyMap<string, string> } {
  const file = SafetensorsFile.open(path);
  let staysOpen = false;
  try {
    const tensors = new Map<string, WeightTensor>();
    let bytes = 0;
    for (const [name, { type, dtype, shape }] of file.tensors) {
      if (type !== 'float32')
        throw new HopscopeError('UnsupportedDtype', `${path}: tensor "${name}" is ${dtype}; F32 is expected.`);
      bytes += elementCount(shape) * bytesPerElement.float32;
    }
    staysOpen = bytes > limit;
    for (const name of file.tensors.keys())
      tensors.set(name, staysOpen ? new FileTensor(file, name) : (file.read(name) as FloatTensor));
    return { tensors, metadata: file.header.metadata };
  } finally {
    if (!staysOpen) file.close();
  }
}

const basePrefix = 'base:';

function tensorOf(set: Weights, name: string, where: string, other: WeightTensor): WeightTensor {
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

async function checkBase(name: string, tensor: WeightTensor, delta: Delta): Promise<void> {
  const expected = delta.bases.get(name);
  if (expected === undefined || (typeof expected !== 'string' && areSame(expected, tensor))) return;
  if ((await hashOf(expected)) === (await tensorHash(tensor))) return;
  throw new HopscopeError(
    'DeltaOfAnotherBase',
    `The delta was counted from other weights: tensor "${name}" differs. Add it to the model it was trained from.`,
  );
}

const hashOf = async (base: WeightTensor | string): Promise<string> => (typeof base === 'string' ? base : await tensorHash(base));
