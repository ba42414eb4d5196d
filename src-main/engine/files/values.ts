/**
 * Reads weights that may be kept anywhere, for what looks at every element once: hashes, norms, differences, files.
 * Programs get theirs from execution/weight-stage.ts, which reads ahead and keeps buffers.
 */
import { bytesOf, bytesPerElement, elementCount, type FloatTensor, floatTensor } from '../tensor.ts';
import { type StoredTensor, sliceRows, type Weights, type WeightTensor } from '../weights.ts';
import { widenPlainly } from './widening.ts';

/** Elements that are in memory at a time (64 MiB as float32). */
const pieceElements = 2 ** 24;

/** All values as float32; those of a tensor in memory are not copied. Errors: those of where it is kept. */
export async function valuesOf(tensor: WeightTensor): Promise<FloatTensor> {
  if (tensor.type !== 'stored') return tensor;
  const present = tensor.values?.();
  if (present) return floatTensor(tensor.shape, present);
  const values = new Float32Array(elementCount(tensor.shape));
  await readInto(tensor, values);
  return floatTensor(tensor.shape, values);
}

/** All tensors of a set as `valuesOf` has them, one after another. Errors: likewise. */
export async function broughtToMemory(weights: Weights): Promise<Map<string, FloatTensor>> {
  const tensors = new Map<string, FloatTensor>();
  for (const [name, tensor] of weights) tensors.set(name, await valuesOf(tensor));
  return tensors;
}

/** One tensor's values into `values`, exactly as long. Errors: those of where it is kept. */
export async function readInto(tensor: WeightTensor, values: Float32Array): Promise<void> {
  const present = tensor.type === 'stored' ? tensor.values?.() : tensor.data;
  if (present) {
    values.set(present);
    return;
  }
  const stored = tensor as StoredTensor;
  const { storedType } = stored;
  const { buffer, length } = values;
  const bytes = bytesOf(values).subarray(length * (4 - bytesPerElement[storedType]));
  await stored.fetch(bytes);
  // From the front on, widening in place never overtakes what is still to be read
  if (storedType !== 'float32') widenPlainly(storedType, new Uint16Array(buffer, bytes.byteOffset, length), values);
}

/** Stretches of a tensor's rows, in order, small enough to be looked at in turn; vectors in one piece. */
export function piecesOf(tensor: WeightTensor): WeightTensor[] {
  const [rows, width] = tensor.shape;
  if (rows === undefined || width === undefined || tensor.shape.length !== 2) return [tensor];
  const count = Math.max(1, Math.floor(pieceElements / width));
  if (count >= rows) return [tensor];
  return Array.from({ length: Math.ceil(rows / count) }, (_, index) =>
    sliceRows(tensor, index * count, Math.min(count, rows - index * count)),
  );
}
