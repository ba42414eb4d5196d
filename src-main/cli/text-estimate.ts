/**
 * What a piece of work will take, in words. It estimates nothing.
 */
import { formatBytes } from '../shared/byte-count.ts';
import type { WorkEstimate } from '../shared/records.ts';
import { duration } from './text.ts';

const weights = {
  memory: 'weights in memory',
  '16-bit': 'weights in 16 bits in memory',
  disk: 'reads weights from disk',
} as const;

/** `reads weights from disk; 3.1 GiB of memory; 84 GiB of scratch disk; about 2 h 5 min`. */
export function estimateWords({ residency, memory, disk, seconds, fits }: WorkEstimate): string {
  return [
    weights[residency],
    `${formatBytes(memory)} of memory${fits ? '' : ' (more than there is)'}`,
    ...(disk > 0 ? [`${formatBytes(disk)} of scratch disk`] : []),
    `about ${duration(seconds)}`,
  ].join('; ');
}
