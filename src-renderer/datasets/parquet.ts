/**
 * Parquet files as records and back, the only file that imports their libraries; it is loaded when a Parquet file is met, not before.
 * Exports have the columns of the CSV: six of text, options from the first row down, empty cells null. What records mean is not known here.
 */
import { type FileMetaData, parquetMetadata, parquetReadObjects, parquetSchema } from 'hyparquet';
import { decompressBrotli, decompressGzip, decompressLz4, decompressLz4Raw, decompressZstd } from 'hyparquet-compressors';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { mostRows } from '../../src-main/shared/dataset-limits.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import { hasMark, mostFileBytes } from './decode.ts';
import type { RecordList } from './import-table.ts';

/** Bytes that a file may have once it is unpacked: a small one can hold very many. */
const mostUnpackedBytes = 8 * mostFileBytes;

/** Snappy is the reader's own: the other package's needs WebAssembly, which the page's content security policy refuses. */
const compressors = {
  GZIP: decompressGzip,
  BROTLI: decompressBrotli,
  ZSTD: (input: Uint8Array) => decompressZstd(input),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};
const readable = new Set(['UNCOMPRESSED', 'SNAPPY', ...Object.keys(compressors)]);

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Bytes that are no text stay bytes, so that whoever reads the row can name it. */
const parsers = { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOrBytes(bytes) };

/**
 * All rows, their values as the file's types say: texts, numbers, lists, objects, null.
 * Errors: `NotParquet`, `TruncatedParquet`, `EncryptedParquet`, `UnsupportedParquet`, `BrokenParquet`, `TooManyRows`, `FileTooLarge`.
 */
export async function readParquet(name: string, bytes: Uint8Array): Promise<RecordList> {
  checkMarks(name, bytes);
  const file = bytes.slice().buffer;
  const metadata = attempt(name, () => parquetMetadata(file, { geoparquet: false }));
  checkMetadata(name, metadata);
  try {
    const rows = await parquetReadObjects({ file, metadata, compressors, parsers, geoparquet: false });
    if (BigInt(rows.length) !== metadata.num_rows)
      throw new Error(`it says that it has ${metadata.num_rows} rows, and has ${rows.length}`);
    return { records: rows.map((value, index) => ({ line: index + 1, value })), problems: [], unit: 'row' };
  } catch (error) {
    throw broken(name, error);
  }
}

/** A file of text columns; '' is written as null. */
export function writeParquet(columns: readonly string[], rows: readonly (readonly string[])[]): Uint8Array<ArrayBuffer> {
  const columnData = columns.map((name, index) => ({
    name,
    type: 'STRING' as const,
    data: rows.map((cells) => cells[index] || null),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: 'hopscope' }));
}

function checkMarks(name: string, bytes: Uint8Array): void {
  const end = bytes.subarray(-4);
  if (hasMark(bytes, 'PARE') || hasMark(end, 'PARE')) throw encrypted(name);
  if (!hasMark(bytes, 'PAR1'))
    throw new HopscopeError(
      'NotParquet',
      `${name} does not begin as a Parquet file does, with PAR1. Is it another kind of file?`,
    );
  if (bytes.length < 12 || !hasMark(end, 'PAR1')) {
    throw new HopscopeError(
      'TruncatedParquet',
      `${name} begins as a Parquet file and does not end as one: its last part is missing. Copy or download it again.`,
    );
  }
}

function checkMetadata(name: string, metadata: FileMetaData): void {
  const chunks = metadata.row_groups.flatMap(({ columns }) => columns);
  if (chunks.some(({ crypto_metadata, meta_data }) => crypto_metadata !== undefined || meta_data === undefined))
    throw encrypted(name);
  const unknown = chunks.find(({ meta_data }) => !readable.has(meta_data?.codec ?? ''));
  if (unknown) {
    const { codec, path_in_schema } = unknown.meta_data!;
    throw new HopscopeError(
      'UnsupportedParquet',
      `${name}, column ${path_in_schema[0]}: it is compressed with ${codec ?? 'an unknown method'}, which is not read. Write it with Snappy, Zstandard, gzip, Brotli or LZ4.`,
    );
  }
  if (metadata.num_rows > BigInt(mostRows)) {
    throw new HopscopeError(
      'TooManyRows',
      `${name} has ${metadata.num_rows} rows; at most ${mostRows} are kept in one data set. Split it.`,
    );
  }
  const unpacked = chunks.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0), 0);
  if (unpacked > mostUnpackedBytes) {
    throw new HopscopeError(
      'FileTooLarge',
      `${name} has ${(unpacked / 2 ** 20).toFixed(0)} MiB once it is unpacked; at most ${mostUnpackedBytes / 2 ** 20} MiB are. Leave out columns that are not needed.`,
    );
  }
  const names = attempt(name, () => parquetSchema(metadata).children.map(({ element }) => element.name));
  const twice = names.find((column, index) => names.indexOf(column) !== index);
  if (twice !== undefined)
    throw new HopscopeError('UnsupportedParquet', `${name} has two columns called ${JSON.stringify(twice)}; rename one of them.`);
}

function attempt<T>(name: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw broken(name, error);
  }
}

function broken(name: string, error: unknown): HopscopeError {
  const reason = (error instanceof Error ? error.message : String(error)).replace(/^parquet /, '');
  return new HopscopeError('BrokenParquet', `${name} cannot be read as Parquet: ${reason}. Write or download it again.`);
}

function encrypted(name: string): HopscopeError {
  return new HopscopeError('EncryptedParquet', `${name} is encrypted, in whole or in some columns; save it without encryption.`);
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}
