/**
 * Numbers of bytes as people write and read them. It knows nothing of what they are for.
 */

/** Bytes, with or without a unit: 4GiB, 500 MB, 2g; all units are powers of 1024. null: none that is at least 1. */
export function byteCount(text: string): number | null {
  const [, digits, prefix = ''] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(?:i?b)?)$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(prefix.toLowerCase());
  return bytes >= 1 ? Math.round(bytes) : null;
}

/** Bytes with three digits in the unit that suits them, a power of 1024: `512 B`, `4.88 MiB`, `28 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  // 1023.7 KiB would be written as 1024
  while (Math.round(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${units[unit]}`;
}
