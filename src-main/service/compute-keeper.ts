/**
 * Keeps one compute process: starts it when first needed, starts another after it ended, and names its end.
 * It runs nothing by itself and never repeats a call that a process took with it.
 */
import type { Compute } from '../shared/contract.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ComputeExit, ComputeProcess, LaunchCompute } from './compute-launcher.ts';

/** How long the news of a process's end may come after the loss of its connection, in milliseconds. */
const exitDelay = 2000;

interface Kept {
  process: ComputeProcess;
  exit: Promise<ComputeExit>;
}

export class ComputeKeeper {
  readonly #launch: LaunchCompute;
  #current: Promise<Kept> | null = null;
  #closed = false;

  constructor(launch: LaunchCompute) {
    this.#launch = launch;
  }

  /**
   * Calls `use` with the process's client. Rejects with `ComputeDied`, saying how, when the process ends before the answer.
   */
  async use<T>(use: (client: Compute) => Promise<T>): Promise<T> {
    const kept = await this.#keep();
    try {
      // The race is for processes that end without closing their connection.
      return await Promise.race([use(kept.process.client), kept.exit.then(died)]);
    } catch (error) {
      if (!(error instanceof HopscopeError) || error.code !== 'Disconnected') throw error;
      return died(await Promise.race([kept.exit, after<ComputeExit>(exitDelay, { code: null, signal: null })]));
    }
  }

  /** Ends the process at once, if there is one; the next use starts another. */
  async kill(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current === null) return;
    const kept = await current.catch(() => null);
    kept?.process.kill();
    if (kept) await Promise.race([kept.exit, after(exitDelay, undefined)]);
  }

  /** As `kill`, and starts none again. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.kill();
  }

  #keep(): Promise<Kept> {
    if (this.#closed) return Promise.reject(new HopscopeError('Closed', 'The program is closing.', 'interrupted'));
    if (this.#current !== null) return this.#current;
    const started = this.#start();
    this.#current = started;
    const forget = () => {
      if (this.#current === started) this.#current = null;
    };
    started.then((kept) => kept.exit.then(forget), forget);
    return started;
  }

  async #start(): Promise<Kept> {
    const process = await this.#launch();
    return { process, exit: new Promise((resolve) => process.onExit(resolve)) };
  }
}

function died(exit: ComputeExit): never {
  throw new HopscopeError(
    'ComputeDied',
    `The compute process ended (${howItEnded(exit)}). What was measured is kept; start the run again.`,
    'failure',
  );
}

function howItEnded({ code, signal }: ComputeExit): string {
  if (signal === 'SIGKILL') return 'killed, as systems do when memory runs out';
  if (signal === 'SIGSEGV' || signal === 'SIGBUS' || signal === 'SIGILL') return `a native library crashed: ${signal}`;
  if (signal === 'SIGABRT') return 'a native library or the JavaScript heap limit aborted it: SIGABRT';
  if (signal !== null) return `signal ${signal}`;
  return code === null ? 'it could not be started or its connection was lost' : `exit code ${code}`;
}

function after<T>(milliseconds: number, value: T): Promise<T> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(value), milliseconds).unref();
  });
}
