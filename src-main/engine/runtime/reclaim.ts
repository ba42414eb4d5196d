/**
 * Frees WebAssembly memories at once that nothing refers to any more: left alone they stay for as long as the small heap that holds their names
 * needs no collection, gigabytes among them. It decides nothing about what is let go.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null | undefined;

/** Runs a full collection (some 10 ms); does nothing where the engine does not offer it. */
export function reclaimMemories(): void {
  collect ??= collector();
  collect?.();
}

/** An engine whose flags are settled gives no `gc`. */
function collector(): (() => void) | null {
  if (typeof globalThis.gc === 'function') return () => void globalThis.gc?.();
  try {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('typeof gc === "function" ? gc : null');
    return typeof found === 'function' ? () => void found() : null;
  } catch {
    return null;
  }
}
