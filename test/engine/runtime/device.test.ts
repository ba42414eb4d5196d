/**
 * Devices: names, the CPU's self-test, and that a probe which hangs or dies costs the caller nothing.
 * No GPU is assumed; where WebGPU works its probe must agree with the CPU.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defaultThreads, knownDevices, linuxCores, resolveDevice, selfTest } from '../../../src-main/engine/runtime/device.ts';
import { answerProbe, probeInChild } from '../../../src-main/engine/runtime/probe.ts';

const file = join(import.meta.dirname, 'probe-entry.ts');

describe('resolveDevice', () => {
  test('auto is the CPU unless a GPU has passed its test', async () => {
    expect(await resolveDevice('auto')).toBe('cpu');
    expect(await resolveDevice('auto', [{ device: 'webgpu', available: false, detail: '' }])).toBe('cpu');
    if ((await knownDevices()).includes('webgpu')) {
      expect(await resolveDevice('auto', [{ device: 'webgpu', available: true, detail: '' }])).toBe('webgpu');
    }
  });

  test('refuses what is unknown, absent or failed, and says what there is', async () => {
    const known = await knownDevices();
    expect(known).toContain('cpu');
    await expect(resolveDevice('tpu')).rejects.toMatchObject({
      code: 'DeviceUnavailable',
      message: expect.stringContaining('auto, cpu'),
    });
    const absent = process.platform === 'win32' ? 'coreml' : 'dml';
    await expect(resolveDevice(absent)).rejects.toThrow(/has no provider in onnxruntime for/);
    await expect(resolveDevice('cpu', [{ device: 'cpu', available: false, detail: 'wrong sums' }])).rejects.toThrow(/wrong sums/);
  });
});

describe('selfTest', () => {
  test('the CPU agrees with arithmetic in float64', async () => {
    expect(await selfTest('cpu', { file })).toMatchObject({ available: true, detail: expect.stringMatching(/^agrees/) });
  });

  test('the probe answers from a child process', async () => {
    const { difference, offer } = await probeInChild('cpu', { file }, 30_000);
    expect(difference).toBeLessThan(1e-5);
    expect(offer).toBe(null);
  });

  test('a device without a driver is reported, whatever its driver does', async () => {
    const report = await selfTest('webgpu', { file });
    expect(report.detail.length).toBeGreaterThan(10);
    if (report.available) expect(report.detail).toMatch(/^agrees/);
  });

  test.each([
    ['hang', 1000, /did not answer in 1 s/],
    ['abort', 30_000, /ended without an answer \((SIGABRT|exit \d+)\)/],
    ['say', 30_000, /ended without an answer \(exit 3\): no driver/],
  ])('a child that would %s is refused', async (behaviour, milliseconds, message) => {
    await expect(probeInChild('cpu', { file, arguments: [behaviour] }, milliseconds)).rejects.toThrow(message);
  });

  test('a script that is missing is refused', async () => {
    await expect(probeInChild('cpu', { file: `${file}.missing` }, 30_000)).rejects.toMatchObject({ code: 'DeviceUnavailable' });
  });

  test('an ordinary start is no probe', async () => {
    expect(await answerProbe(['node', 'hopscope', 'run'])).toBe(false);
  });
});

test('threads are physical cores, between 1 and 8', () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1);
  expect(defaultThreads()).toBeLessThanOrEqual(8);
  const processor = (physical: number, core: number) =>
    `processor\t: 0\nphysical id\t: ${physical}\nsiblings\t: 4\ncore id\t\t: ${core}\n`;
  expect(linuxCores([processor(0, 0), processor(0, 1), processor(0, 0), processor(1, 0)].join('\n'))).toBe(3);
  expect(linuxCores('processor\t: 0\nBogoMIPS\t: 50\n')).toBe(0);
});
