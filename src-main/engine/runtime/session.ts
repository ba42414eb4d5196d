/**
 * One compiled program of onnxruntime: reads tensors where they lie, writes results where the caller wants them.
 * The only file that imports onnxruntime-node; it knows nothing of models, and where memory comes from is memory.ts's concern.
 */
import { isMainThread } from 'node:worker_threads';
import { HopscopeError } from '../../shared/errors.ts';
import { fedAgain, forDevice } from '../graph/for-device.ts';
import type { Graph } from '../graph/graph.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { copiesAvoidable } from './copies-avoidable.ts';
import type { DeviceName } from './device.ts';
import { deviceError } from './device-errors.ts';
import { type AnyTensor, runOnDevice } from './device-tensor.ts';
import { type Declared, nativeTensors } from './native-tensors.ts';
import {
  firstOutput,
  type NativeBuffer,
  type NativeMetadata,
  type NativeSession,
  type NativeTensor,
  type ReturnedBuffer,
  ReturnedTensor,
  runWithCopies,
  runWithoutCopies,
  withFirstOutput,
} from './output-copy.ts';
import { leftToCpu, type Placement, profilePlacement } from './placement.ts';

export interface SessionSettings {
  /** `auto` is the CPU here; device.ts chooses for a run. */
  device: DeviceName;
  /** Threads inside one operator, at least 1. The same number gives the same bits. */
  threads: number;
  /** What errors call the program; default `program`. */
  name?: string;
  /** A failure is expected and not logged. */
  quiet?: boolean;
}

interface NativeBinding {
  InferenceSession: new () => NativeSession;
  listSupportedBackends(): { name: string; bundled: boolean }[];
  initOrtOnce(logLevel: number, tensorClass: typeof ReturnedTensor, isMainThread: boolean): void;
}

const fatalOnly = 4;
const errors = 3;

let loading: Promise<NativeBinding> | undefined;

/** How results reach the caller's buffers. */
type Way = 'without copies' | 'with copies' | 'on device';

export class Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #name: string;
  readonly #inputs: Declared;
  readonly #outputs: Declared;
  /** Inputs that are fed with another one's elements in a shape of their own. */
  readonly #again: readonly { metadata: NativeMetadata; source: string }[];
  readonly #way: Way;
  #native: NativeSession | null;

  private constructor(native: NativeSession, name: string, way: Way) {
    this.#native = native;
    this.#name = name;
    this.#way = way;
    const named = (values: readonly NativeMetadata[]) => new Map(values.map((value) => [value.name, value]));
    this.#inputs = named(native.inputMetadata.filter((value) => fedAgain(value.name) === null));
    this.#outputs = named(native.outputMetadata.filter((value) => value.name !== firstOutput));
    this.#again = native.inputMetadata.flatMap((metadata) => {
      const source = fedAgain(metadata.name);
      return source === null ? [] : [{ metadata, source }];
    });
    this.inputs = [...this.#inputs.keys()];
    this.outputs = [...this.#outputs.keys()];
  }

  /**
   * Compiles a graph, rewritten for the device where that is needed. On a device that keeps tensors and computes with 16 bits the inputs in
   * `halves` are fed as float16. Errors: those of `create`; `BadGraph`.
   */
  static compile(graph: Graph, settings: SessionSettings, halves: ReadonlySet<string> = new Set()): Promise<Session> {
    return Session.create(encodeOnnx(keepsTensors(settings.device) ? forDevice(graph, halves) : graph), settings);
  }

  /**
   * Compiles the bytes of an ONNX model. Errors: `RuntimeFailed` with onnxruntime's words, for a model that it refuses or where its
   * library does not load; `OperatorNotOnDevice` where the device would leave an operator to the CPU; `DeviceLost`, `OutOfDeviceMemory`.
   */
  static async create(model: Uint8Array, settings: SessionSettings): Promise<Session> {
    const binding = await loadBinding();
    const name = settings.name ?? 'program';
    const withoutCopies = isCpu(settings.device) && avoidsCopies(binding);
    const way = keepsTensors(settings.device) ? 'on device' : withoutCopies ? 'without copies' : 'with copies';
    try {
      return new Session(
        load(binding, withoutCopies ? withFirstOutput(model) : model, settings, aloneOn(settings.device)),
        name,
        way,
      );
    } catch (error) {
      throw (
        leftToCpu(error, name, settings.device, (options) => load(binding, model, settings, options)) ??
        failure(`The program "${name}" could not be loaded on ${settings.device}`, error)
      );
    }
  }

  /**
   * A program whose one result the device allocates (`allocate`). What it gave out is gone when the program is released.
   * For device-memory.ts; on a device that keeps tensors only.
   */
  static async createAllocating(model: Uint8Array, settings: SessionSettings): Promise<Session> {
    const options = { ...aloneOn(settings.device), preferredOutputLocation: 'gpu-buffer' };
    const name = settings.name ?? 'memory';
    try {
      return new Session(load(await loadBinding(), model, settings, options), name, 'on device');
    } catch (error) {
      throw failure(`The program "${name}" could not be loaded on ${settings.device}`, error);
    }
  }

  /**
   * Runs the program and blocks until it is done. Every input must be fed and is read where it lies. Each result named is written
   * into the caller's tensor, whose buffer may be a WebAssembly memory; it must not overlap an input, except where one elementwise
   * operator writes the result and is the last to read that input. Results not named are computed but not fetched.
   * On a device that keeps tensors feeds and results may lie there; without a result on the CPU the device may still be at work afterwards,
   * and its failure is reported by a later run. There the operator that writes a result over an input must not be one that reads it.
   * Errors: `RuntimeFailed`, `DeviceLost`, `OutOfDeviceMemory`.
   */
  run(feeds: Readonly<Record<string, AnyTensor>>, results: Readonly<Record<string, AnyTensor>>): void {
    if (Object.keys(results).length === 0) throw this.#misuse('no result is asked for');
    const native = this.#usable();
    const nativeFeeds = this.#feeds(feeds);
    const nativeResults = this.#convert('output', this.#outputs, results);
    try {
      if (this.#way === 'on device') runOnDevice(native, nativeFeeds, nativeResults);
      else if (this.#way === 'without copies')
        runWithoutCopies(native, nativeFeeds, nativeResults as Record<string, NativeTensor>);
      else runWithCopies(native, nativeFeeds, nativeResults as Record<string, NativeTensor>);
    } catch (error) {
      throw failure(`The program "${this.#name}" failed`, error);
    }
  }

  /** Runs a program made with `createAllocating`; its result in a buffer of the device. Errors: those of `run`. */
  allocate(feeds: Readonly<Record<string, AnyTensor>>): ReturnedBuffer {
    const native = this.#usable();
    const [output] = this.outputs as [string];
    try {
      const result = native.run(this.#feeds(feeds), { [output]: null }, {})[output]!;
      if (result.location === 'gpu-buffer') return result;
    } catch (error) {
      throw failure(`The program "${this.#name}" failed`, error);
    }
    throw this.#misuse('its result is not on a device');
  }

  /** Frees the program; it cannot run afterwards. Releasing twice is harmless. */
  release(): void {
    this.#native?.dispose();
    this.#native = null;
  }

  #usable(): NativeSession {
    if (!this.#native) throw this.#misuse('it has been released');
    return this.#native;
  }

  #feeds(feeds: Readonly<Record<string, AnyTensor>>): Record<string, NativeTensor | NativeBuffer> {
    for (const name of this.inputs) if (!feeds[name]) throw this.#misuse(`the input ${name} is not fed`);
    const converted = this.#convert('input', this.#inputs, feeds);
    for (const { metadata, source } of this.#again) converted[metadata.name] = { ...converted[source]!, dims: metadata.shape };
    return converted;
  }

  /** The tensors as the binding takes them, once they are known to be what the program expects. */
  #convert(
    role: 'input' | 'output',
    expected: Declared,
    tensors: Readonly<Record<string, AnyTensor>>,
  ): Record<string, NativeTensor | NativeBuffer> {
    try {
      return nativeTensors(role, expected, tensors, this.#way === 'on device');
    } catch (error) {
      throw this.#misuse((error as Error).message);
    }
  }

  #misuse(reason: string): HopscopeError {
    return new HopscopeError('RuntimeFailed', `The program "${this.#name}" cannot run: ${reason}.`, 'failure');
  }
}

/** Whether tensors can stay on the device between programs: the Node binding has that for WebGPU only. */
export function keepsTensors(device: DeviceName): boolean {
  return device === 'webgpu';
}

/** Which provider each operator of a graph is given to on a device. Errors: `RuntimeFailed`, `BadGraph`. */
export async function nodePlacement(graph: Graph, settings: SessionSettings): Promise<Placement[]> {
  const binding = await loadBinding();
  const model = encodeOnnx(keepsTensors(settings.device) ? forDevice(graph) : graph);
  try {
    return profilePlacement((options) => load(binding, model, settings, options));
  } catch (error) {
    throw failure(`The program "${graph.name}" could not be profiled on ${settings.device}`, error);
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

function load(
  binding: NativeBinding,
  model: Uint8Array,
  { device, threads, quiet = isCpu(device) }: SessionSettings,
  { session: entries = {}, ...options }: { session?: object } = {},
): NativeSession {
  const session = new binding.InferenceSession();
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
    executionProviders: isCpu(device) ? ['cpu'] : [device, 'cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // What goes wrong on the CPU is thrown as well as logged; some errors of devices are only logged.
    logSeverityLevel: quiet ? fatalOnly : errors,
    // Each session has its own threads; idle ones that spin would take the cores from the session that works.
    extra: { session: { intra_op: { allow_spinning: '0' }, ...entries } },
    ...options,
  });
  return session;
}

const avoidsCopies = (binding: NativeBinding): boolean =>
  copiesAvoidable((model) => load(binding, model, { device: 'cpu', threads: 1 }));

function isCpu(device: DeviceName): boolean {
  return device === 'cpu' || device === 'auto';
}

/** On a device that keeps tensors an operator left to the CPU would move them there and back: it is refused instead. */
function aloneOn(device: DeviceName): { session?: object } {
  return keepsTensors(device) ? { session: { disable_cpu_ep_fallback: '1' } } : {};
}

function failure(what: string, error: unknown): HopscopeError {
  const message = error instanceof Error ? error.message : String(error);
  // Assertions of the library name a source file, a function and a condition before they say what is wrong.
  const reason = message.replace(/\/onnxruntime_src\/.* was false\. /s, '').trim();
  const named = deviceError(what, reason);
  if (named) return named;
  return new HopscopeError('RuntimeFailed', `${what}: ${reason}`, 'failure');
}
