/**
 * What a piece of work on a screen does to its smoothness: the time until its content is there, the longest gap between two frames, and long tasks.
 * It reads the page's own clock and judges nothing.
 */
import type { Page } from 'playwright';
import { inPage } from '../e2e/app.ts';

/** Milliseconds. */
export interface Smoothness {
  /** From the first event to the content that was waited for. */
  content: number;
  /** The longest time between two frames, until things were quiet. */
  longestFrame: number;
  /** Frames that came after more than 50 ms. */
  lateFrames: number;
  /** Tasks of more than 50 ms, as browsers define long ones. */
  longTasks: number;
  longestTask: number;
}

/** Milliseconds without anything to do after the content, which count for frames and tasks. */
const quiet = 300;

/** Begins to note frames and long tasks; once for each page. */
export async function installProbe(page: Page): Promise<void> {
  await inPage(
    page,
    `(() => {
      const probe = (window.probe = { frames: [], tasks: [] });
      new PerformanceObserver((list) => {
        for (const { startTime, duration } of list.getEntries()) probe.tasks.push([startTime, duration]);
      }).observe({ type: 'longtask' });
      const frame = () => {
        probe.frames.push(performance.now());
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    })()`,
  );
}

/** Does something that ends when its content is there. */
export async function observe(page: Page, act: () => Promise<void>): Promise<Smoothness> {
  const now = async () => (await inPage(page, 'performance.now()')) as number;
  const started = await now();
  await act();
  const ended = await now();
  await page.waitForTimeout(quiet);
  const { frames, tasks } = (await inPage(
    page,
    `({ frames: window.probe.frames.filter((time) => time >= ${started} - 20), tasks: window.probe.tasks.filter(([time]) => time >= ${started}) })`,
  )) as { frames: number[]; tasks: [number, number][] };
  const gaps = frames.slice(1).map((time, index) => time - frames[index]!);
  const durations = tasks.map(([, duration]) => duration);
  return {
    content: ended - started,
    longestFrame: Math.max(0, ...gaps),
    lateFrames: gaps.filter((gap) => gap > 50).length,
    longTasks: durations.length,
    longestTask: Math.max(0, ...durations),
  };
}

/** Medians of each measure. */
export function medianOf(rounds: readonly Smoothness[]): Smoothness {
  const median = (of: (round: Smoothness) => number) => rounds.map(of).sort((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
  return {
    content: median(({ content }) => content),
    longestFrame: median(({ longestFrame }) => longestFrame),
    lateFrames: median(({ lateFrames }) => lateFrames),
    longTasks: median(({ longTasks }) => longTasks),
    longestTask: median(({ longestTask }) => longestTask),
  };
}
