/**
 * What the window's main process needs of a running host, whichever way it is run (host-utility.ts, host-relay.ts).
 * It is a contract with a few shared words; it starts nothing.
 */
import type { ElectronMessagePort } from '../shared/ports.ts';

/** A host in a process of its own. */
export interface HostProcess {
  /** Serves a screen on this end of a channel. */
  connect(port: ElectronMessagePort): void;
  /** Asks it to store and end, and ends it after five seconds if it has not. */
  stop(): Promise<void>;
}

/** How a host is started. */
export interface HostStart {
  hostEntry: string;
  computeEntry: string;
  dataFolder: string;
  /** The folder of the shipped model and data. */
  resources: string;
  environment: Record<string, string>;
  /** Called once, when the host has ended although it was not asked to; `reason` is one sentence for the user. */
  onDeath(reason: string): void;
}

/** Milliseconds between being asked to end and being ended. */
export const patience = 5_000;

/** The sentence for a host that could not start, from its `failed` message. */
export function failureSentence(message: unknown): string | null {
  if (
    typeof message !== 'object' ||
    message === null ||
    !('type' in message) ||
    message.type !== 'failed' ||
    !('error' in message)
  )
    return null;
  const error = message.error as { code?: unknown; message?: unknown } | null;
  return `error[${String(error?.code)}]: ${String(error?.message)}`;
}

/** The sentence for a host that ended by itself. */
export function deathSentence(code: number | null): string {
  return `The host process ended unexpectedly (${code === null ? 'by a signal' : `exit code ${code}`}). What was measured is stored.`;
}
