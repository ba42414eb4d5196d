/**
 * Things found in the data folder as commands of the palette: choosing one opens its project and leads to it.
 */
import type { SearchHit, SearchKind } from '../../../src-main/shared/contract-projects.ts';
import { openHit } from '../../state/open-hit.ts';
import type { Workbench } from '../../state/workbench.ts';
import type { IconName } from '../icons.ts';
import { type Command, grouped } from './commands.ts';

const kinds: { [Kind in SearchKind]: { group: string; icon: IconName } } = {
  project: { group: 'Projects found', icon: 'folder' },
  run: { group: 'Runs found', icon: 'list' },
  model: { group: 'Models found', icon: 'right' },
  dataset: { group: 'Data sets found', icon: 'document' },
  spec: { group: 'Specs found', icon: 'document' },
  circuit: { group: 'Circuits found', icon: 'circuit' },
};

/** Grouped by kind, the kind of the best hit first. */
export function hitCommands(workbench: Workbench, hits: readonly SearchHit[]): Command[] {
  return grouped(
    hits.map(({ kind, id, title, detail, project, excerpt }) => ({
      id: `found ${kind} ${id}`,
      group: kinds[kind].group,
      title,
      detail: excerpt === null ? detail : `${detail} · ${excerpt}`,
      icon: kinds[kind].icon,
      run: () => void openHit(workbench, { kind, id, project }),
    })),
  );
}
