/**
 * Refetching on change, without piling up: at most one fetch at a time, a pause between two, and never a change missed.
 * It does not know what is fetched.
 */

/** Calls `fetch` now and after each `changed()`; `end` stops. Changes during a fetch lead to one more afterwards. */
export function follow(fetch: () => Promise<void>, pauseMilliseconds: number): { changed(): void; end(): void } {
  let running = false;
  let waiting = false;
  let ended = false;

  async function run(): Promise<void> {
    running = true;
    do {
      waiting = false;
      await fetch();
      if (!ended) await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
    } while (waiting && !ended);
    running = false;
  }

  void run();
  return {
    changed() {
      if (running) waiting = true;
      else if (!ended) void run();
    },
    end() {
      ended = true;
    },
  };
}

/** Whether an error only says that the line is down, which the banner shows already. */
export function isDisconnected(code: string): boolean {
  return code === 'Disconnected';
}
