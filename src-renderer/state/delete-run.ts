/**
 * Deleting runs from any screen, with one notice that offers to bring them back. Which screen is shown then is the caller's business.
 */
import { plural } from '../text/format.ts';
import type { Workbench } from './workbench.ts';

/** Whether it was deleted; where not, a notice says why. Lists of runs hear of it from the host. */
export async function deleteRun(
  { service, toasts }: Pick<Workbench, 'service' | 'toasts'>,
  run: { run: string; title: string },
): Promise<boolean> {
  try {
    await service.deleteRun(run.run);
  } catch (error) {
    toasts.showError('The run could not be deleted.', error);
    return false;
  }
  toasts.show({ text: `Deleted “${run.title}”.`, action: { label: 'Undo', run: () => service.restoreRun(run.run) } });
  return true;
}

/** Deletes those of the runs that have ended, and returns them; where nothing could be deleted, a notice says why. Lists hear of it from the host. */
export async function deleteRuns(
  { service, toasts }: Pick<Workbench, 'service' | 'toasts'>,
  runs: readonly string[],
): Promise<readonly string[]> {
  let deleted: string[];
  try {
    ({ deleted } = await service.deleteRuns([...runs]));
  } catch (error) {
    toasts.showError('The runs could not be deleted.', error);
    return [];
  }
  const kept = runs.length - deleted.length;
  const rest =
    kept === 0
      ? ''
      : ` ${plural(kept, 'run')} under way ${kept === 1 ? 'was' : 'were'} kept: stop ${kept === 1 ? 'it' : 'them'} first.`;
  if (deleted.length === 0) toasts.show({ text: rest.trim() });
  else {
    toasts.show({
      text: `Deleted ${plural(deleted.length, 'run')}.${rest}`,
      action: { label: 'Undo', run: () => service.restoreRuns(deleted) },
    });
  }
  return deleted;
}
