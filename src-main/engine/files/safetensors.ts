/**
 * Reading single tensors out of a safetensors file and writing such files whole or not at all.
 * It never loads a whole file: each tensor is read by its byte range; which files make a model is in checkpoint.ts.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { HopscopeError } from '../../shared/errors.ts';
import { type ArrayOf, bytesPerElement, type ElementType, elementCount, type Tensor } from '../tensor.ts';
import {
  buildHeader,
  headerLength,
  parseHeader,
  type SafetensorsHeader,
  type TensorInfo,
  tensorBytes,
  tensorNameProblem,
} from './safetensors-header.ts';
import { writeAll, writeFileWhole } from './write-whole.ts';

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
    if (this.descriptor === undefined) throw new HopscopeError('BadSafetensors', `${this.path} is closed.`, 'failure');
    const now = fstatSync(this.descriptor);
    if (now.size !== this.status.size || now.mtimeMs !== this.status.mtimeMs) {
      throw new HopscopeError('BadSafetensors', `${this.path} changed while it was in use. Open the model again.`);
    }
    fillFrom(this.descriptor, position, target, this.path);
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
  const order = [...tensors].sort(
    ([leftName, left], [rightName, right]) =>
      bytesPerElement[right.type] - bytesPerElement[left.type] || (leftName < rightName ? -1 : leftName > rightName ? 1 : 0),
  );
  for (const [name, { type, shape, data }] of order) {
    const problem = tensorNameProblem(name);
    if (problem !== undefined) throw new HopscopeError('BadSafetensors', `${path} was not written: ${problem}.`, 'failure');
    if (data.byteLength !== tensorBytes(type, shape)) {
      const found = data.byteLength / bytesPerElement[type];
      throw new HopscopeError(
        'BadSafetensors',
        `${path} was not written: tensor "${name}" has shape [${shape}] but ${found} elements.`,
        'failure',
      );
    }
  }
  const header = buildHeader(
    order.map(([name, { type, shape, data }]) => [name, { type, shape, byteLength: data.byteLength }]),
    metadata,
  );
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(header.length), true);
  writeFileWhole(path, (descriptor) => {
    writeAll(descriptor, prefix);
    writeAll(descriptor, header);
    for (const [, { data }] of order) writeAll(descriptor, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
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
