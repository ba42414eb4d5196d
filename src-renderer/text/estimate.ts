/**
 * What a piece of work takes, in words. It estimates nothing.
 */
import { formatBytes } from '../../src-main/shared/byte-count.ts';
import type { WorkEstimate } from '../../src-main/shared/records.ts';
import { formatDuration } from './format.ts';

/** Where weights and what trains are kept. */
export function residencyWords({ residency, state }: Pick<WorkEstimate, 'residency' | 'state'>): string {
  if (state === 'scratch') return 'what trains goes through a scratch folder';
  if (residency === 'disk') return 'reads weights from disk';
  return residency === '16-bit' ? 'weights in 16 bits' : 'all in memory';
}

/** `reads weights from disk; 3.1 GiB of memory; 84 GiB of scratch disk; about 2 hours`. */
export function estimateWords(estimate: WorkEstimate): string {
  const { memory, disk, seconds, fits } = estimate;
  if (!fits) return `needs ${formatBytes(memory)} of memory, more than there is`;
  return [
    residencyWords(estimate),
    `${formatBytes(memory)} of memory`,
    ...(disk > 0 ? [`${formatBytes(disk)} of scratch disk`] : []),
    `about ${formatDuration(seconds)}`,
  ].join('; ');
}
