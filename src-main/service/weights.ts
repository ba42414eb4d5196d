/**
 * The part of the service that is about what trainings learned: which files there are, and questions to them that compute answers. Paths of
 * strengths that were walked are stored here; what is measured along them is compute's.
 */
import { join } from 'node:path';
import { getItemSets, listMeasured } from '../database/measurements.ts';
import { presentPath } from '../database/models.ts';
import type { Database } from '../database/open.ts';
import { getRun, stateOf } from '../database/runs.ts';
import {
  getWeights,
  insertDialPath,
  listDialPaths,
  listWeights,
  listWeightsOfModel,
  markDialPathDeleted,
} from '../database/weights.ts';
import type { DialPoint, KeptFile, KeptTraining, StrengthBlock, WeightsService } from '../shared/contract-weights.ts';
import { HopscopeError } from '../shared/errors.ts';
import { createEvent } from '../shared/event.ts';
import type { ComputeKeeper } from './compute-keeper.ts';
import { keptWeightsPath } from './kept-files.ts';
import { fieldsOf, requireNumber, requireText } from './require.ts';

/** Layers that a model may have at most, and points of a path. */
const mostBlocks = 1000;
const mostPoints = 10_000;

/** The file of a training's kept weights. Errors: `BadArgument`, `WeightsNotKept`, `RunNotFound`. */
export function keptFileOf(database: Database, dataFolder: string, training: KeptTraining): KeptFile {
  const asked = requireTraining(training);
  stateOf(database, asked.run);
  const { file, hash } = getWeights(database, asked);
  return { path: join(keptWeightsPath(dataFolder), file), hash };
}

export function weightsMembers({
  database,
  compute,
  dataFolder,
}: {
  database: Database;
  compute: ComputeKeeper;
  dataFolder: string;
}): WeightsService {
  const dials = createEvent<{ dial: string; done: number; total: number }>();

  return {
    async keptWeights(run) {
      stateOf(database, requireText(run, 'run'));
      return listWeights(database, run);
    },

    keptOfModel: async (path) => listWeightsOfModel(database, requireText(path, 'path')),

    async dial(training, strengths, dial, signal) {
      const kept = keptFileOf(database, dataFolder, training);
      const { spec, provenance } = getRun(database, training.run);
      const measured = listMeasured(database, training.run, training);
      const sets = getItemSets(database, training.run).filter(({ set }) => measured.includes(set));
      const question = {
        model: presentPath(database, spec.model),
        kept,
        threads: provenance?.threads ?? 1,
        strengths: requireStrengths(strengths),
        sets,
        dial: requireText(dial, 'dial'),
      };
      return compute.use(async (client) => {
        const unsubscribe = client.onDial((progress) => {
          if (progress.dial === dial) dials.emit(progress);
        });
        try {
          return await client.dial(question, signal);
        } finally {
          unsubscribe();
        }
      });
    },

    onDial: dials.subscribe,

    async dialPaths(run) {
      stateOf(database, requireText(run, 'run'));
      return listDialPaths(database, run);
    },

    async saveDialPath(training, points) {
      const asked = requireTraining(training);
      getWeights(database, asked);
      return { path: insertDialPath(database, asked, requirePoints(points), new Date().toISOString()) };
    },

    async deleteDialPath(path) {
      markDialPathDeleted(database, requireNumber(path, 'path'), new Date().toISOString());
    },

    async restoreDialPath(path) {
      markDialPathDeleted(database, requireNumber(path, 'path'), null);
    },
  };
}

/** Errors here and below: `BadArgument`. */
function requireTraining(training: unknown): KeptTraining {
  const { run, seed, stage } = fieldsOf<KeptTraining>(training);
  return { run: requireText(run, 'run'), seed: requireNumber(seed, 'seed'), stage: requireText(stage, 'stage') };
}

/** What a strength may be is for compute to say, which knows the layers. */
function requireStrengths(strengths: unknown): StrengthBlock[] {
  const isBlock = (block: unknown) => {
    const { layers, strength } = fieldsOf<StrengthBlock>(block);
    const isRange = layers === null || (Array.isArray(layers) && layers.length === 2 && layers.every(Number.isInteger));
    return typeof strength === 'number' && isRange;
  };
  if (Array.isArray(strengths) && strengths.length > 0 && strengths.length <= mostBlocks && strengths.every(isBlock))
    return strengths;
  throw new HopscopeError(
    'BadArgument',
    'Strengths are a list of {layers: [first, last], strength}, layers null for all of them.',
  );
}

function requirePoints(points: unknown): DialPoint[] {
  const isRank = (rank: unknown) => {
    const { set, meanRank, loss } = fieldsOf<DialPoint['ranks'][number]>(rank);
    return typeof set === 'string' && Number.isFinite(meanRank) && Number.isFinite(loss);
  };
  const list =
    Array.isArray(points) && points.length > 0 && points.length <= mostPoints ? (points as Partial<DialPoint>[]) : null;
  if (list === null || !list.every(({ ranks }) => Array.isArray(ranks) && ranks.every(isRank)))
    throw new HopscopeError('BadArgument', `A path is a list of 1 to ${mostPoints} points, each with strengths and ranks.`);
  return list.map(({ strengths, ranks = [] }) => ({
    strengths: requireStrengths(strengths),
    ranks: ranks.map(({ set, meanRank, loss }) => ({ set, meanRank, loss })),
  }));
}
