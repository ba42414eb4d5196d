/**
 * The devices a run can be computed on: which exist here, which one a name stands for, how many threads the CPU gets, and
 * whether a device computes what the CPU computes. It compiles nothing for a run itself; the test program is probe.ts's.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { HopscopeError } from '../../shared/errors.ts';
import type { DeviceReport } from '../../shared/records.ts';
import { type ProbeEntry, probeInChild, runProbe, tolerance } from './probe.ts';
import { supportedProviders } from './session.ts';

export const deviceNames = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export type DeviceName = (typeof deviceNames)[number];

/** Devices to choose from, the best first, when several pass their test. */
const preference: readonly DeviceName[] = ['webgpu', 'cuda', 'dml', 'coreml'];

/** The device names that this build of onnxruntime has a provider for; whether they work is for `selfTest`. */
export async function knownDevices(): Promise<DeviceName[]> {
  const providers = (await supportedProviders()).map(({ name }) => name);
  return deviceNames.filter((device) => providers.includes(device));
}

/**
 * The device that a name stands for. `auto` is the best GPU among `reports` that passed its self-test, and the CPU without one.
 * Errors: `DeviceUnavailable` for a name that means nothing, has no provider here or failed its test.
 */
export async function resolveDevice(name: string, reports: readonly DeviceReport[] = []): Promise<DeviceName> {
  const known = await knownDevices();
  if (name === 'auto') {
    return (
      preference.find(
        (device) => known.includes(device) && reports.some((report) => report.device === device && report.available),
      ) ?? 'cpu'
    );
  }
  const device = deviceNames.find((candidate) => candidate === name);
  if (!device) throw unavailable(`There is no device "${name}"`, known);
  if (!known.includes(device)) {
    throw unavailable(`The device ${device} has no provider in onnxruntime for ${process.platform} ${process.arch}`, known);
  }
  const failed = reports.find((report) => report.device === device && !report.available);
  if (failed) throw unavailable(`The device ${device} failed its self-test: ${failed.detail}`, known);
  return device;
}

/**
 * Compares a device with the CPU on a small program. A GPU is probed in a child process made from `entry` (a script that calls
 * `answerProbe`), because its driver may abort or hang; the CPU is tested here. Never throws: what goes wrong is the detail.
 */
export async function selfTest(device: DeviceName, entry: ProbeEntry, milliseconds = 30_000): Promise<DeviceReport> {
  try {
    const name = await resolveDevice(device);
    const { difference, offer } =
      name === 'cpu' ? { difference: await runProbe('cpu'), offer: null } : await probeInChild(name, entry, milliseconds);
    const available = difference <= tolerance;
    const verdict = `${available ? 'agrees with' : 'disagrees with'} the expected values: largest difference ${difference.toExponential(1)}`;
    if (!offer) return { device, available, detail: verdict };
    const { halfPrecision, largestBuffer } = offer;
    const offered = `${halfPrecision ? '16-bit and ' : ''}32-bit floats, tensors of up to ${Math.floor(largestBuffer / 2 ** 20)} MiB`;
    return { device, available, detail: `${verdict}; ${offered}`, half_precision: halfPrecision, largest_buffer: largestBuffer };
  } catch (error) {
    return { device, available: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Physical cores this process may use, at most 8: more gain little at the sizes of interest and heat the machine. */
export function defaultThreads(): number {
  return Math.max(1, Math.min(physicalCores(), availableParallelism(), 8));
}

function physicalCores(): number {
  const logical = cpus().length || 1;
  try {
    if (process.platform === 'linux') return linuxCores(readFileSync('/proc/cpuinfo', 'utf8')) || logical;
    if (process.platform === 'darwin')
      return Number(execFileSync('sysctl', ['-n', 'hw.physicalcpu'], { encoding: 'utf8' })) || logical;
  } catch {
    return logical;
  }
  // Windows tells only slowly; on x64 two threads share a core more often than not.
  return process.platform === 'win32' && process.arch === 'x64' && logical >= 4 ? logical / 2 : logical;
}

/** Distinct (physical id, core id) pairs; 0 where the kernel does not tell, as on arm64. */
export function linuxCores(cpuinfo: string): number {
  const cores = new Set<string>();
  for (const processor of cpuinfo.split('\n\n')) {
    const package_ = /^physical id\s*: (\d+)/m.exec(processor)?.[1];
    const core = /^core id\s*: (\d+)/m.exec(processor)?.[1];
    if (package_ !== undefined && core !== undefined) cores.add(`${package_}:${core}`);
  }
  return cores.size;
}

function unavailable(reason: string, known: readonly DeviceName[]): HopscopeError {
  return new HopscopeError(
    'DeviceUnavailable',
    `${reason}. Here there are: auto, ${known.join(', ')}; "hopscope doctor" tests them.`,
  );
}
