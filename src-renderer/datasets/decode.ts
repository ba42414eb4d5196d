/**
 * The text of a file's bytes, UTF-8 with or without a byte order mark; every other encoding is refused by its name.
 * What the text means is import-text.ts's matter.
 */
import { HopscopeError } from '../../src-main/shared/errors.ts';

/** Largest file that is imported. */
export const mostFileBytes = 32 * 2 ** 20;

/** Whether bytes begin with the letters of a format's mark. */
export function hasMark(bytes: Uint8Array, mark: string): boolean {
  return [...mark].every((letter, index) => bytes[index] === letter.charCodeAt(0));
}

/** Whether a file is a Parquet file, or says by its name that it is one. */
export function isParquet(name: string, bytes: Uint8Array): boolean {
  return hasMark(bytes, 'PAR1') || hasMark(bytes, 'PARE') || /\.(parquet|parq|pq)$/i.test(name);
}

/** Errors: `EmptyFile`, `FileTooLarge`. */
export function checkSize(name: string, size: number): void {
  if (size === 0) throw new HopscopeError('EmptyFile', `${name} is empty.`);
  if (size > mostFileBytes)
    throw new HopscopeError(
      'FileTooLarge',
      `${name} has ${(size / 2 ** 20).toFixed(1)} MiB; at most ${mostFileBytes / 2 ** 20} MiB are imported. Split it.`,
    );
}

/** Errors: `EmptyFile`, `FileTooLarge`, `WrongEncoding`. */
export function decodeText(name: string, bytes: Uint8Array): { text: string; hadMark: boolean } {
  checkSize(name, bytes.length);
  const starts = (...marks: number[]) => marks.every((mark, index) => bytes[index] === mark);
  if (starts(0x50, 0x4b, 3, 4))
    throw new HopscopeError(
      'WrongEncoding',
      `${name} is an archive or a spreadsheet file (xlsx, ods); save its sheet as CSV, UTF-8.`,
    );
  const encoding = foreignEncoding(bytes, starts);
  if (encoding !== null) throw new HopscopeError('WrongEncoding', `${name} is encoded in ${encoding}; save it as UTF-8.`);
  try {
    const hadMark = starts(0xef, 0xbb, 0xbf);
    return {
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(hadMark ? bytes.subarray(3) : bytes),
      hadMark,
    };
  } catch {
    const { line, byte } = firstInvalid(bytes);
    throw new HopscopeError(
      'WrongEncoding',
      `${name}, line ${line}: the byte 0x${byte.toString(16).toUpperCase()} is no UTF-8; the file is perhaps encoded in Latin-1 or Windows-1252. Save it as UTF-8.`,
    );
  }
}

function foreignEncoding(bytes: Uint8Array, starts: (...marks: number[]) => boolean): string | null {
  if (starts(0xff, 0xfe, 0, 0) || starts(0, 0, 0xfe, 0xff)) return 'UTF-32';
  if (starts(0xff, 0xfe)) return 'UTF-16 (little endian)';
  if (starts(0xfe, 0xff)) return 'UTF-16 (big endian)';
  const sample = bytes.subarray(0, 1000);
  const zeros = (odd: number) => sample.filter((byte, index) => byte === 0 && index % 2 === odd).length;
  if (zeros(1) > sample.length / 4) return 'UTF-16 (little endian, without a byte order mark)';
  if (zeros(0) > sample.length / 4) return 'UTF-16 (big endian, without a byte order mark)';
  return null;
}

/** The first byte that belongs to no character of UTF-8, found by decoding ever shorter stretches. */
function firstInvalid(bytes: Uint8Array): { line: number; byte: number } {
  const isValid = (end: number) => {
    try {
      // As a stream: a character cut off at the end is no error.
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isValid(middle)) good = middle;
    else bad = middle;
  }
  // What betrays a broken character is often the plain one behind it.
  let at = good;
  while (at > 0 && bytes[at]! < 0x80) at--;
  const line = 1 + bytes.subarray(0, at).filter((byte) => byte === 0x0a).length;
  return { line, byte: bytes[at]! };
}
