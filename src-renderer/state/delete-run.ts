/**
 * Deleting a run from any screen, with a notice that offers to bring it back. Which screen is shown then is the caller's business.
 */
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
