/**
 * A model folder in the Hugging Face layout: its configuration and, by name, the tensors of its one or several safetensors files.
 * It does not know what the tensors mean (models/ does) and opens no file that could hold code.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { HopscopeError } from '../../shared/errors.ts';
import { bytesOf, elementCount, type FloatType, type Tensor } from '../tensor.ts';
import type { WeightTensor } from '../weights.ts';
import { FileTensor } from './file-tensor.ts';
import { pathInside } from './inside-folder.ts';
import { SafetensorsFile, type TensorInfo } from './safetensors.ts';
import { isInteger, isJsonObject, type JsonObject, readJson } from './strict-json.ts';
import { type Widen, widenPlainly } from './widening.ts';

const singleName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';
const maximumConfigBytes = 1 << 20;
const maximumIndexBytes = 1 << 28;
/** 16-bit tensors are widened in pieces of this many elements, so that no second copy of a tensor is held. */
const wideningPiece = 1 << 20;

/** An open model folder. Tensors are read when asked for. */
export class Checkpoint {
  /** The folder's real path. */
  readonly folder: string;
  /** config.json as it stands. */
  readonly config: JsonObject;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** What is odd about the folder but no reason to refuse it. */
  readonly warnings: readonly string[];
  private readonly weights: Weights;

  constructor(folder: string, config: JsonObject, weights: Weights) {
    this.folder = folder;
    this.config = config;
    this.weights = weights;
    this.tensors = weights.tensors;
    this.warnings = weights.warnings;
  }

  /** One tensor in its file's element type. @throws HopscopeError `MissingTensor`, `UnsupportedDtype`, `BadSafetensors` */
  read(name: string): Tensor {
    return this.file(name).read(name);
  }

  /**
   * One tensor's values as float32, row-major. `widen` converts 16-bit types, `widenPlainly` unless a faster one is given.
   * @throws HopscopeError `MissingTensor`, `WrongShape`, `UnsupportedDtype`, `BadSafetensors`
   */
  readFloat32Into(name: string, target: Float32Array, widen: Widen = widenPlainly): void {
    const file = this.file(name);
    const info = file.info(name);
    const count = elementCount(info.shape);
    if (target.length !== count) {
      throw new HopscopeError(
        'WrongShape',
        `${file.path}: tensor "${name}" has shape [${info.shape}], not ${target.length} elements.`,
        'failure',
      );
    }
    if (info.type === 'float32') {
      file.readInto(name, bytesOf(target));
      return;
    }
    if (info.type !== 'bfloat16' && info.type !== 'float16') {
      throw new HopscopeError(
        'UnsupportedDtype',
        `${file.path}: tensor "${name}" is ${info.dtype}; weights may be F32, BF16 or F16.`,
      );
    }
    const piece = new Uint16Array(Math.min(count, wideningPiece));
    for (let done = 0; done < count; done += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, count - done));
      file.readRangeInto(info.start + 2 * done, new Uint8Array(part.buffer, 0, part.byteLength));
      widen(info.type, part, target.subarray(done, done + part.length));
    }
  }

  /** One tensor's bytes as they stand in its file. @throws HopscopeError `MissingTensor`, `WrongShape`, `BadSafetensors` */
  readInto(name: string, target: Uint8Array): void {
    this.file(name).readInto(name, target);
  }

  /** One tensor left in its file, to be read when it is computed with. @throws HopscopeError `MissingTensor`, `UnsupportedDtype` */
  stored(name: string): WeightTensor {
    return new FileTensor(this.file(name), name);
  }

  /** The element type that most bytes of the folder's matrices have. @throws HopscopeError `UnsupportedDtype` when they are no floats we read */
  get dtype(): FloatType {
    const bytes = new Map<string, number>();
    for (const { dtype, shape, start, end } of this.tensors.values()) {
      if (shape.length >= 2) bytes.set(dtype, (bytes.get(dtype) ?? 0) + end - start);
    }
    const most = [...bytes].sort(([, left], [, right]) => right - left)[0]?.[0] ?? 'F32';
    if (most === 'F32') return 'float32';
    if (most === 'BF16') return 'bfloat16';
    if (most === 'F16') return 'float16';
    throw new HopscopeError(
      'UnsupportedDtype',
      `The matrices in ${this.folder} are ${most}; weights may be F32, BF16 or F16. Convert the model first.`,
    );
  }

  /** Bytes of all tensors in their files. */
  get bytes(): number {
    return [...this.tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Changes whenever a file of the folder's does: configuration, sizes and times of modification. Cheap where `hash` reads everything. */
  stamp(): string {
    const files = [...this.weights.files].map(([name, file]) => [name, file.path]);
    const lines = files.map(([name, path]) => [name, statSync(path!).size, statSync(path!).mtimeMs]);
    return JSON.stringify([this.config, lines]);
  }

  /**
   * sha256 (hexadecimal) over the names, sizes and contents of config.json, tokenizer.json and the weight files. Contents are
   * hashed once per file, size and modification time.
   */
  hash(): string {
    const paths = new Map([...this.weights.files].map(([name, file]) => [name, file.path]));
    for (const name of ['config.json', 'tokenizer.json', ...(this.weights.isSharded ? [indexName] : [])]) {
      const path = pathInside(this.folder, name);
      if (path !== undefined) paths.set(name, path);
    }
    const lines = [...paths].map(([name, path]) => `${name}\n${statSync(path).size}\n${contentHash(path)}\n`);
    return createHash('sha256').update(lines.sort().join('')).digest('hex');
  }

  close(): void {
    for (const file of this.weights.files.values()) file.close();
  }

  private file(name: string): SafetensorsFile {
    const file = this.weights.fileOf.get(name);
    if (file === undefined) throw new HopscopeError('MissingTensor', `${this.folder} has no tensor "${name}".`);
    return file;
  }
}

/**
 * Opens a model folder: config.json, and either model.safetensors or the shards that model.safetensors.index.json lists.
 * @throws HopscopeError `ModelNotFound`, `ConfigMissing`, `BadConfig`, `BadJson`, `WeightsMissing`, `BadIndex`, `ShardMissing`,
 * `MissingTensor`, `DuplicateTensor`, `OutsideFolder`, `BadSafetensors`
 */
export function openCheckpoint(folder: string): Checkpoint {
  const root = modelFolder(folder);
  const config = readConfig(root);
  return new Checkpoint(root, config, openWeights(root));
}

/** The real path of a model folder. @throws HopscopeError `ModelNotFound` */
export function modelFolder(folder: string): string {
  let root: string;
  try {
    root = realpathSync(folder);
  } catch {
    throw new HopscopeError('ModelNotFound', `There is no folder ${folder}. Give the folder that holds the model's config.json.`);
  }
  if (!statSync(root).isDirectory()) {
    throw new HopscopeError('ModelNotFound', `${folder} is a file. Give the folder that holds the model's config.json.`);
  }
  return root;
}

interface Weights {
  readonly tensors: Map<string, TensorInfo>;
  readonly fileOf: Map<string, SafetensorsFile>;
  /** By name in the folder; in a hub cache the file's own path is that of a blob. */
  readonly files: Map<string, SafetensorsFile>;
  readonly isSharded: boolean;
  readonly warnings: string[];
}

function readConfig(root: string): JsonObject {
  const path = pathInside(root, 'config.json');
  if (path === undefined) {
    throw new HopscopeError(
      'ConfigMissing',
      `${root} has no config.json. Give the folder of a model in the Hugging Face layout.`,
    );
  }
  const config = readJson(path, { maximumBytes: maximumConfigBytes, file: `${root}/config.json` });
  if (!isJsonObject(config)) throw new HopscopeError('BadConfig', `${root}/config.json is not a JSON object.`);
  return config;
}

function openWeights(root: string): Weights {
  const single = pathInside(root, singleName);
  const index = pathInside(root, indexName);
  const weights: Weights = {
    tensors: new Map(),
    fileOf: new Map(),
    files: new Map(),
    isSharded: single === undefined,
    warnings: [],
  };
  try {
    if (single !== undefined) {
      if (index !== undefined) weights.warnings.push(`${root} has both ${singleName} and ${indexName}; the single file is used.`);
      addFile(weights, root, singleName, single);
    } else if (index !== undefined) {
      openShards(weights, root, index);
    } else {
      throw weightsMissing(root);
    }
  } catch (error) {
    for (const file of weights.files.values()) file.close();
    throw error;
  }
  return weights;
}

function addFile(weights: Weights, root: string, name: string, path: string): void {
  const file = SafetensorsFile.open(path, { followLinks: false });
  weights.files.set(name, file);
  weights.warnings.push(...file.header.warnings);
  for (const [tensor, info] of file.tensors) {
    if (weights.tensors.has(tensor)) {
      throw new HopscopeError(
        'DuplicateTensor',
        `Tensor "${tensor}" is in more than one file of ${root}, ${name} being the second. Download the model again.`,
      );
    }
    weights.tensors.set(tensor, info);
    weights.fileOf.set(tensor, file);
  }
}

/** Opens every shard that the index names and compares the two ways. */
function openShards(weights: Weights, root: string, indexPath: string): void {
  const file = `${root}/${indexName}`;
  const index = readJson(indexPath, { maximumBytes: maximumIndexBytes, file });
  const map = isJsonObject(index) ? index.weight_map : undefined;
  if (!isJsonObject(index) || !isJsonObject(map)) throw new HopscopeError('BadIndex', `${file} has no object weight_map.`);
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !shard.endsWith('.safetensors')) {
      throw new HopscopeError(
        'BadIndex',
        `${file}: weight_map gives tensor "${tensor}" ${JSON.stringify(shard)}; the name of a .safetensors file is expected.`,
      );
    }
    shardOf.set(tensor, shard);
  }
  if (shardOf.size === 0) throw new HopscopeError('BadIndex', `${file} lists no tensor.`);
  for (const shard of new Set(shardOf.values())) {
    const path = pathInside(root, shard);
    if (path === undefined) {
      throw new HopscopeError('ShardMissing', `${root} has no ${shard}, which ${indexName} names. Download the missing file.`);
    }
    addFile(weights, root, shard, path);
  }
  for (const [tensor, shard] of shardOf) {
    if (weights.fileOf.get(tensor) !== weights.files.get(shard)) {
      throw new HopscopeError(
        'MissingTensor',
        `${file} says that tensor "${tensor}" is in ${shard}, but it is not. Download the model again.`,
      );
    }
  }
  const extra = [...weights.tensors.keys()].filter((name) => !shardOf.has(name));
  if (extra.length > 0)
    weights.warnings.push(
      `${extra.length} tensors are in no weight_map of ${file}, such as "${extra[0]}"; they are read all the same.`,
    );
  const total = isJsonObject(index.metadata) ? index.metadata.total_size : undefined;
  const found = [...weights.tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0);
  if (isInteger(total) && total !== found) {
    weights.warnings.push(`${file} gives a total_size of ${total} bytes; its shards hold ${found}.`);
  }
}

function weightsMissing(root: string): HopscopeError {
  const other = readdirSync(root).find((name) => /\.(bin|pt|pth|ckpt|pkl|h5|msgpack|gguf|onnx)$/i.test(name));
  const advice =
    other === undefined
      ? 'Download the model again, with its .safetensors files.'
      : `It has ${other}, a kind of file that is not opened (pickled ones can run code). Save the model as safetensors first.`;
  return new HopscopeError('WeightsMissing', `${root} has neither ${singleName} nor ${indexName}. ${advice}`);
}

/** Digests by path, size and modification time. */
const contentHashes = new Map<string, string>();

/** sha256 (hexadecimal) of a file's bytes, counted once per path, size and modification time. */
export function contentHash(path: string): string {
  const { size, mtimeMs } = statSync(path);
  const key = `${path}\n${size}\n${mtimeMs}`;
  const known = contentHashes.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  const piece = new Uint8Array(Math.min(Math.max(size, 1), 1 << 22));
  const descriptor = openSync(path, 'r');
  try {
    for (let count = readSync(descriptor, piece); count > 0; count = readSync(descriptor, piece))
      hash.update(piece.subarray(0, count));
  } finally {
    closeSync(descriptor);
  }
  const digest = hash.digest('hex');
  contentHashes.set(key, digest);
  return digest;
}
