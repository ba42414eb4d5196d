/**
 * Numbers of bytes as people write them. It knows nothing of what they are for.
 */

/** Bytes, with or without a unit: 4GiB, 500 MB, 2g; all units are powers of 1024. null: none that is at least 1. */
export function byteCount(text: string): number | null {
  const [, digits, prefix = ''] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(?:i?b)?)$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(prefix.toLowerCase());
  return bytes >= 1 ? Math.round(bytes) : null;
}
