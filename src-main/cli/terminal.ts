/**
 * The two streams of the command line: results on stdout (with `--json` one object), warnings, errors and progress on stderr.
 * What is said is the commands' matter.
 */
import { errorRecord } from '../shared/errors.ts';
import type { Progress } from '../shared/records.ts';
import { ProgressBar } from './progress-bar.ts';

export interface TerminalSettings {
  json: boolean;
  verbose: boolean;
}

export class Terminal {
  readonly #settings: TerminalSettings;
  readonly #bar = new ProgressBar(process.stderr);
  #printed = false;

  constructor(settings: TerminalSettings) {
    this.#settings = settings;
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        // The reader has gone, as in `hopscope runs | head`.
        if (error.code === 'EPIPE') process.exit(0);
      });
    }
  }

  print(result: object, text: string): void {
    this.#bar.clear();
    this.#printed = true;
    process.stdout.write(this.#settings.json ? `${JSON.stringify(result)}\n` : `${text}\n`);
  }

  warn(message: string): void {
    this.#bar.clear();
    process.stderr.write(`warning: ${oneLine(message)}\n`);
  }

  progress(progress: Progress): void {
    this.#bar.show(progress);
  }

  /** Reports the end of a command that threw, and returns the exit code. */
  fail(error: unknown): number {
    this.#bar.clear();
    const { code, message, kind } = errorRecord(error);
    process.stderr.write(`error[${code}]: ${oneLine(message)}\n`);
    if (this.#settings.verbose && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
    if (this.#settings.json && !this.#printed) {
      process.stdout.write(`${JSON.stringify({ error: { code, message: oneLine(message) } })}\n`);
    }
    return { input: 2, failure: 1, interrupted: 130 }[kind];
  }

  /** Removes the progress bar. */
  end(): void {
    this.#bar.clear();
  }
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
