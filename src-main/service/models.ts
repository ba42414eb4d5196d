/**
 * The part of the service that is about models: a project's folders, folders of this machine, and questions that compute answers.
 * What a folder holds is judged by compute, never here.
 */
import { join } from 'node:path';
import { addModel, getModel, hashesOfModel, listModels, markModelDeleted, moveModel } from '../database/models.ts';
import type { Database } from '../database/open.ts';
import { requireProject } from '../database/projects.ts';
import type { ModelService, ProjectModel } from '../shared/contract-models.ts';
import { HopscopeError } from '../shared/errors.ts';
import { createEvent } from '../shared/event.ts';
import type { ComputeKeeper } from './compute-keeper.ts';
import { browse, filesOf, modelFolderAt, modelName, scan } from './model-folders.ts';
import { requireNumber, requireText } from './require.ts';
import { keptFileOf } from './weights.ts';

/** Pause between two reports of a scan, in milliseconds. */
const reportPause = 200;

/** What specs call the model that ships. */
const smallWorld: ProjectModel = { id: 0, path: 'small-world', name: 'Small world', added: null };

export function modelMembers({
  database,
  compute,
  resources,
  dataFolder,
}: {
  database: Database;
  compute: ComputeKeeper;
  /** The folder of what ships. */
  resources: string;
  dataFolder: string;
}): ModelService {
  const scans = createEvent<{ scan: string; folders: number; found: number; path: string }>();

  return {
    async models(project) {
      requireProject(database, requireNumber(project, 'project'));
      return [smallWorld, ...listModels(database, project).map((row) => ({ ...row, name: modelName(row.path) }))];
    },

    async addModel(project, path) {
      requireProject(database, requireNumber(project, 'project'));
      const folder = modelFolderAt(requireText(path, 'path'));
      const { row, isNew } = addModel(database, { project, path: folder, added: new Date().toISOString() });
      return { model: { ...row, name: modelName(row.path) }, isNew };
    },

    async locateModel(id, path, anyway = false) {
      const before = getModel(database, requireNumber(id, 'id'));
      const folder = modelFolderAt(requireText(path, 'path'));
      const used = hashesOfModel(database, before.path);
      if (!anyway && used.length > 0) {
        const hash = await compute.use((client) => client.modelHash(folder));
        const others = used.filter((entry) => entry.hash !== hash).reduce((sum, { runs }) => sum + runs, 0);
        if (others > 0) throw modelDiffers(folder, others);
      }
      const row = moveModel(database, id, folder);
      return { ...row, name: modelName(row.path) };
    },

    async removeModel(id) {
      markModelDeleted(database, requireNumber(id, 'id'), new Date().toISOString());
    },

    async restoreModel(id) {
      markModelDeleted(database, requireNumber(id, 'id'), null);
    },

    async modelFiles(path) {
      return filesOf(requireText(path, 'path') === smallWorld.path ? join(resources, smallWorld.path) : path);
    },

    async browseFolders(path) {
      return browse(path === undefined || path === null ? undefined : requireText(path, 'path'));
    },

    async scanModels(path, name, signal) {
      let last = 0;
      return scan(requireText(path, 'path'), {
        signal,
        report(folders, found, at) {
          if (performance.now() - last < reportPause) return;
          last = performance.now();
          scans.emit({ scan: requireText(name, 'scan'), folders, found, path: at });
        },
      });
    },

    onModelScan: scans.subscribe,

    tokenize: (path, texts) => compute.use((client) => client.tokenize(requireText(path, 'path'), texts)),

    async nextTokens(path, prompt, { training, ...asked }, signal) {
      const query = training === undefined ? asked : { ...asked, kept: keptFileOf(database, dataFolder, training) };
      // Compute hears of an abort only between two steps; whoever asked need not wait for that.
      return orStopped(
        compute.use((client) => client.nextTokens(requireText(path, 'path'), prompt, query, signal)),
        signal,
      );
    },
  };
}

function modelDiffers(folder: string, runs: number): HopscopeError {
  const which = runs === 1 ? 'A run of this model' : `${runs} runs of this model`;
  return new HopscopeError(
    'ModelDiffers',
    `${which} used other files than those in ${folder}: weights, config.json or tokenizer.json differ. Run again there, they may come to other numbers, and the weights that they kept do not fit.`,
  );
}

function orStopped<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new HopscopeError('Interrupted', 'Stopped on request.', 'interrupted'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
