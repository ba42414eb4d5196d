/**
 * The way from something that was found to its screen, in the project it belongs to. What is found is the host's to say.
 */
import type { SearchHit } from '../../src-main/shared/contract-projects.ts';
import { datasetAddress } from './datasets.svelte.ts';
import { modelAddress } from './models.svelte.ts';
import { circuitAddress, runAddress, specAddress } from './router.svelte.ts';
import { switchProject } from './switch-project.ts';
import type { Workbench } from './workbench.ts';

export type HitPlace = Pick<SearchHit, 'kind' | 'id' | 'project'>;

/** Opens its project, and its screen there. Where that fails a notice says so. */
export async function openHit(workbench: Workbench, hit: HitPlace): Promise<void> {
  await workbench.toasts.attempt('It could not be opened.', async () =>
    switchProject(workbench, hit.project, await addressOf(workbench, hit)),
  );
}

async function addressOf({ service }: Workbench, { kind, id }: HitPlace): Promise<string> {
  switch (kind) {
    case 'project':
      return '/';
    case 'run':
      return runAddress(id);
    case 'model':
      return modelAddress({ id: Number(id) });
    case 'dataset':
      return datasetAddress(Number(id));
    case 'spec':
      return specAddress(await service.spec(Number(id)));
    case 'circuit': {
      const end = id.lastIndexOf('/');
      return circuitAddress(id.slice(0, end), id.slice(end + 1));
    }
  }
}
