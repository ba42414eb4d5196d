/**
 * How much memory this process may still take, the one answer for plans, previews and the About screen. It plans nothing.
 */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** Bytes this process may still take: what the system says is available, within the limit of its control group. */
export function availableMemory(): number {
  return Math.min(systemAvailable(), groupAvailable());
}

function systemAvailable(): number {
  const line = readText('/proc/meminfo').match(/^MemAvailable:\s+(\d+) kB/m);
  return line ? Number(line[1]) * 1024 : freemem();
}

function groupAvailable(): number {
  const [limit, used] = ['memory.max', 'memory.current'].map((name) =>
    Number(readText(`/sys/fs/cgroup/${name}`).trim() || 'NaN'),
  );
  return Number.isFinite(limit) && Number.isFinite(used) ? Math.max(0, limit! - used!) : Number.POSITIVE_INFINITY;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
