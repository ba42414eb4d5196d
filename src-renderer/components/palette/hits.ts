/**
 * Things found in the data folder as commands of the palette: choosing one opens its project and leads to it.
 */
import type { SearchHit, SearchKind } from '../../../src-main/shared/contract-projects.ts';
import { runAddress, specAddress } from '../../state/router.svelte.ts';
import { switchProject } from '../../state/switch-project.ts';
import type { Workbench } from '../../state/workbench.ts';
import type { IconName } from '../icons.ts';
import { type Command, grouped } from './commands.ts';

const kinds: { [Kind in SearchKind]: { group: string; icon: IconName } } = {
  project: { group: 'Projects found', icon: 'folder' },
  run: { group: 'Runs found', icon: 'list' },
  model: { group: 'Models found', icon: 'right' },
  dataset: { group: 'Data sets found', icon: 'document' },
  spec: { group: 'Specs found', icon: 'document' },
};

/** Grouped by kind, the kind of the best hit first. */
export function hitCommands(workbench: Workbench, hits: readonly SearchHit[]): Command[] {
  return grouped(
    hits.map(({ kind, id, title, detail, project }) => ({
      id: `found ${kind} ${id}`,
      group: kinds[kind].group,
      title,
      detail,
      icon: kinds[kind].icon,
      run: () => void open(workbench, { kind, id, project }),
    })),
  );
}

async function open(workbench: Workbench, hit: Pick<SearchHit, 'kind' | 'id' | 'project'>): Promise<void> {
  try {
    await switchProject(workbench, hit.project, await addressOf(workbench, hit));
  } catch (error) {
    workbench.toasts.showError('It could not be opened.', error);
  }
}

async function addressOf({ service }: Workbench, { kind, id }: Pick<SearchHit, 'kind' | 'id'>): Promise<string> {
  if (kind === 'run') return runAddress(id);
  if (kind === 'model') return `/models/${id}`;
  if (kind === 'dataset') return `/data/${id}`;
  return kind === 'project' ? '/' : specAddress(await service.spec(Number(id)));
}
