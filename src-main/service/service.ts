/**
 * Everything the screens and the command line can ask for: `Service` over the database, the queue and compute.
 * It checks who may ask for what and nothing of the science: specs are judged by compute's `preview`.
 */
import { randomBytes } from 'node:crypto';
import { getEvaluations, getItemSets, getSteps } from '../database/measurements.ts';
import { closeDatabase, hasLog, openDatabase, sqliteVersion } from '../database/open.ts';
import { sweepOwnerLocks, takeOwnerLock } from '../database/owner-lock.ts';
import { createRun, deleteRun, getFigures, getRun, listRuns, requestStop, stateOf } from '../database/runs.ts';
import { getScores } from '../database/scores.ts';
import type { Service } from '../shared/contract.ts';
import { HopscopeError } from '../shared/errors.ts';
import { createEvent } from '../shared/event.ts';
import type { ExperimentSpec, RunState, ScoreQuery } from '../shared/records.ts';
import { describeProgram } from './about.ts';
import { ComputeKeeper } from './compute-keeper.ts';
import type { LaunchCompute } from './compute-launcher.ts';
import { databasePath, locksPath, prepareDataFolder, requireSpace, spaceForRun } from './data-folder.ts';
import { interruptDeadOwners, watchNeighbours } from './neighbours.ts';
import { Queue } from './queue.ts';
import { titleOf } from './title.ts';

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

const largestPage = 1000;

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
    compute,
    changed,
    ...(settings.patience === undefined ? {} : { patience: settings.patience }),
  });
  interruptDeadOwners(database, lock);
  const neighbours = watchNeighbours(database, lock, { changed, stopAsked: (run) => void queue.stop(run) });
  let closing: Promise<void> | null = null;

  const service: Service = {
    about: async () => describeProgram({ dataFolder: folder, resources: settings.resources, sqlite: sqliteVersion(database) }),
    devices: () => compute.use((client) => client.devices()),
    experiments: () => compute.use((client) => client.experiments()),
    describeModel: (path) => compute.use((client) => client.describeModel(requireText(path, 'path'))),
    preview: (spec) => compute.use((client) => client.preview(requireSpec(spec))),
    preflight: (spec) => compute.use((client) => client.preflight(requireSpec(spec))),

    async startRun(given) {
      requireSpace(folder, spaceForRun);
      const { spec } = await compute.use((client) => client.preview(requireSpec(given)));
      if (closing !== null) throw new HopscopeError('Closed', 'The program is closing.', 'interrupted');
      const created = new Date().toISOString();
      const run = runName(created);
      createRun(database, { run, owner: lock.owner, experiment: spec.experiment, ...titleOf(spec), spec, created });
      changed(run, 'queued');
      queue.add(run, spec);
      return { run };
    },

    async stopRun(run) {
      const state = stateOf(database, requireText(run, 'run'));
      if (state !== 'queued' && state !== 'running') return;
      if (queue.has(run)) await queue.stop(run);
      else requestStop(database, run);
    },

    async deleteRun(run) {
      deleteRun(database, requireText(run, 'run'));
    },

    runs: async (page) =>
      listRuns(database, { limit: whole(page?.limit, 100, largestPage), offset: whole(page?.offset, 0, 2 ** 40) }),
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

    onRunChanged: changes.subscribe,
  };

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

/** Callers may sit behind a port, where types are only a promise. */
function requireText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value.length > 4096)
    throw new HopscopeError('BadArgument', `${name} is not a text of up to 4096 characters.`);
  return value;
}

function requireSpec(spec: unknown): ExperimentSpec {
  const { experiment, model } = (typeof spec === 'object' && spec !== null ? spec : {}) as Partial<ExperimentSpec>;
  if (typeof experiment !== 'string' || typeof model !== 'string') {
    throw new HopscopeError('BadSpec', 'A spec is an object with at least `experiment` and `model`, both texts.');
  }
  return spec as ExperimentSpec;
}

function requireScoreQuery(query: unknown): ScoreQuery {
  const { seed, point, stage, names } = (typeof query === 'object' && query !== null ? query : {}) as Partial<ScoreQuery>;
  const isGood =
    Number.isSafeInteger(seed) &&
    Number.isSafeInteger(point) &&
    (stage === undefined || typeof stage === 'string') &&
    (names === undefined ||
      (Array.isArray(names) && names.length <= largestPage && names.every((name) => typeof name === 'string')));
  if (!isGood) {
    throw new HopscopeError(
      'BadArgument',
      'Scores are asked for by a seed and a point (an item index, or -1 for the average), and optionally a stage and names.',
    );
  }
  return query as ScoreQuery;
}

function whole(value: unknown, absent: number, most: number): number {
  if (value === undefined || value === null) return absent;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new HopscopeError('BadArgument', 'A page is given by two whole numbers.');
  return Math.min(value, most);
}

function orRelease<T>(lock: { release(): void }, work: () => T): T {
  try {
    return work();
  } catch (error) {
    lock.release();
    throw error;
  }
}
