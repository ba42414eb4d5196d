/**
 * Reading single tensors out of a safetensors file and writing such files whole or not at all.
 * It never loads a whole file: each tensor is read by its byte range; which files make a model is in checkpoint.ts.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { HopscopeError } from '../../shared/errors.ts';
import { type ArrayOf, bytesOf, bytesPerElement, type ElementType, elementCount, type Tensor } from '../tensor.ts';
import { fetchFrom } from './read-ahead.ts';
import {
  buildHeader,
  headerLength,
  parseHeader,
  type SafetensorsHeader,
  type TensorInfo,
  tensorBytes,
  tensorNameProblem,
} from './safetensors-header.ts';
import { writeAll, writeFileWhole, writeFileWholeAsync } from './write-whole.ts';

export type { TensorInfo } from './safetensors-header.ts';

/** Largest number of bytes asked of one system call. */
const largestRead = 1 << 30;

/** The checked header of a file. @throws HopscopeError `BadSafetensors`, `CannotRead` */
export function readHeader(path: string): SafetensorsHeader {
  const file = SafetensorsFile.open(path);
  file.close();
  return file.header;
}

/** An open safetensors file. Not safe to use after `close`. */
export class SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  private descriptor: number | undefined;
  private readonly status: Stats;

  private constructor(path: string, descriptor: number, status: Stats, header: SafetensorsHeader) {
    this.path = path;
    this.descriptor = descriptor;
    this.status = status;
    this.header = header;
  }

  /**
   * Opens a file and checks its header. With `followLinks` false a symbolic link is refused, for paths that were resolved
   * and checked already.
   * @throws HopscopeError `BadSafetensors`, `CannotRead`
   */
  static open(path: string, { followLinks = true }: { followLinks?: boolean } = {}): SafetensorsFile {
    // Without O_NONBLOCK opening a FIFO would wait for a writer for ever.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (followLinks ? 0 : (constants.O_NOFOLLOW ?? 0));
    const descriptor = orCannotRead(path, () => openSync(path, flags));
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile()) throw new HopscopeError('BadSafetensors', `${path} is not a regular file.`);
      const prefix = readRange(descriptor, 0, Math.min(8, status.size), path);
      const bytes = readRange(descriptor, 8, headerLength(prefix, status.size, path), path);
      return new SafetensorsFile(path, descriptor, status, parseHeader(bytes, status.size, path));
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  get tensors(): Map<string, TensorInfo> {
    return this.header.tensors;
  }

  /** One tensor, in its file's element type. @throws HopscopeError `MissingTensor`, `UnsupportedDtype`, `BadSafetensors` */
  read(name: string): Tensor {
    const info = this.info(name);
    if (info.type === undefined) {
      const supported = Object.keys(bytesPerElement).join(', ');
      throw new HopscopeError('UnsupportedDtype', `${this.path}: tensor "${name}" is ${info.dtype}; read are ${supported}.`);
    }
    const data = allocate(info.type, elementCount(info.shape));
    this.readInto(name, new Uint8Array(data.buffer));
    return { type: info.type, shape: info.shape, data };
  }

  /** The bytes of one tensor, `target` being exactly as long. @throws HopscopeError `MissingTensor`, `WrongShape`, `BadSafetensors` */
  readInto(name: string, target: Uint8Array): void {
    const { start, end } = this.info(name);
    if (target.length !== end - start) {
      throw new HopscopeError(
        'WrongShape',
        `${this.path}: tensor "${name}" has ${end - start} bytes, not ${target.length}.`,
        'failure',
      );
    }
    this.readRangeInto(start, target);
  }

  /** Bytes from a position of the file, for readers that convert in pieces. @throws HopscopeError `BadSafetensors` */
  readRangeInto(position: number, target: Uint8Array): void {
    fillFrom(this.unchanged(), position, target, this.path);
  }

  /** The same without waiting: threads of the system read while programs compute. @throws HopscopeError `BadSafetensors`, `CannotRead` */
  async fetchRange(position: number, target: Uint8Array): Promise<void> {
    await fetchFrom(this.unchanged(), position, target, this.path);
  }

  /** The open file. @throws HopscopeError `BadSafetensors` when it is closed or was changed by someone else */
  private unchanged(): number {
    if (this.descriptor === undefined) throw new HopscopeError('BadSafetensors', `${this.path} is closed.`, 'failure');
    const now = fstatSync(this.descriptor);
    if (now.size !== this.status.size || now.mtimeMs !== this.status.mtimeMs) {
      throw new HopscopeError('BadSafetensors', `${this.path} changed while it was in use. Open the model again.`);
    }
    return this.descriptor;
  }

  info(name: string): TensorInfo {
    const info = this.tensors.get(name);
    if (info === undefined) throw new HopscopeError('MissingTensor', `${this.path} has no tensor "${name}".`);
    return info;
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

/** A tensor to be written whose bytes come later. */
export interface TensorEntry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/**
 * Writes tensors whole or not at all, tensor by tensor without a copy of them. Widest elements come first, so that every
 * tensor is aligned to its element size; the file then depends only on names, values and metadata.
 * @throws HopscopeError `BadSafetensors` (a name or shape that cannot be written), `CannotWrite`
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Record<string, string> = {},
): void {
  const { order, opening } = layOut(
    path,
    [...tensors].map(([name, tensor]) => ({ name, type: tensor.type, shape: tensor.shape, tensor })),
    metadata,
  );
  for (const { name, type, shape, tensor } of order) {
    const { byteLength } = tensor.data;
    if (byteLength === tensorBytes(type, shape)) continue;
    throw notWritten(path, `tensor "${name}" has shape [${shape}] but ${byteLength / bytesPerElement[type]} elements`);
  }
  writeFileWhole(path, (descriptor) => {
    writeAll(descriptor, opening);
    for (const { tensor } of order) {
      writeAll(descriptor, bytesOf(tensor.data));
    }
  });
}

/**
 * The same for tensors that are never all in memory: `produce` is called for one entry after the other, in the order of the
 * file, and hands over that tensor's bytes by one or more calls of `write`, which is done with a piece when it returns.
 * @throws HopscopeError `BadSafetensors` (a name or shape that cannot be written, too few or too many bytes), `CannotWrite`;
 * whatever `produce` throws.
 */
export async function writeSafetensorsStreamed<E extends TensorEntry>(
  path: string,
  entries: readonly E[],
  metadata: Record<string, string>,
  produce: (entry: E, write: (bytes: Uint8Array) => void) => void | Promise<void>,
): Promise<void> {
  const { order, opening } = layOut(path, entries, metadata);
  await writeFileWholeAsync(path, async (descriptor) => {
    writeAll(descriptor, opening);
    for (const entry of order) {
      const expected = tensorBytes(entry.type, entry.shape);
      let written = 0;
      await produce(entry, (bytes) => {
        written += bytes.length;
        if (written <= expected) writeAll(descriptor, bytes);
      });
      if (written === expected) continue;
      throw notWritten(path, `tensor "${entry.name}" takes ${expected} bytes but ${written} were given`);
    }
  });
}

/** Entries in the order of the file, and the bytes in front of the first one. */
function layOut<E extends TensorEntry>(
  path: string,
  entries: readonly E[],
  metadata: Record<string, string>,
): { order: E[]; opening: Uint8Array } {
  const seen = new Set<string>();
  for (const { name } of entries) {
    const problem = seen.has(name) ? `two tensors are named ${name}` : tensorNameProblem(name);
    if (problem !== undefined) throw notWritten(path, problem);
    seen.add(name);
  }
  const order = [...entries].sort(
    (left, right) =>
      bytesPerElement[right.type] - bytesPerElement[left.type] || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0),
  );
  const header = buildHeader(
    order.map(({ name, type, shape }) => [name, { type, shape, byteLength: tensorBytes(type, shape) }]),
    metadata,
  );
  const opening = new Uint8Array(8 + header.length);
  new DataView(opening.buffer).setBigUint64(0, BigInt(header.length), true);
  opening.set(header, 8);
  return { order, opening };
}

function notWritten(path: string, problem: string): HopscopeError {
  return new HopscopeError('BadSafetensors', `${path} was not written: ${problem}.`, 'failure');
}

function allocate(type: ElementType, count: number): ArrayOf[ElementType] {
  switch (type) {
    case 'float32':
      return new Float32Array(count);
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(count);
    case 'int64':
      return new BigInt64Array(count);
    case 'int32':
      return new Int32Array(count);
    case 'uint8':
    case 'bool':
      return new Uint8Array(count);
  }
}

function readRange(descriptor: number, position: number, length: number, path: string): Uint8Array {
  const bytes = new Uint8Array(length);
  fillFrom(descriptor, position, bytes, path);
  return bytes;
}

function fillFrom(descriptor: number, position: number, target: Uint8Array, path: string): void {
  for (let done = 0; done < target.length; ) {
    const wanted = Math.min(target.length - done, largestRead);
    const count = orCannotRead(path, () => readSync(descriptor, target, done, wanted, position + done));
    if (count === 0) throw new HopscopeError('BadSafetensors', `${path} became shorter while it was read. Open the model again.`);
    done += count;
  }
}

function orCannotRead<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HopscopeError('CannotRead', `${path} cannot be read: ${reason}.`);
  }
}
