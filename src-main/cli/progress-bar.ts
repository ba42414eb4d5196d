/**
 * How far the work is, on stderr: a bar that is drawn over itself in a terminal, elsewhere a line every few seconds.
 * It measures nothing but the time since its first call.
 */
import type { Progress } from '../shared/records.ts';
import { duration } from './text.ts';

/** Milliseconds between two drawings, in a terminal and elsewhere. */
const redraw = 100;
const lineInterval = 3000;
const barWidth = 24;

export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #started: number | null = null;
  #last = 0;
  #drawn = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(progress: Progress): void {
    const now = performance.now();
    // Short work ends before its first line; a bar is drawn at once.
    this.#last = this.#started === null && !this.#stream.isTTY ? now : this.#last;
    this.#started ??= now;
    if (now - this.#last < (this.#stream.isTTY ? redraw : lineInterval)) return;
    this.#last = now;
    const text = describe(progress, (now - this.#started) / 1000);
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    const share = progress.total > 0 ? Math.min(1, progress.done / progress.total) : 0;
    const filled = Math.round(share * barWidth);
    const line = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${text}`;
    this.#stream.write(`\r\x1b[K${[...line].slice(0, Math.max(10, this.#stream.columns - 1)).join('')}`);
    this.#drawn = true;
  }

  /** Takes a drawn bar away, so that something else can be written. */
  clear(): void {
    if (this.#drawn) this.#stream.write('\r\x1b[K');
    this.#drawn = false;
  }
}

/** ` 34 %  epoch 2 of 12  1 min 20 s left`. */
function describe({ done, total, message, secondsLeft }: Progress, elapsed: number): string {
  const share = total > 0 ? done / total : 0;
  const left = secondsLeft ?? (share > 0.02 ? (elapsed * (1 - share)) / share : null);
  const percent = `${Math.floor(share * 100)}`.padStart(3);
  return `${percent} %  ${message}${left === null ? '' : `  ${duration(left)} left`}`;
}
