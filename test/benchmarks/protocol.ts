/**
 * The two sides as child processes that answer JSON lines over stdin and stdout, so that each has its own memory and threads.
 * It measures nothing itself: a side times its own work and answers with the seconds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { Batch, Phase } from './workloads.ts';

export type Request =
  /** Writes a model folder with random weights; only our side can. */
  | { do: 'make'; folder: string; config: Record<string, unknown> }
  | { do: 'load'; folder: string; batches: Record<string, Batch> }
  /** `count` runs one after the other on the batch of that name. */
  | { do: Phase; batch: string; count: number }
  /** One step of Adam on `elements` numbers, `count` times. */
  | { do: 'adam'; form: string; elements: number; count: number };

export interface Answer {
  /** All runs together. */
  seconds: number;
  /** The loss of each run. */
  losses: number[];
  /** Highest resident memory of the process so far. */
  peakBytes: number;
  /** Library names and versions. */
  versions: Record<string, string>;
}

/** A side that is running; requests are answered one at a time. */
export class Side<Asked extends { do: string } = Request, Answered = Answer> {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #answers: AsyncIterator<string>;
  #log = '';

  constructor(name: string, command: string, parameters: readonly string[], environment: Record<string, string>) {
    this.#name = name;
    this.#child = spawn(command, parameters, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-4000);
    });
    // What a dead child does not read is reported by the answer that does not come
    this.#child.stdin!.on('error', () => undefined);
    this.#child.on('error', (error) => {
      this.#log += error.message;
    });
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Errors: `BenchmarkFailed` with the side's last words when it ends instead of answering. */
  async ask(request: Asked): Promise<Answered> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (!done) return JSON.parse(value) as Answered;
    // The last of what it wrote to stderr may still be on its way
    await new Promise((resolve) => setTimeout(resolve, 100));
    throw new HopscopeError(
      'BenchmarkFailed',
      `${this.#name} ended without an answer to "${request.do}":\n${this.#log.trim()}`,
      'failure',
    );
  }

  /** Asks it to end, and waits until its memory is free. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin!.end();
    await gone;
  }
}
