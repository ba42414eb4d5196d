/** Numbers of bytes, read as people write them and written as they read them. */
import { expect, test } from 'vitest';
import { byteCount, formatBytes } from '../../src-main/shared/byte-count.ts';

test.each([
  [0, '0 B'],
  [512, '512 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [5_000_000, '4.77 MiB'],
  [41_000_000, '39.1 MiB'],
  [900_000_000, '858 MiB'],
  [2 ** 20 - 100, '1 MiB'],
  [11_800_000_000, '11 GiB'],
  [2 ** 40, '1 TiB'],
  [3000 * 2 ** 40, '3000 TiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each(['512 B', '4.77 MiB', '28 GiB', '1 TiB'])('%s is read as it is written', (text) => {
  expect(formatBytes(byteCount(text)!)).toBe(text);
});

test.each(['', '0', 'four', '4 GiB of memory', '-1'])('%j is no number of bytes', (text) => {
  expect(byteCount(text)).toBeNull();
});
