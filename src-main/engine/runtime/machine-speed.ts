/**
 * How fast this machine is at what models spend their time on: matrix products of several heights, Adam, widening, and its disks. Each is measured
 * in some tens of milliseconds and kept for the process; what follows for a piece of work is time-plan.ts's.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Graph } from '../graph/graph.ts';
import { encodeOnnx } from '../graph/onnx.ts';
import { floatTensor } from '../tensor.ts';
import { Arena, arenaSize } from './memory.ts';
import { Session } from './session.ts';

export interface MachineSpeed {
  /** Floating-point operations per second of [rows, k] x [n, k]^T, by rows, ascending. */
  products: readonly { rows: number; speed: number }[];
  /** Parameters per second of a step of Adam. */
  adam: number;
  /** Elements per second from bfloat16 to float32. */
  widening: number;
  /** Seconds for a program of one small operator: what a run costs beside its arithmetic. */
  program: number;
}

/** Seconds since whenever. */
export type Clock = () => number;

const wallClock: Clock = () => performance.now() / 1000;

const measured = new Map<number, Promise<MachineSpeed>>();

/** Measured at the first call for that number of threads. */
export function machineSpeed(threads: number): Promise<MachineSpeed> {
  let speed = measured.get(threads);
  if (!speed) {
    speed = measureMachine(threads);
    measured.set(threads, speed);
  }
  return speed;
}

const heights = [8, 32, 128, 512] as const;
/** A matrix of this size is larger than most caches, as a model's are. */
const [inner, outer] = [1024, 2816];

export async function measureMachine(threads: number, clock = wallClock): Promise<MachineSpeed> {
  const weights = floatTensor([outer, inner]);
  weights.data.forEach((_, index, data) => {
    data[index] = Math.sin(index);
  });
  const products: { rows: number; speed: number }[] = [];
  for (const rows of heights) {
    const seconds = await bestOfProgram(rows, weights.shape[0]!, inner, weights.data, threads, clock);
    products.push({ rows, speed: (2 * rows * outer * inner) / seconds });
  }
  const program = await bestOfProgram(8, 8, 8, new Float32Array(64), threads, clock);
  return { products, program, ...kernelSpeeds(clock) };
}

async function bestOfProgram(rows: number, n: number, k: number, data: Float32Array, threads: number, clock: Clock) {
  const graph = new Graph('speed');
  graph.output('y', graph.gemm(graph.input('x', [rows, k]), graph.input('w', [n, k]), false, true));
  const session = await Session.create(encodeOnnx(graph), { device: 'cpu', threads });
  const [x, w, y] = [floatTensor([rows, k]), floatTensor([n, k], data), floatTensor([rows, n])];
  x.data.fill(0.5);
  const seconds = best(clock, () => session.run({ x, w }, { y }));
  session.release();
  return seconds;
}

const kernelElements = 2 ** 22;

function kernelSpeeds(clock: Clock): Pick<MachineSpeed, 'adam' | 'widening'> {
  const size = arenaSize(kernelElements * 4);
  const arena = new Arena(4 * size);
  const places = Array.from({ length: 4 }, () => arena.address(arena.floats(kernelElements))) as [number, number, number, number];
  const step = {
    learningRate: 1e-6,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    correction1: 0.1,
    correction2: 0.001,
    decay: 0,
    gradientScale: 1,
  };
  const adam = best(clock, () => arena.kernels.adam(...places, kernelElements, step));
  const widening = best(clock, () => arena.kernels.widenBfloat16(places[0], places[1], kernelElements));
  return { adam: kernelElements / adam, widening: kernelElements / widening };
}

/** The least seconds of several tries, each of as many calls as take some milliseconds. */
function best(clock: Clock, action: () => void): number {
  action();
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 8; attempt++) {
    const started = clock();
    let calls = 0;
    let seconds = 0;
    while (seconds < 0.012) {
      action();
      calls++;
      seconds = clock() - started;
    }
    least = Math.min(least, seconds / calls);
  }
  return least;
}

export interface DiskSpeed {
  /** Bytes per second. */
  read: number;
  write: number;
}

const probeBytes = 2 ** 22;
const probes = 12;
const disks = new Map<string, number>();

/**
 * Bytes per second that come from a model's largest file, in pieces read here and there. What the system holds in memory comes faster, as it will
 * when the model is read. 1 GB/s where nothing can be read.
 */
export function readSpeed(folder: string): number {
  return remembered(`read ${folder}`, () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.safetensors'));
    const sizes = files.map((name) => ({ path: join(folder, name), size: statSync(join(folder, name)).size }));
    const { path, size } = sizes.reduce((most, file) => (file.size > most.size ? file : most));
    const count = Math.min(probes, Math.floor(size / probeBytes));
    if (count === 0) return usualSpeed;
    const descriptor = openSync(path, 'r');
    const buffer = Buffer.alloc(probeBytes);
    const started = performance.now();
    for (let probe = 0; probe < count; probe++) {
      const position = Math.floor(((probe + 0.5) / count) * (size - probeBytes));
      readSync(descriptor, buffer, 0, probeBytes, position);
    }
    const seconds = (performance.now() - started) / 1000;
    closeSync(descriptor);
    return (count * probeBytes) / seconds;
  });
}

/** Bytes per second that reach the disk of a folder, which must exist. 1 GB/s where nothing can be written. */
export async function writeSpeed(folder: string): Promise<number> {
  const known = disks.get(`write ${folder}`);
  if (known !== undefined) return known;
  const speed = await measureWriting(folder).catch(() => usualSpeed);
  disks.set(`write ${folder}`, speed);
  return speed;
}

async function measureWriting(folder: string): Promise<number> {
  const place = await mkdtemp(join(folder, 'hopscope-speed-'));
  try {
    const file = await open(join(place, 'probe'), 'w');
    const buffer = Buffer.alloc(probeBytes, 7);
    const started = performance.now();
    try {
      for (let probe = 0; probe < probes; probe++) await file.write(buffer, 0, probeBytes, probe * probeBytes);
      await file.datasync();
      return (probes * probeBytes) / ((performance.now() - started) / 1000);
    } finally {
      await file.close();
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

const usualSpeed = 1e9;

function remembered(key: string, measure: () => number): number {
  const known = disks.get(key);
  if (known !== undefined) return known;
  let speed = usualSpeed;
  try {
    speed = measure();
  } catch {
    // A folder that cannot be read is reported by whoever needs it
  }
  disks.set(key, speed);
  return speed;
}
