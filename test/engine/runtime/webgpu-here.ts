/**
 * Whether WebGPU works here for the tests: on the software device that Chromium and Electron bring along, else on whatever this machine has.
 * It must be imported before anything computes, because the graphics loader reads the environment once.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe } from 'vitest';
import { selfTest } from '../../../src-main/engine/runtime/device.ts';
import type { DeviceReport } from '../../../src-main/shared/records.ts';

const project = join(import.meta.dirname, '../../..');

/** Where browsers keep SwiftShader, a Vulkan device in software. */
const folders = [
  ...(process.env.HOPSCOPE_CHROMIUM ? [dirname(process.env.HOPSCOPE_CHROMIUM)] : []),
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/opt/google/chrome',
  join(project, 'node_modules', 'electron', 'dist'),
];

const driver = folders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find((path) => existsSync(path));
if (driver && !process.env.VK_DRIVER_FILES) {
  process.env.VK_DRIVER_FILES = driver;
  // The name of older loaders
  process.env.VK_ICD_FILENAMES = driver;
}

// The plain ways of the CPU, which the tests are run with a second time, are none of the device's
const isSecondRun = process.env.HOPSCOPE_PLAIN_OUTPUTS === '1';

/** What this machine's device can do. */
export const report: DeviceReport = isSecondRun
  ? { device: 'webgpu', available: false, detail: 'the run with plain outputs is about the CPU' }
  : await selfTest('webgpu', { file: join(import.meta.dirname, 'probe-entry.ts') });

if (!report.available && !isSecondRun) {
  console.warn(`WebGPU is not tested here: ${report.detail} (Debian: apt-get install chromium libvulkan1)`);
}

/** `describe` where WebGPU works; elsewhere its tests are skipped, for a reason that was printed. */
export const describeWebGpu = describe.skipIf(!report.available);

export const webgpu = { device: 'webgpu', threads: 1 } as const;
