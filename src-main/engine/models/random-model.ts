/**
 * Writes a model folder of true dimensions with random weights, in little memory: for trying what a size costs, before or without the download.
 * Such a model knows nothing; its tokenizer is a small one of its own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Random } from '../../shared/random.ts';
import { requireDiskSpace } from '../files/disk-space.ts';
import { writeModelFolderStreamed } from '../files/model-folder.ts';
import type { TensorEntry } from '../files/safetensors.ts';
import { tensorBytes } from '../files/safetensors-header.ts';
import { widenPlainly } from '../files/widening.ts';
import type { FloatType } from '../tensor.ts';
import type { RawConfiguration } from './family.ts';
import { familyOf } from './index.ts';
import type { KnownModel } from './known-models.ts';
import { listParameters } from './parameters.ts';

export interface RandomModelRequest {
  model: KnownModel;
  layers: number;
  /** Of all tensors. */
  type: FloatType;
  /** The same seed gives the same bytes; a layer's are the same in a model with more layers. */
  seed: number;
  /** Becomes tokenizer.json. */
  tokenizer: string;
  signal: AbortSignal;
  onBytes(done: number, total: number): void;
}

/** A tensor and what it holds: one value everywhere, or draws. */
export interface RandomEntry extends TensorEntry {
  constant: number | null;
}

/** The published config.json with another number of layers; its element type is that of the tensors. */
export function randomModelConfig({ config }: KnownModel, layers: number, type: FloatType): RawConfiguration {
  return { ...config, num_hidden_layers: layers, torch_dtype: type };
}

/** Every tensor of such a model, in the order of the layers. Norms are as in a fresh model, all else is drawn. */
export function randomModelEntries(model: KnownModel, layers: number, type: FloatType): RandomEntry[] {
  const config = randomModelConfig(model, layers, type);
  const family = familyOf(config);
  const { all } = listParameters(family, family.configure(config));
  return all.map(({ role, name, shape, group }) => {
    const constant = group !== 'norm' ? null : role.endsWith('.bias') ? 0 : model.gain;
    return { name, type, shape, constant };
  });
}

/**
 * Writes the folder, whole or not at all, and returns the tensors' bytes.
 * Errors: `DiskFull`, `FolderExists`, `CannotWrite`, and the signal's reason.
 */
export async function writeRandomModel(folder: string, request: RandomModelRequest): Promise<number> {
  const { model, layers, type, seed, tokenizer, signal, onBytes } = request;
  const entries = randomModelEntries(model, layers, type);
  const total = entries.reduce((sum, { shape }) => sum + tensorBytes(type, shape), 0);
  requireDiskSpace(folder, total + spareBytes);
  const source = new DrawSource(type);
  let done = 0;
  await writeModelFolderStreamed(folder, {
    config: randomModelConfig(model, layers, type),
    tokenizerFiles: { 'tokenizer.json': tokenizer },
    entries,
    async produce({ name, shape, constant }, write) {
      const random = new Random(seed).fork(name);
      for (let left = tensorBytes(type, shape); left > 0; ) {
        // The loop must turn for an interruption to be heard
        await nextTurn();
        signal.throwIfAborted();
        const piece = source.piece(Math.min(left, pieceBytes), random, constant);
        write(piece);
        left -= piece.length;
        done += piece.length;
        onBytes(done, total);
      }
    },
  });
  return total;
}

/** For everything but the tensors. */
const spareBytes = 2 ** 24;
const pieceBytes = 2 ** 22;

/**
 * Independent draws from the 65,536 equally likely quantiles of N(0, 0.02^2), (k + 1/2) / 65,536, rounded to the element type:
 * 16 random bits choose one. The largest is 4.3 deviations from 0.
 */
class DrawSource {
  private readonly quantiles: Uint16Array | Float32Array;
  private readonly buffer: Uint16Array | Float32Array;
  private readonly ofValue: (value: number) => number;

  constructor(type: FloatType) {
    this.ofValue = type === 'float32' ? (value) => value : nearestBits(type);
    const values = normalQuantiles(2 ** 16).map((quantile) => this.ofValue(deviation * quantile));
    const kind = type === 'float32' ? Float32Array : Uint16Array;
    this.quantiles = kind.from(values);
    this.buffer = new kind(pieceBytes / kind.BYTES_PER_ELEMENT);
  }

  /** Valid until the next call. */
  piece(bytes: number, random: Random, constant: number | null): Uint8Array {
    const { quantiles, buffer } = this;
    const count = bytes / buffer.BYTES_PER_ELEMENT;
    if (constant !== null) buffer.fill(this.ofValue(constant));
    else {
      // One draw gives two values; an odd count leaves the last draw's other half unused
      for (let index = 0; index < count; index += 2) {
        const bits = random.bits();
        buffer[index] = quantiles[bits & 0xffff]!;
        buffer[index + 1] = quantiles[bits >>> 16]!;
      }
    }
    return new Uint8Array(buffer.buffer, 0, bytes);
  }
}

const deviation = 0.02;

/** The points z where the normal distribution reaches (k + 1/2) / count, from the density summed in small steps (error below 1e-7). */
function normalQuantiles(count: number): Float64Array {
  const [start, step] = [-6, 2 ** -13];
  const density = (z: number) => Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
  const quantiles = new Float64Array(count);
  let z = start;
  // The lower tail, asymptotically
  let reached = (density(z) / -z) * (1 - 1 / (z * z));
  for (let k = 0; k < count / 2; k++) {
    const wanted = (k + 0.5) / count;
    let slice = density(z + step / 2) * step;
    while (reached + slice < wanted) {
      reached += slice;
      z += step;
      slice = density(z + step / 2) * step;
    }
    quantiles[k] = z + (step * (wanted - reached)) / slice;
    quantiles[count - 1 - k] = -quantiles[k]!;
  }
  return quantiles;
}

/** The 16 bits of the value of a type nearest to a number, found among all of them. */
function nearestBits(type: 'bfloat16' | 'float16'): (value: number) => number {
  // Non-negative finite values: their bits count up as they do
  const patterns = Uint16Array.from({ length: type === 'bfloat16' ? 0x7f80 : 0x7c00 }, (_, bits) => bits);
  const values = new Float32Array(patterns.length);
  widenPlainly(type, patterns, values);
  return (value) => {
    const size = Math.abs(value);
    let [low, high] = [0, values.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (values[middle]! <= size) low = middle;
      else high = middle;
    }
    const nearest = size - values[low]! <= values[high]! - size ? low : high;
    return value < 0 ? nearest | 0x8000 : nearest;
  };
}
