/**
 * One compiled program of onnxruntime: reads tensors where they lie, writes results where the caller wants them.
 * The only file that imports onnxruntime-node; it knows nothing of models, and where memory comes from is memory.ts's concern.
 */
import { isMainThread } from 'node:worker_threads';
import { HopscopeError } from '../../shared/errors.ts';
import { Graph } from '../graph/graph.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { type ElementType, elementCount, type Tensor } from '../tensor.ts';
import type { DeviceName } from './device.ts';
import {
  firstOutput,
  type NativeMetadata,
  type NativeSession,
  type NativeTensor,
  ReturnedTensor,
  runWithCopies,
  runWithoutCopies,
  testOutputs,
  withFirstOutput,
} from './output-copy.ts';

export interface SessionSettings {
  /** `auto` is the CPU here; device.ts chooses for a run. */
  device: DeviceName;
  /** Threads inside one operator, at least 1. The same number gives the same bits. */
  threads: number;
  /** What errors call the program; default `program`. */
  name?: string;
}

interface NativeBinding {
  InferenceSession: new () => NativeSession;
  listSupportedBackends(): { name: string; bundled: boolean }[];
  initOrtOnce(logLevel: number, tensorClass: typeof ReturnedTensor, isMainThread: boolean): void;
}

/** Names of the native binding and ONNX's numbers of the element types. bfloat16 is fed as its 16 bits, which graphs reinterpret. */
const nativeTypes: Record<ElementType, { name: string; number: number }> = {
  float32: { name: 'float32', number: 1 },
  uint8: { name: 'uint8', number: 2 },
  bfloat16: { name: 'uint16', number: 4 },
  int32: { name: 'int32', number: 6 },
  int64: { name: 'int64', number: 7 },
  bool: { name: 'bool', number: 9 },
  float16: { name: 'float16', number: 10 },
};

const fatalOnly = 4;
const errors = 3;

let loading: Promise<NativeBinding> | undefined;
let copiesAvoidable: boolean | undefined;

export class Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #name: string;
  readonly #inputs: ReadonlyMap<string, NativeMetadata>;
  readonly #outputs: ReadonlyMap<string, NativeMetadata>;
  readonly #withoutCopies: boolean;
  #native: NativeSession | null;

  private constructor(native: NativeSession, name: string, withoutCopies: boolean) {
    this.#native = native;
    this.#name = name;
    this.#withoutCopies = withoutCopies;
    this.#inputs = new Map(native.inputMetadata.map((value) => [value.name, value]));
    this.#outputs = new Map(
      native.outputMetadata.filter((value) => value.name !== firstOutput).map((value) => [value.name, value]),
    );
    this.inputs = [...this.#inputs.keys()];
    this.outputs = [...this.#outputs.keys()];
  }

  /**
   * Compiles the bytes of an ONNX model. Errors: `RuntimeFailed` with onnxruntime's words, for a model that it refuses or where its
   * library does not load.
   */
  static async create(model: Uint8Array, settings: SessionSettings): Promise<Session> {
    const binding = await loadBinding();
    const name = settings.name ?? 'program';
    const withoutCopies = isCpu(settings.device) && avoidsCopies(binding);
    try {
      return new Session(load(binding, withoutCopies ? withFirstOutput(model) : model, settings), name, withoutCopies);
    } catch (error) {
      throw failure(`The program "${name}" could not be loaded on ${settings.device}`, error);
    }
  }

  /**
   * Runs the program and blocks until it is done. Every input must be fed and is read where it lies. Each result named is written
   * into the caller's tensor, whose buffer may be a WebAssembly memory; it must not overlap an input, except where one elementwise
   * operator writes the result and is the last to read that input. Results not named are computed but not fetched.
   * Errors: `RuntimeFailed`.
   */
  run(feeds: Readonly<Record<string, Tensor>>, results: Readonly<Record<string, Tensor>>): void {
    if (!this.#native) throw this.#misuse('it has been released');
    for (const name of this.inputs) if (!feeds[name]) throw this.#misuse(`the input ${name} is not fed`);
    if (Object.keys(results).length === 0) throw this.#misuse('no result is asked for');
    const nativeFeeds = this.#convert('input', this.#inputs, feeds);
    const nativeResults = this.#convert('output', this.#outputs, results);
    try {
      if (this.#withoutCopies) runWithoutCopies(this.#native, nativeFeeds, nativeResults);
      else runWithCopies(this.#native, nativeFeeds, nativeResults);
    } catch (error) {
      throw failure(`The program "${this.#name}" failed`, error);
    }
  }

  /** Frees the program; it cannot run afterwards. Releasing twice is harmless. */
  release(): void {
    this.#native?.dispose();
    this.#native = null;
  }

  /** The tensors as the binding takes them, once they are known to be what the program expects. */
  #convert(
    role: 'input' | 'output',
    expected: ReadonlyMap<string, NativeMetadata>,
    tensors: Readonly<Record<string, Tensor>>,
  ): Record<string, NativeTensor> {
    const converted: Record<string, NativeTensor> = {};
    for (const name in tensors) {
      const { type, shape, data } = tensors[name]!;
      const declared = expected.get(name);
      if (!declared) throw this.#misuse(`it has no ${role} ${name}; it has ${[...expected.keys()].join(', ')}`);
      const native = nativeTypes[type];
      const fits =
        declared.type === native.number &&
        declared.shape.length === shape.length &&
        declared.shape.every((size, axis) => size === -1 || size === shape[axis]) &&
        data.length === elementCount(shape);
      if (!fits) {
        const wanted = Object.values(nativeTypes).find(({ number }) => number === declared.type)?.name ?? `type ${declared.type}`;
        throw this.#misuse(
          `the ${role} ${name} is ${wanted}[${declared.shape.join(', ')}], not ${type}[${shape.join(', ')}] with ${data.length} elements`,
        );
      }
      converted[name] = { type: native.name, data, dims: shape, location: 'cpu' };
    }
    return converted;
  }

  #misuse(reason: string): HopscopeError {
    return new HopscopeError('RuntimeFailed', `The program "${this.#name}" cannot run: ${reason}.`, 'failure');
  }
}

/** Names of the execution providers that this build of onnxruntime knows; `bundled` ones need no further libraries. */
export async function supportedProviders(): Promise<{ name: string; bundled: boolean }[]> {
  return (await loadBinding()).listSupportedBackends();
}

/** Whether results reach the caller's buffers without a copy on the CPU (output-copy.ts); for reports. */
export async function writesInPlace(): Promise<boolean> {
  return avoidsCopies(await loadBinding());
}

function loadBinding(): Promise<NativeBinding> {
  loading ??= import('onnxruntime-node/dist/binding.js').then(
    (module) => {
      const binding = module.binding as unknown as NativeBinding;
      binding.initOrtOnce(errors, ReturnedTensor, isMainThread);
      return binding;
    },
    (error: unknown) => {
      throw failure(`onnxruntime does not load on ${process.platform} ${process.arch}; run npm ci again`, error);
    },
  );
  return loading;
}

function load(binding: NativeBinding, model: Uint8Array, { device, threads }: SessionSettings): NativeSession {
  const session = new binding.InferenceSession();
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
    executionProviders: isCpu(device) ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // What goes wrong on the CPU is thrown as well as logged; some errors of devices are only logged.
    logSeverityLevel: isCpu(device) ? fatalOnly : errors,
    // Each session has its own threads; idle ones that spin would take the cores from the session that works.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  return session;
}

function isCpu(device: DeviceName): boolean {
  return device === 'cpu' || device === 'auto';
}

/** Tries output-copy.ts once per thread on a program with an elementwise, a reducing, a passed-through and a constant result. */
function avoidsCopies(binding: NativeBinding): boolean {
  if (process.env.HOPSCOPE_PLAIN_OUTPUTS === '1') return false;
  if (copiesAvoidable === undefined) {
    const graph = new Graph('output test');
    const x = graph.input('x', [5, 301]);
    graph.output('negated', graph.negate(x));
    graph.output('sum', graph.reduceSum(x, [0], false));
    graph.output('same', x);
    graph.output('fixed', graph.constant({ type: 'float32', shape: [2], data: Float32Array.of(3, 4) }));
    const values = Float32Array.from({ length: 5 * 301 }, (_, index) => index % 97);
    const sum = Float32Array.from({ length: 301 }, (_, column) =>
      [0, 1, 2, 3, 4].reduce((total, row) => total + values[row * 301 + column]!, 0),
    );
    const tensor = (dims: readonly number[], data: Float32Array): NativeTensor => ({
      type: 'float32',
      data,
      dims,
      location: 'cpu',
    });
    const session = load(binding, withFirstOutput(encodeOnnx(graph)), { device: 'cpu', threads: 1 });
    copiesAvoidable = testOutputs(
      session,
      { x: tensor([5, 301], values) },
      {
        negated: tensor(
          [5, 301],
          values.map((value) => -value),
        ),
        sum: tensor([301], sum),
        same: tensor([5, 301], values),
        fixed: tensor([2], Float32Array.of(3, 4)),
      },
    ); // prettier-ignore
    session.dispose();
  }
  return copiesAvoidable;
}

function failure(what: string, error: unknown): HopscopeError {
  const message = error instanceof Error ? error.message : String(error);
  // Assertions of the library name a source file, a function and a condition before they say what is wrong.
  const reason = message.replace(/\/onnxruntime_src\/.* was false\. /s, '').trim();
  return new HopscopeError('RuntimeFailed', `${what}: ${reason}`, 'failure');
}
