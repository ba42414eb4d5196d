/**
 * Giving runs other titles from any screen, with one notice that offers the title before. How a title is asked for is the caller's business.
 */
import type { Workbench } from './workbench.ts';

/** Whether it has the title now; where not, a notice says why. Lists of runs hear of it from the host. */
export async function renameRun(
  { service, toasts }: Pick<Workbench, 'service' | 'toasts'>,
  run: { run: string; title: string },
  title: string,
): Promise<boolean> {
  const wanted = title.trim();
  if (wanted === run.title) return true;
  try {
    await service.renameRun(run.run, wanted);
  } catch (error) {
    toasts.showError('The run could not be renamed.', error);
    return false;
  }
  toasts.show({
    text: `Renamed to “${wanted}”.`,
    action: { label: 'Undo', run: () => service.renameRun(run.run, run.title) },
  });
  return true;
}
