/**
 * Everything the screens and the command line can ask for: `Service` over the database, the queue and compute.
 * It checks who may ask for what and nothing of the science: specs are judged by compute's `preview`.
 */
import { randomBytes } from 'node:crypto';
import { getEvaluations, getItemSets, getSteps } from '../database/measurements.ts';
import { closeDatabase, hasLog, openDatabase, sqliteVersion } from '../database/open.ts';
import { sweepOwnerLocks, takeOwnerLock } from '../database/owner-lock.ts';
import { requireProject } from '../database/projects.ts';
import { keptMilliseconds, purge } from '../database/purge.ts';
import { listRuns } from '../database/run-list.ts';
import { createRun, deleteRun, getFigures, getRun, requestStop, stateOf } from '../database/runs.ts';
import { getScores } from '../database/scores.ts';
import type { Service } from '../shared/contract.ts';
import { HopscopeError } from '../shared/errors.ts';
import { createEvent } from '../shared/event.ts';
import type { RunState } from '../shared/records.ts';
import { isUnderWay } from '../shared/run-state.ts';
import { describeProgram } from './about.ts';
import { announcing } from './announce.ts';
import { circuitMembers } from './circuits.ts';
import { ComputeKeeper } from './compute-keeper.ts';
import type { LaunchCompute } from './compute-launcher.ts';
import { databasePath, locksPath, prepareDataFolder, requireSpace, spaceForRun } from './data-folder.ts';
import { datasetMembers, versionTitle, withData } from './datasets.ts';
import { keptWeightsPath, sweepKeptFiles } from './kept-files.ts';
import { modelMembers } from './models.ts';
import { interruptDeadOwners, watchNeighbours } from './neighbours.ts';
import { projectMembers } from './projects.ts';
import { Queue } from './queue.ts';
import { requireRunPlan, requireRunQuery, requireScoreQuery, requireSpec, requireText } from './require.ts';
import { runMembers } from './run-members.ts';
import { sealed } from './seal.ts';
import { titleOf } from './title.ts';
import { weightsMembers } from './weights.ts';

export interface ServiceSettings {
  dataFolder: string;
  /** The folder of shipped models and data. */
  resources: string;
  launchCompute: LaunchCompute;
  /** Milliseconds that a stopped run may take to answer before compute is killed; 5000. */
  patience?: number;
}

export interface OpenService {
  service: Service;
  /** Ends this process's unfinished runs as `interrupted`, then compute, then the database. */
  close(): Promise<void>;
}

/**
 * Opens the data folder and its service. Compute is started by the first call that needs it.
 * Errors: `DataFolderUnusable`, `OwnerLockFailed`, and those of `openDatabase`.
 */
export function openService(settings: ServiceSettings): OpenService {
  const folder = prepareDataFolder(settings.dataFolder);
  const file = databasePath(folder);
  // A lock left behind, or a log that nobody alive keeps: some process did not close the database.
  const others = sweepOwnerLocks(locksPath(folder));
  const check = others.dead > 0 || (others.alive === 0 && hasLog(file));
  const lock = takeOwnerLock(locksPath(folder));
  const database = orRelease(lock, () => openDatabase(file, { check }));
  const compute = new ComputeKeeper(settings.launchCompute);
  const changes = createEvent<{ run: string; state: RunState }>();
  const changed = (run: string, state: RunState) => changes.emit({ run, state });
  const queue = new Queue({
    database,
    weights: keptWeightsPath(folder),
    compute,
    changed,
    ...(settings.patience === undefined ? {} : { patience: settings.patience }),
  });
  interruptDeadOwners(database, lock);
  purge(database, new Date(Date.now() - keptMilliseconds).toISOString());
  sweepKeptFiles(database, folder);
  const neighbours = watchNeighbours(database, lock, { changed, stopAsked: (run) => void queue.stop(run) });
  let closing: Promise<void> | null = null;

  const service: Service = announcing({
    about: async () => describeProgram({ dataFolder: folder, resources: settings.resources, sqlite: sqliteVersion(database) }),
    devices: () => compute.use((client) => client.devices()),
    experiments: () => compute.use((client) => client.experiments()),
    describeModel: (path) => compute.use((client) => client.describeModel(requireText(path, 'path'))),
    async preview(given) {
      const { spec, refer } = withData(database, requireSpec(given));
      const preview = await compute.use((client) => client.preview(spec));
      return { ...preview, spec: refer(preview.spec) };
    },
    preflight: async (given) => {
      const { spec } = withData(database, requireSpec(given));
      return compute.use((client) => client.preflight(spec));
    },

    async startRun(given, planned) {
      const plan = requireRunPlan(planned);
      requireSpace(folder, spaceForRun);
      if (plan.project !== undefined) requireProject(database, plan.project);
      const data = withData(database, requireSpec(given));
      const { spec: complete, changed: differing } = await compute.use((client) => client.preview(data.spec));
      if (closing !== null) throw new HopscopeError('Closed', 'The program is closing.', 'interrupted');
      const created = new Date().toISOString();
      const run = runName(created);
      // What is stored names the version; what is computed holds its content.
      const spec = data.refer(complete);
      const used = data.version === null ? {} : { datasetVersion: data.version.id };
      const seal = plan.prediction === undefined ? {} : { prediction: sealed(run, created, plan.prediction) };
      const named = data.version === null ? {} : { named: versionTitle(data.version) };
      const titles = titleOf(spec, { ...named, changed: differing });
      createRun(database, {
        run,
        owner: lock.owner,
        experiment: spec.experiment,
        ...titles,
        spec,
        created,
        ...plan,
        ...seal,
        ...used,
      });
      changed(run, 'queued');
      queue.add(run, complete);
      return { run };
    },

    async stopRun(run) {
      const state = stateOf(database, requireText(run, 'run'));
      if (!isUnderWay(state)) return;
      if (queue.has(run)) await queue.stop(run);
      else requestStop(database, run);
    },

    async deleteRun(run) {
      const state = stateOf(database, requireText(run, 'run'));
      deleteRun(database, run, new Date().toISOString());
      changed(run, state);
    },

    runs: async (query) => listRuns(database, requireRunQuery(query)),
    run: async (run) => getRun(database, requireText(run, 'run')),

    async steps(run) {
      stateOf(database, requireText(run, 'run'));
      return getSteps(database, run);
    },

    async itemSets(run) {
      stateOf(database, requireText(run, 'run'));
      return getItemSets(database, run);
    },

    async evaluations(run, options) {
      stateOf(database, requireText(run, 'run'));
      return getEvaluations(database, run, options?.items === true);
    },

    async scores(run, query) {
      stateOf(database, requireText(run, 'run'));
      return getScores(database, run, requireScoreQuery(query));
    },

    async figures(run) {
      return getFigures(database, requireText(run, 'run'));
    },

    ...datasetMembers(database, compute),
    onRunChanged: changes.subscribe,
    ...modelMembers({ database, compute, resources: settings.resources, dataFolder: folder }),
    ...weightsMembers({ database, compute, dataFolder: folder }),
    ...circuitMembers(database),
    ...projectMembers(database, changed),
    ...runMembers(database, queue, changed),
  });

  async function close(): Promise<void> {
    neighbours.close();
    await queue.close();
    await compute.close();
    closeDatabase(database);
    lock.release();
  }

  return {
    service,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Sorts by time and can be typed: `20261122-134501-k3f9`. */
function runName(created: string): string {
  const letters = 'abcdefghijkmnpqrstuvwxyz23456789'; // none that is easily mistaken for another
  const random = [...randomBytes(4)].map((byte) => letters[byte % letters.length]).join('');
  return `${created.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}-${random}`;
}

function orRelease<T>(lock: { release(): void }, work: () => T): T {
  try {
    return work();
  } catch (error) {
    lock.release();
    throw error;
  }
}
