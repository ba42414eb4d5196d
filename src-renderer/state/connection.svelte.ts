/**
 * The one connection to the host as state: screens read `service` and fetch again when it is replaced.
 * How a port is had is open-port.ts's business; what the service can do is in the contract.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import { connect, type Port } from '../../src-main/shared/rpc.ts';

export type ConnectionState = 'connecting' | 'open' | 'lost' | 'failed';

const longestWait = 10_000;

/** A failure that no further attempt with the same token can mend: whoever has the new address must say so (`retryNow`). */
const isFinal = (error: ErrorRecord | null): boolean => error?.code === 'AddressChanged';

export class Connection {
  #state = $state<ConnectionState>('connecting');
  #service = $state.raw<Service | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #open: () => Promise<Port>;
  #failures = 0;
  #attempting = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `open` is called now, and again after each loss and failure. */
  constructor(open: () => Promise<Port>) {
    this.#open = open;
    void this.#connect();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The host, or null until the first connection. Replaced by each reconnection; the last one stays while the line is down. */
  get service(): Service | null {
    return this.#service;
  }

  /** Why the last attempt failed. */
  get error(): ErrorRecord | null {
    return this.#error;
  }

  /** Tries again without waiting. */
  retryNow(): void {
    if (this.#state === 'open') return;
    clearTimeout(this.#timer);
    void this.#connect();
  }

  async #connect(): Promise<void> {
    if (this.#attempting) return;
    this.#attempting = true;
    try {
      const port = await this.#open();
      this.#attempting = false;
      this.#failures = 0;
      this.#error = null;
      this.#service = connect<Service>(port);
      this.#state = 'open';
      port.onClose(() => this.#lost());
    } catch (error) {
      this.#attempting = false;
      this.#error = errorRecord(error);
      this.#lost();
    }
  }

  #lost(): void {
    this.#state = this.#service === null ? 'failed' : 'lost';
    clearTimeout(this.#timer);
    if (isFinal(this.#error)) return;
    // 0.5, 1, 2, 4, 8, 10, 10, ... seconds
    const wait = Math.min(500 * 2 ** this.#failures, longestWait);
    this.#failures++;
    this.#timer = setTimeout(() => void this.#connect(), wait);
  }
}
