/** What the words of onnxruntime and graphics drivers mean. The first and the third were seen; the others are those of Dawn, Vulkan and Direct3D. */
import { describe, expect, test } from 'vitest';
import { deviceError, limitIn } from '../../../src-main/engine/runtime/device-errors.ts';
import { leastBuffer, rowRanges } from '../../../src-main/engine/runtime/device-limits.ts';

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

describe('rowRanges', () => {
  test('cuts into the fewest ranges of whole rows, as alike as can be', () => {
    expect(rowRanges(10, 4, 4, 160)).toEqual([{ start: 0, end: 10 }]);
    expect(rowRanges(10, 4, 4, 159)).toEqual([
      { start: 0, end: 5 },
      { start: 5, end: 10 },
    ]);
    expect(rowRanges(10, 4, 4, 64)).toEqual([
      { start: 0, end: 4 },
      { start: 4, end: 8 },
      { start: 8, end: 10 },
    ]);
    // Gemma 2 9B's embedding as float32
    expect(rowRanges(256_000, 3584, 4, leastBuffer)).toHaveLength(14);
    expect(rowRanges(7, 1, 4, 4).map(({ end }) => end)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const { start, end } of rowRanges(7, 3, 4, 24)) expect(end).toBeGreaterThan(start);
  });

  test('refuses a row that is too long', () => {
    expect(() => rowRanges(3, 100, 4, 399)).toThrow(expect.objectContaining({ code: 'OutOfDeviceMemory' }));
  });
});
