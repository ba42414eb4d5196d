/**
 * Keeps the CPU binding from copying outputs: the one file that leans on the binding's private behaviour, tested before it is used.
 * It imports nothing of onnxruntime and is never needed for correctness; session.ts copies results itself where the test fails.
 *
 * The binding lets the runtime write outputs into buffers that the caller gives, and then, needlessly, copies every output into a
 * new ArrayBuffer and constructs a tensor around it (64 MB: 7 times the time of the computation). It constructs them in the order of
 * the model's outputs with the class it was given at start. So every model gets one more output, a single number, in front; the
 * class throws when it is constructed, and the run ends with the buffers written and nothing large copied. onnxruntime's pull
 * request 32346 (reused output buffers) would make this file needless.
 */

/** A tensor as the native binding takes it; a plain object will do. */
export interface NativeTensor {
  type: string;
  data: ArrayBufferView;
  dims: readonly number[];
  location: 'cpu';
}

/** A tensor on the device as the native binding takes it; `gpuBuffer` is its own handle of the buffer. */
export interface NativeBuffer {
  type: string;
  dims: readonly number[];
  location: 'gpu-buffer';
  gpuBuffer: unknown;
}

/** The same as the binding returns it. `dispose` frees the buffer if the runtime allocated it, else only the handle. */
export interface ReturnedBuffer extends NativeBuffer {
  dispose(): void;
}

/** The native session, as far as it is used. `null` fetches are allocated by the runtime. */
export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  run(
    feeds: Record<string, NativeTensor | NativeBuffer>,
    fetches: Record<string, NativeTensor | NativeBuffer | null>,
    options: object,
  ): Record<string, NativeTensor | ReturnedBuffer>;
  /** Writes the profile of a session that was loaded to be profiled. */
  endProfiling(): void;
  dispose(): void;
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
}

/** `type` is ONNX's number of the element type; a symbolic size is -1. */
export interface NativeMetadata {
  name: string;
  isTensor: boolean;
  type: number;
  shape: readonly number[];
}

/** Name of the output put in front of a model's own. */
export const firstOutput = 'hopscope.first';

/** Thrown from inside the binding; made once, because making an Error collects a stack. */
const finished = new Error('The outputs are written; nothing is left to copy.');
let withoutCopies = false;

/** The class that the native binding must be started with (`initOrtOnce`). */
export class ReturnedTensor {
  readonly type: string;
  readonly data: ArrayBufferView;
  readonly dims: readonly number[];
  readonly location = 'cpu';
  constructor(type: string, data: ArrayBufferView, dims: readonly number[]) {
    if (withoutCopies) throw finished;
    this.type = type;
    this.data = data;
    this.dims = dims;
  }

  /** What the binding calls instead for a result on the device. */
  static fromGpuBuffer(
    gpuBuffer: unknown,
    { dataType, dims, dispose }: { dataType: string; dims: readonly number[]; dispose: () => void },
  ): ReturnedBuffer {
    return { type: dataType, dims, location: 'gpu-buffer', gpuBuffer, dispose };
  }
}

/** Runs a session made from `withFirstOutput(model)`; the outputs are in the buffers of `fetches` afterwards. Throws what the runtime throws. */
export function runWithoutCopies(
  session: NativeSession,
  feeds: Record<string, NativeTensor | NativeBuffer>,
  fetches: Record<string, NativeTensor | null>,
): void {
  fetches[firstOutput] = null;
  withoutCopies = true;
  try {
    session.run(feeds, fetches, {});
  } catch (error) {
    if (error !== finished) throw error;
  } finally {
    withoutCopies = false;
  }
}

/** Runs the plain way: the runtime allocates the outputs, the binding copies them, and they are copied here into the buffers of `fetches`. */
export function runWithCopies(
  session: NativeSession,
  feeds: Record<string, NativeTensor | NativeBuffer>,
  fetches: Record<string, NativeTensor | null>,
): void {
  const returned = session.run(feeds, Object.fromEntries(Object.keys(fetches).map((name) => [name, null])), {});
  for (const [name, tensor] of Object.entries(fetches)) {
    const result = returned[name];
    if (!tensor || !result || result.location !== 'cpu') continue;
    if (result.data.byteLength !== tensor.data.byteLength) {
      throw new Error(`output ${name} has shape [${result.dims.join(', ')}], but the buffer is for [${tensor.dims.join(', ')}]`);
    }
    bytesOf(tensor.data).set(bytesOf(result.data));
  }
}

/**
 * Whether avoiding the copies gives right results with this binding: `session` is made from `withFirstOutput` of a model whose
 * outputs are given, with their true values, in `expected`. Both ways are run and compared; the tensor class must have been called.
 */
export function testOutputs(
  session: NativeSession,
  feeds: Record<string, NativeTensor>,
  expected: Record<string, NativeTensor>,
): boolean {
  const blank = () =>
    Object.fromEntries(
      Object.entries(expected).map(([name, tensor]) => [
        name,
        { ...tensor, data: new Float32Array(tensor.data.byteLength / 4).fill(-77) },
      ]),
    );
  return [runWithCopies, runWithoutCopies].every((run) => {
    const fetches = blank();
    try {
      run(session, feeds, fetches);
    } catch {
      return false;
    }
    return Object.entries(expected).every(
      ([name, tensor]) => Buffer.compare(bytesOf(fetches[name]!.data), bytesOf(tensor.data)) === 0,
    );
  });
}

/**
 * The model with one more output in front of its own: concatenating the bytes of two protobuf messages merges them, lists in order.
 * What is put in front is, in ONNX's field numbers, ModelProto.graph (7) with a node (1) Constant and an output (12), a float scalar.
 */
export function withFirstOutput(model: Uint8Array): Uint8Array {
  const name = text(firstOutput);
  const floatScalar = field(1, [0x08, 1, ...field(2, [])]); // TypeProto.tensor_type: elem_type (1) float, shape (2) []
  const one = [0x15, 0, 0, 0x80, 0x3f]; // AttributeProto.f (2), four bytes: 1.0
  const attribute = [...field(1, text('value_float')), ...one, 0xa0, 0x01, 1]; // and AttributeProto.type (20): FLOAT
  const node = [...field(2, name), ...field(4, text('Constant')), ...field(5, attribute)];
  const output = [...field(1, name), ...field(2, floatScalar)];
  const prefix = field(7, [...field(1, node), ...field(12, output)]);
  const whole = new Uint8Array(prefix.length + model.length);
  whole.set(prefix);
  whole.set(model, prefix.length);
  return whole;
}

/** A protobuf field of bytes: (number, wire type 2), length, contents. All lengths here are under 128, so that one byte holds them. */
function field(number: number, contents: readonly number[]): number[] {
  return [(number << 3) | 2, contents.length, ...contents];
}

function text(value: string): number[] {
  return [...Buffer.from(value)];
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
