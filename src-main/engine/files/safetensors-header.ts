/**
 * The header of a safetensors file: parsing with every bound checked before it is used, and building.
 * It touches no file; reading and writing are in safetensors.ts.
 */
import { HopscopeError } from '../../shared/errors.ts';
import { bytesPerElement, type ElementType } from '../tensor.ts';
import { isInteger, isJsonObject, type JsonObject, type JsonValue, loneSurrogate, parseJson } from './strict-json.ts';

/** Where a tensor lies in its file. */
export interface TensorInfo {
  /** The engine's name of the element type; undefined for types that are valid in a file but not computed with. */
  readonly type: ElementType | undefined;
  /** The file's name of the element type, such as `BF16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and one past the last byte, counted from the start of the file. */
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the bytes in the file. */
  readonly tensors: Map<string, TensorInfo>;
  readonly metadata: Map<string, string>;
  /** Where the tensors' bytes begin. */
  readonly dataStart: number;
  readonly warnings: string[];
}

/** The format's own limit. */
export const maximumHeaderBytes = 100_000_000;
const maximumRank = 16;

/** Bits per element of every type that the format knows. */
// biome-ignore format: one row per width
const bitsPerElement: Record<string, number> = {
  F4: 4, F6_E2M3: 6, F6_E3M2: 6,
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  I16: 16, U16: 16, F16: 16, BF16: 16,
  I32: 32, U32: 32, F32: 32,
  C64: 64, F64: 64, I64: 64, U64: 64,
};
const engineTypes: Record<string, ElementType> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
};
const fileTypes = Object.fromEntries(Object.entries(engineTypes).map(([file, engine]) => [engine, file])) as Record<
  ElementType,
  string
>;

/**
 * The header's length from the file's first 8 bytes, checked against the file's size before anything is allocated.
 * @throws HopscopeError `BadSafetensors`
 */
export function headerLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  if (fileBytes < 8 || prefix.length < 8) fail(file, `it has ${fileBytes} bytes; a safetensors file has at least 8`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maximumHeaderBytes))
    fail(file, `its header claims ${length} bytes; at most ${maximumHeaderBytes} are allowed`);
  if (8n + length > BigInt(fileBytes))
    fail(file, `its header claims ${length} bytes but the file has only ${fileBytes}; it may be cut short`);
  return Number(length);
}

/** Parses and checks a header against its file's size. @throws HopscopeError `BadSafetensors` saying what and where. */
export function parseHeader(bytes: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const root = parseHeaderJson(bytes, file);
  const dataStart = 8 + bytes.length;
  const header: SafetensorsHeader = { tensors: new Map(), metadata: new Map(), dataStart, warnings: [] };
  const tensors: [string, TensorInfo][] = [];
  for (const [name, value] of Object.entries(root)) {
    if (name === '__metadata__') readMetadata(value, header.metadata, file);
    else tensors.push([name, readTensorInfo(name, value, header, file)]);
  }
  tensors.sort(([, left], [, right]) => left.start - right.start || left.end - right.end);
  let position = dataStart;
  for (const [name, info] of tensors) {
    if (info.start > position) fail(file, `${info.start - position} bytes before tensor ${show(name)} belong to no tensor`);
    if (info.start < position) fail(file, `tensor ${show(name)} overlaps the tensor before it`);
    position = info.end;
    header.tensors.set(name, info);
  }
  if (position > fileBytes) fail(file, `its tensors need ${position} bytes but the file has ${fileBytes}; it is cut short`);
  if (position < fileBytes) fail(file, `${fileBytes - position} bytes at its end belong to no tensor`);
  return header;
}

/** The JSON text's bytes for a header, padded so that the data starts at a multiple of 8. */
export function buildHeader(
  tensors: Iterable<[string, { type: ElementType; shape: readonly number[]; byteLength: number }]>,
  metadata: Record<string, string>,
): Uint8Array {
  const entries: string[] = [];
  if (Object.keys(metadata).length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let position = 0;
  for (const [name, { type, shape, byteLength }] of tensors) {
    const record = { dtype: fileTypes[type], shape, data_offsets: [position, position + byteLength] };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(record)}`);
    position += byteLength;
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  return padded;
}

/** Why a name cannot be a tensor's, or undefined. */
export function tensorNameProblem(name: string): string | undefined {
  if (name === '') return 'a tensor has an empty name';
  if (name === '__metadata__') return 'a tensor is named __metadata__, which the format reserves';
  if (/\p{Cc}/u.test(name)) return `the tensor name ${show(name)} holds a control character`;
  if (loneSurrogate.test(name)) return `the tensor name ${show(name)} holds half a surrogate pair`;
  return undefined;
}

function parseHeaderJson(bytes: Uint8Array, file: string): JsonObject {
  let root: JsonValue;
  try {
    root = parseJson(bytes, { file: `header of ${file}`, integers: 'only' });
  } catch (error) {
    if (error instanceof HopscopeError) throw new HopscopeError('BadSafetensors', error.message);
    throw error;
  }
  if (!isJsonObject(root)) fail(file, 'its header is not a JSON object');
  return root;
}

function readMetadata(value: JsonValue, metadata: Map<string, string>, file: string): void {
  if (value === null) return;
  if (!isJsonObject(value)) fail(file, 'its __metadata__ is not an object');
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') fail(file, `__metadata__ ${show(key)} is not a string`);
    metadata.set(key, text);
  }
}

function readTensorInfo(name: string, value: JsonValue, header: SafetensorsHeader, file: string): TensorInfo {
  const problem = tensorNameProblem(name);
  if (problem !== undefined) fail(file, problem);
  if (!isJsonObject(value)) fail(file, `tensor ${show(name)} is not described by an object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const extra = Object.keys(rest)[0];
  if (extra !== undefined) header.warnings.push(`${file}: tensor ${show(name)} has an unknown field ${show(extra)}, ignored.`);
  if (typeof dtype !== 'string' || !Object.hasOwn(bitsPerElement, dtype)) {
    fail(file, `tensor ${show(name)} has the unknown element type ${JSON.stringify(dtype) ?? '(missing)'}`);
  }
  if (!Array.isArray(shape) || shape.length > maximumRank || !shape.every((size) => isInteger(size))) {
    fail(file, `tensor ${show(name)} has no valid shape: a list of at most ${maximumRank} whole numbers is expected`);
  }
  if (
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !isInteger(offsets[0]) ||
    !isInteger(offsets[1]) ||
    offsets[0] > offsets[1]
  ) {
    fail(file, `tensor ${show(name)} has no valid data_offsets: [first byte, one past the last] is expected`);
  }
  const sizes = shape as number[];
  // A running product that leaves 2^53 - 1 is refused even if a later size is 0: readers disagree about such files.
  let bits = bitsPerElement[dtype] as number;
  for (const size of sizes) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) fail(file, `tensor ${show(name)} with shape [${sizes}] is too large to address`);
  }
  if (bits % 8 !== 0) fail(file, `tensor ${show(name)} of type ${dtype} with shape [${sizes}] does not fill whole bytes`);
  const [first, last] = offsets as [number, number];
  if (last - first !== bits / 8) {
    fail(file, `tensor ${show(name)} of type ${dtype} with shape [${sizes}] takes ${bits / 8} bytes but has ${last - first}`);
  }
  const start = header.dataStart + first;
  const end = header.dataStart + last;
  if (!Number.isSafeInteger(end)) fail(file, `tensor ${show(name)} ends past what can be addressed`);
  return { type: Object.hasOwn(engineTypes, dtype) ? engineTypes[dtype] : undefined, dtype, shape: sizes, start, end };
}

/** Bytes of a tensor's data. */
export function tensorBytes(type: ElementType, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, bytesPerElement[type]);
}

function show(name: string): string {
  const text = JSON.stringify(name);
  return text.length > 120 ? `${text.slice(0, 120)}..."` : text;
}

function fail(file: string, what: string): never {
  throw new HopscopeError('BadSafetensors', `${file}: ${what}. Download or export the file again.`);
}
