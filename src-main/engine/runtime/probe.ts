/**
 * Tests one device on a small program, alone in its process: started as a script or by an entry that calls `answerProbe`.
 * It judges nothing and chooses nothing; device.ts does.
 */
import { fork } from 'node:child_process';
import { HopscopeError } from '../../shared/errors.ts';
import { Graph } from '../graph/graph.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { floatTensor } from '../tensor.ts';
import type { DeviceName } from './device.ts';
import { limitIn } from './device-errors.ts';
import { DeviceMemory } from './device-memory.ts';
import { keepsTensors, Session } from './session.ts';

/** Bytes of the largest buffer that every WebGPU adapter must offer; taken where the adapter's own limit is not known. */
const leastBuffer = 256 * 2 ** 20;

/** What a child process is started from: a script that calls `answerProbe` before anything else, and arguments before the flag. */
export interface ProbeEntry {
  file: string;
  arguments?: readonly string[];
}

/** The largest difference to the true values (probabilities, at most 1) that float32 in any order of summation explains. */
export const tolerance = 1e-4;

const flag = '--probe-device';

/** What a device that keeps tensors offers. */
export interface DeviceOffer {
  /** Whether it computes with float16 (WebGPU's shader-f16). */
  halfPrecision: boolean;
  /** Bytes of the largest tensor that can lie there, as far as it is asked for: at most 2 GiB. */
  largestBuffer: number;
}

export interface ProbeResult {
  /** The largest difference to the expected values. */
  difference: number;
  offer: DeviceOffer | null;
}

/** What the child answers. */
type Answer = ProbeResult | { error: string };

/**
 * softmax(X W^T) for X [13, 96] and W [40, 96] on the device: the largest difference to the same in float64 arithmetic.
 * Errors: `RuntimeFailed`. May abort or hang the process where a driver is broken.
 */
export async function runProbe(device: DeviceName): Promise<number> {
  const [rows, columns, inner] = [13, 40, 96];
  const graph = new Graph('device test');
  const x = graph.input('x', [rows, inner]);
  const w = graph.input('w', [columns, inner]);
  graph.output('y', graph.apply('Softmax', [graph.gemm(x, w, false, true)], { axis: -1 }));
  const xData = Float32Array.from({ length: rows * inner }, (_, index) => Math.sin(index * 0.7));
  const wData = Float32Array.from({ length: columns * inner }, (_, index) => Math.cos(index * 1.3) * 0.3);
  const y = floatTensor([rows, columns]);
  const session = await Session.create(encodeOnnx(graph), { device, threads: 1, name: 'device test' });
  session.run({ x: floatTensor(x.shape, xData), w: floatTensor(w.shape, wData) }, { y });
  session.release();

  let largest = 0;
  for (let row = 0; row < rows; row++) {
    const logits = Array.from({ length: columns }, (_, column) => {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += xData[row * inner + k]! * wData[column * inner + k]!;
      return sum;
    });
    const top = Math.max(...logits);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
    logits.forEach((logit, column) => {
      const difference = Math.abs(y.data[row * columns + column]! - Math.exp(logit - top) / total);
      // NaN is the largest difference of all, and Math.max would keep it only by luck of order
      largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference);
    });
  }
  return largest;
}

/** Asks for more than the device can give, so it is for a process that ends afterwards. */
async function examine(device: DeviceName): Promise<DeviceOffer | null> {
  if (!keepsTensors(device)) return null;
  return { halfPrecision: await (await DeviceMemory.of(device)).hasHalves(), largestBuffer: await largestBuffer(device) };
}

/** As much as is ever asked for in one buffer. */
const enough = 2 ** 31;

/** The adapter names its limit when it is asked for more, though not always at once; one that gives more than enough is told to give no more. */
async function largestBuffer(device: DeviceName): Promise<number> {
  const memory = await DeviceMemory.of(device);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      memory.allocate('float32', [enough / 4 + 1]).dispose();
      return enough;
    } catch (error) {
      const limit = limitIn(String(error));
      if (limit !== null) return Math.min(limit, enough);
    }
  }
  return leastBuffer;
}

/**
 * Runs the probe in a child process and returns what it found. Errors: `DeviceUnavailable` when the child reports an error, dies
 * or does not answer in time (it is then killed).
 */
export function probeInChild(device: DeviceName, entry: ProbeEntry, milliseconds: number): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const refuse = (reason: string) => reject(new HopscopeError('DeviceUnavailable', reason));
    // In Electron the child must be plain Node; elsewhere the variable means nothing.
    const child = fork(entry.file, [...(entry.arguments ?? []), flag, device], {
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-2000);
    });
    const timer = setTimeout(() => {
      refuse(`The test of ${device} did not answer in ${milliseconds / 1000} s.`);
      child.kill('SIGKILL');
    }, milliseconds);
    child.on('message', (answer: Answer) => {
      if ('difference' in answer) resolve(answer);
      else refuse(answer.error);
    });
    child.on('error', (error) => refuse(`The test of ${device} did not start: ${error.message}.`));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const last = log.trim().split('\n').at(-1) ?? '';
      refuse(`The test of ${device} ended without an answer (${signal ?? `exit ${code}`})${last ? `: ${last}` : ''}.`);
    });
  });
}

/**
 * For the entry script of the child: answers over its IPC channel and exits if this process was started as a probe, and returns
 * false at once if not. Call it before anything else: `if (!(await answerProbe(process.argv))) main();`.
 */
export async function answerProbe(argv: readonly string[]): Promise<boolean> {
  const at = argv.indexOf(flag);
  const device = argv[at + 1];
  if (at < 0 || device === undefined || !process.send) return false;
  let answer: Answer;
  try {
    const difference = await runProbe(device as DeviceName);
    answer = { difference, offer: await examine(device as DeviceName) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  // A driver may also crash or hang while the process ends; the answer is out by then, and the process is ended for it.
  process.send(answer, () => process.kill(process.pid, 'SIGKILL'));
  return true;
}
