/** What the words of onnxruntime and graphics drivers mean. The first and the third were seen; the others are those of Dawn, Vulkan and Direct3D. */
import { describe, expect, test } from 'vitest';
import { deviceError, limitIn } from '../../../src-main/engine/runtime/device-errors.ts';

describe('deviceError', () => {
  test.each([
    ['WebGPU validation failed. Buffer size (1074790400) exceeds the max buffer size limit (1073741824).', 'OutOfDeviceMemory'],
    ['vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY', 'OutOfDeviceMemory'],
    [
      'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While ...',
      'OutOfDeviceMemory',
    ],
    ['Failed to allocate memory for requested buffer of size 123', 'OutOfDeviceMemory'],
    ['vkQueueSubmit failed with VK_ERROR_DEVICE_LOST', 'DeviceLost'],
    ['ID3D12Device::GetDeviceRemovedReason failed with DXGI_ERROR_DEVICE_HUNG (0x887A0006)', 'DeviceLost'],
    ['[Device] is lost.\n[Device "x"] device was lost', 'DeviceLost'],
    ['Failed to download data from buffer. wgpu::MapAsyncStatus value: 4', 'DeviceLost'],
    ['Non-zero status code returned while running Gather node. indices element out of data bounds', undefined],
  ])('%s', (message, code) => {
    const error = deviceError('The program "x" failed', message);
    expect(error?.code).toBe(code);
    if (error) expect([error.kind, error.message]).toEqual(['failure', expect.stringMatching(/^The program "x" failed: .*\.$/)]);
  });

  test('knows the limit that a message names', () => {
    const message = 'Buffer size (1074790400) exceeds the max buffer size limit (1073741824).';
    expect(limitIn(String(deviceError('x', message)))).toBe(1073741824);
    expect(limitIn(String(deviceError('x', 'out of memory')))).toBe(null);
  });
});
