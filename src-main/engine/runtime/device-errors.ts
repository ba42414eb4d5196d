/**
 * What a device's failures mean: onnxruntime says them in the words of the graphics driver, and a run must know whether to go on.
 * It recognizes words only; nothing here asks the device.
 */
import { HopscopeError } from '../../shared/errors.ts';

/** The device is gone: reset by its driver, unplugged, or hung. No program can run in this process any more. */
const lost =
  /device (is|was) lost|device lost|DeviceLost|ERROR_DEVICE_LOST|DEVICE_(REMOVED|HUNG|RESET)|MapAsyncStatus value: [24]|Instance reference no longer exists/i;

/** A buffer of its own could not be had, or a later step found that an earlier one had not been. */
const outOfMemory =
  /OUT_OF_(DEVICE|HOST)_MEMORY|OutOfMemory|out of memory|Allocation size too large|Invalid Buffer.*due to a previous error|Failed to allocate memory for requested buffer/is;

const aboveLimit = /Buffer size \((\d+)\) exceeds the max buffer size limit \((\d+)\)/;

/** The largest buffer of the adapter in bytes, where an `OutOfDeviceMemory` names it. */
export function limitIn(message: string): number | null {
  const match = /the device's largest is (\d+) bytes/.exec(message);
  return match ? Number(match[1]) : null;
}

/** The named error that the runtime's message stands for: `DeviceLost` or `OutOfDeviceMemory`; null for any other failure. */
export function deviceError(what: string, message: string): HopscopeError | null {
  const limit = aboveLimit.exec(message);
  if (limit) {
    return outOfDeviceMemory(`${what}: it needs a buffer of ${limit[1]} bytes, and the device's largest is ${limit[2]} bytes`);
  }
  if (lost.test(message)) {
    return new HopscopeError(
      'DeviceLost',
      `${what}: the device was lost (${firstLine(message)}). Start again, from the last checkpoint where there is one; if it happens again, update the graphics driver or use --device cpu.`,
      'failure',
    );
  }
  return outOfMemory.test(message) ? outOfDeviceMemory(`${what}: the device has no memory left (${firstLine(message)})`) : null;
}

/** `OutOfDeviceMemory` for a reason that ends without a full stop. */
export function outOfDeviceMemory(reason: string): HopscopeError {
  return new HopscopeError(
    'OutOfDeviceMemory',
    `${reason}. Use a smaller model or batch, train fewer layers, close other programs that use the device, or use --device cpu.`,
    'failure',
  );
}

const firstLine = (message: string): string => message.trim().split('\n', 1)[0]!.replace(/\.$/, '');
