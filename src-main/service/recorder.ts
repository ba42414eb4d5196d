/**
 * Stores what one run emits as it comes, in batches: at most ten transactions a second, each followed by one notice.
 * It changes no state; the queue does, after a last `flush`.
 */

import { storeEmissions } from '../database/measurements.ts';
import type { Database } from '../database/open.ts';
import type { Emission } from '../shared/records.ts';

/** Between two batches, in milliseconds. */
const interval = 100;

export interface Recorder {
  add(emission: Emission): void;
  /** Stores what waits. Errors: those of `storeEmissions`. */
  flush(): void;
  /** Takes nothing more. */
  end(): void;
  /** Seconds since the recorder began without those in which it was paused, from a monotonic clock. */
  seconds(): number;
  /** Stops the clock; rows are still taken. */
  pause(): void;
  resume(): void;
}

/** `stored` is called after each batch, `failed` when one cannot be stored. */
export function createRecorder(
  database: Database,
  run: string,
  notices: { stored(): void; failed(error: unknown): void },
): Recorder {
  let began = performance.now();
  let pausedAt: number | null = null;
  let waiting: Emission[] = [];
  let timer: NodeJS.Timeout | null = null;
  let lastFlush = Number.NEGATIVE_INFINITY;
  let ended = false;

  const seconds = () => ((pausedAt ?? performance.now()) - began) / 1000;

  function flush(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    storeEmissions(database, run, batch, seconds());
    lastFlush = performance.now();
    notices.stored();
  }

  return {
    seconds,
    flush,
    pause() {
      pausedAt ??= performance.now();
    },
    resume() {
      if (pausedAt !== null) began += performance.now() - pausedAt;
      pausedAt = null;
    },
    add(emission) {
      if (ended) return;
      waiting.push(emission);
      timer ??= setTimeout(
        () => {
          try {
            flush();
          } catch (error) {
            ended = true;
            notices.failed(error);
          }
        },
        Math.max(0, lastFlush + interval - performance.now()),
      );
    },
    end() {
      ended = true;
      waiting = [];
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
