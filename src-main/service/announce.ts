/**
 * Tells everyone who asks this host of changes to what projects own, so that a second window shows what the first one did.
 * Runs have their own event; what another program writes into the same data folder is not told.
 */
import type { Service } from '../shared/contract.ts';
import type { ProjectPart } from '../shared/contract-projects.ts';
import { createEvent } from '../shared/event.ts';

/** What each member changes; members that only read are not here. */
const changing = {
  createProject: 'project',
  openProject: 'project',
  renameProject: 'project',
  archiveProject: 'project',
  deleteProject: 'project',
  restoreProject: 'project',
  saveProjectNotes: 'project',
  saveSpec: 'spec',
  renameSpec: 'spec',
  deleteSpec: 'spec',
  restoreSpec: 'spec',
  addModel: 'model',
  locateModel: 'model',
  removeModel: 'model',
  restoreModel: 'model',
  createDataset: 'dataset',
  renameDataset: 'dataset',
  duplicateDataset: 'dataset',
  deleteDataset: 'dataset',
  restoreDataset: 'dataset',
  saveDatasetVersion: 'dataset',
  createCircuit: 'circuit',
  changeCircuit: 'circuit',
  deleteCircuit: 'circuit',
  restoreCircuit: 'circuit',
} as const satisfies { readonly [Name in keyof Service]?: ProjectPart };

type Member = (...values: unknown[]) => Promise<unknown>;

/** The service with `onProjectChanged`, which is told of each change once it is stored. */
export function announcing(service: Omit<Service, 'onProjectChanged'>): Service {
  const changes = createEvent<{ part: ProjectPart }>();
  const told = Object.entries(changing).map(([name, part]): [string, Member] => {
    const member = service[name as keyof typeof changing] as unknown as Member;
    return [
      name,
      async (...values) => {
        const answer = await member(...values);
        changes.emit({ part });
        return answer;
      },
    ];
  });
  return { ...service, ...Object.fromEntries(told), onProjectChanged: changes.subscribe };
}
