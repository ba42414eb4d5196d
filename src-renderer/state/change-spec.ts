/**
 * Renaming and deleting saved specs, the latter with a notice that offers to bring them back. Whoever lists them hears of it from the host.
 */
import type { SavedSpec } from '../../src-main/shared/contract-projects.ts';
import type { Workbench } from './workbench.ts';

/** Whether it has the name now; where not, a notice says why. */
export async function renameSpec(
  { service, toasts }: Pick<Workbench, 'service' | 'toasts'>,
  { id }: Pick<SavedSpec, 'id'>,
  name: string,
): Promise<boolean> {
  return (await toasts.attempt('The spec could not be renamed.', () => service.renameSpec(id, name))) !== null;
}

/** Whether it was deleted; where not, a notice says why. */
export async function deleteSpec(
  workbench: Pick<Workbench, 'service' | 'toasts'>,
  { id, name }: Pick<SavedSpec, 'id' | 'name'>,
): Promise<boolean> {
  const { toasts } = workbench;
  if ((await toasts.attempt('The spec could not be deleted.', () => workbench.service.deleteSpec(id))) === null) return false;
  // The line may be another one by the time it is taken back
  const run = () => workbench.service.restoreSpec(id);
  toasts.show({ text: `Deleted the spec “${name}”.`, action: { label: 'Undo', run } });
  return true;
}
