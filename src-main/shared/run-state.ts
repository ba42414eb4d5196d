/**
 * The states of a run, and which of them say that it has not ended. Halted is no state: a run that is paused is running.
 */
import type { RunState } from './records.ts';

export const runStates: readonly RunState[] = ['queued', 'running', 'finished', 'failed', 'stopped', 'interrupted'];

/** Whether it waits or runs; everything else is an end. */
export function isUnderWay(state: RunState): boolean {
  return state === 'queued' || state === 'running';
}
