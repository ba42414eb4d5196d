/**
 * Deleting runs from any screen, with one notice that offers to bring them back. Which screen is shown then is the caller's business.
 */
import { plural } from '../text/format.ts';
import type { Workbench } from './workbench.ts';

/** Whether it was deleted; where not, a notice says why. Lists of runs hear of it from the host. */
export async function deleteRun(
  workbench: Pick<Workbench, 'service' | 'toasts'>,
  { run, title }: { run: string; title: string },
): Promise<boolean> {
  const { toasts } = workbench;
  if ((await toasts.attempt('The run could not be deleted.', () => workbench.service.deleteRun(run))) === null) return false;
  // The line may be another one by the time it is taken back
  toasts.show({ text: `Deleted “${title}”.`, action: { label: 'Undo', run: () => workbench.service.restoreRun(run) } });
  return true;
}

/** Deletes those of the runs that have ended, and returns them; where nothing could be deleted, a notice says why. Lists hear of it from the host. */
export async function deleteRuns(
  workbench: Pick<Workbench, 'service' | 'toasts'>,
  runs: readonly string[],
): Promise<readonly string[]> {
  const { toasts } = workbench;
  const answer = await toasts.attempt('The runs could not be deleted.', () => workbench.service.deleteRuns([...runs]));
  if (answer === null) return [];
  const { deleted } = answer;
  const kept = runs.length - deleted.length;
  const rest =
    kept === 0
      ? ''
      : ` ${plural(kept, 'run')} under way ${kept === 1 ? 'was' : 'were'} kept: stop ${kept === 1 ? 'it' : 'them'} first.`;
  if (deleted.length === 0) toasts.show({ text: rest.trim() });
  else {
    toasts.show({
      text: `Deleted ${plural(deleted.length, 'run')}.${rest}`,
      action: { label: 'Undo', run: () => workbench.service.restoreRuns(deleted) },
    });
  }
  return deleted;
}
