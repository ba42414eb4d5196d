/**
 * Reads and writes stretches of a file on the system's threads, so that the disk works while programs compute.
 * All requests of a stretch are made at once: a program that runs blocks this thread, which could not make the next one.
 */
import { read, write } from 'node:fs';
import { HopscopeError } from '../../shared/errors.ts';

/** Bytes per request: large enough for a disk's full speed, small enough for several threads to share a tensor. */
const requestBytes = 1 << 26;

/** Fills `target` from `position` on. @throws HopscopeError `CannotRead`, `BadSafetensors` when the file ends before */
export async function fetchFrom(descriptor: number, position: number, target: Uint8Array, path: string): Promise<void> {
  await Promise.all(
    stretches(target).map(async ({ start, bytes }) => {
      for (let done = 0; done < bytes.length; ) {
        const count = await transfer(read, descriptor, bytes.subarray(done), position + start + done, (reason) => {
          return new HopscopeError('CannotRead', `${path} cannot be read: ${reason}.`);
        });
        if (count === 0)
          throw new HopscopeError('BadSafetensors', `${path} became shorter while it was read. Open the model again.`);
        done += count;
      }
    }),
  );
}

/** Writes `source` from `position` on. @throws HopscopeError `CannotWrite` */
export async function storeAt(descriptor: number, position: number, source: Uint8Array, path: string): Promise<void> {
  await Promise.all(
    stretches(source).map(async ({ start, bytes }) => {
      for (let done = 0; done < bytes.length; ) {
        done += await transfer(write, descriptor, bytes.subarray(done), position + start + done, (reason) => {
          return new HopscopeError(
            'CannotWrite',
            `${path} cannot be written: ${reason}. Free some space or choose another folder.`,
            'failure',
          );
        });
      }
    }),
  );
}

function stretches(bytes: Uint8Array): { start: number; bytes: Uint8Array }[] {
  const count = Math.ceil(bytes.length / requestBytes);
  return Array.from({ length: count }, (_, index) => {
    const start = index * requestBytes;
    return { start, bytes: bytes.subarray(start, start + requestBytes) };
  });
}

type Transfer = (
  descriptor: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
  callback: (error: NodeJS.ErrnoException | null, count: number) => void,
) => void;

function transfer(
  action: Transfer,
  descriptor: number,
  bytes: Uint8Array,
  position: number,
  failure: (reason: string) => HopscopeError,
): Promise<number> {
  return new Promise((resolve, reject) => {
    action(descriptor, bytes, 0, bytes.length, position, (error, count) => {
      if (error) reject(failure(error.message));
      else resolve(count);
    });
  });
}
