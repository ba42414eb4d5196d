/**
 * How a matrix that is larger than the device's largest buffer is cut into pieces. It asks no device: probe.ts found the limit.
 */
import { HopscopeError } from '../../shared/errors.ts';

/** What every WebGPU adapter must offer; taken where the adapter's own limit is not known. */
export const leastBuffer = 256 * 2 ** 20;

/** Rows from `start` up to `end`, not included. */
export interface RowRange {
  start: number;
  end: number;
}

/**
 * Cuts a matrix [rows, width] into the fewest ranges of whole rows that each take at most `limit` bytes, all alike but the last.
 * Errors: `OutOfDeviceMemory` when not even one row fits.
 */
export function rowRanges(rows: number, width: number, bytesPerElement: number, limit: number): RowRange[] {
  const most = Math.floor(limit / (width * bytesPerElement));
  if (most < 1) {
    throw new HopscopeError(
      'OutOfDeviceMemory',
      `A row of ${width} elements does not fit the device's largest buffer of ${limit} bytes. Use --device cpu.`,
      'failure',
    );
  }
  const pieces = Math.ceil(rows / most);
  const size = Math.ceil(rows / pieces);
  return Array.from({ length: pieces }, (_, piece) => ({ start: piece * size, end: Math.min((piece + 1) * size, rows) }));
}
