/**
 * Giving runs other titles from any screen, with one notice that offers the title before. How a title is asked for is the caller's business.
 */
import type { Workbench } from './workbench.ts';

/** Whether it has the title now; where not, a notice says why. Lists of runs hear of it from the host. */
export async function renameRun(
  workbench: Pick<Workbench, 'service' | 'toasts'>,
  { run, title: before }: { run: string; title: string },
  title: string,
): Promise<boolean> {
  const { toasts } = workbench;
  const wanted = title.trim();
  if (wanted === before) return true;
  // The line may be another one by the time it is taken back
  const give = (name: string) => workbench.service.renameRun(run, name);
  if ((await toasts.attempt('The run could not be renamed.', () => give(wanted))) === null) return false;
  toasts.show({ text: `Renamed to “${wanted}”.`, action: { label: 'Undo', run: () => give(before) } });
  return true;
}
