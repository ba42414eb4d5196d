/**
 * What a run will take on this machine: the memory of its largest piece of work, the disk, and the time of all of them. Pieces of work are
 * estimated by the engine's plans; this file says which ones a run is made of.
 */
import { estimate } from '../engine/execution/estimate.ts';
import { bestPlan, defaultBudget, type MemoryPlan, type PlannedWork, planMemory } from '../engine/execution/memory-plan.ts';
import { trainingOf as parametersTrained } from '../engine/models/adapters.ts';
import type { Model } from '../engine/models/model.ts';
import type { Trainable } from '../engine/models/parameters.ts';
import { elementCount } from '../engine/tensor.ts';
import { type EncodedSet, itemsPerPass } from '../scores/evaluation.ts';
import { byteCount } from '../shared/byte-count.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { ExperimentSpec, WorkEstimate } from '../shared/records.ts';
import type { Work } from './experiment.ts';
import { isKeptChoice, type KeepChoice } from './kept-trainings.ts';
import { seedsOf } from './stage.ts';

/** A run as far as its cost depends on it. */
export interface CostedRun {
  spec: ExperimentSpec;
  model: Model;
  sets: readonly EncodedSet[];
  work: Work;
}

/** The training that a run's memory is planned for. */
function trainingOf({ spec, sets, work }: CostedRun): PlannedWork {
  const longest = Math.max(...sets.flatMap(({ examples }) => examples.map(({ ids }) => ids.length)));
  const counted = Math.max(
    ...sets.flatMap(({ examples }) => examples.map(({ questionEnd, lastLabel }) => lastLabel - questionEnd)),
  );
  const largest = Math.max(...sets.map(({ examples }) => examples.length));
  return {
    kind: 'train',
    batch: work.batchSize,
    positions: longest,
    // Measuring a list has more rows than a step has
    rows: Math.max(work.batchSize, Math.min(largest, itemsPerPass)) * counted,
    trainable: spec.trainable as Trainable,
    trainedSets: work.trainedSets ?? 1,
  };
}

/** Bytes of memory that a spec keeps to: its own number or text such as 8GiB, or what is available less a reserve. Errors: `BadSpec`. */
export function budgetOf({ memory }: ExperimentSpec): number {
  if (memory === undefined || memory === null) return defaultBudget();
  const bytes = byteCount(String(memory));
  if (bytes !== null) return bytes;
  throw new HopscopeError('BadSpec', `memory ${JSON.stringify(memory)}: bytes are expected, such as 8GiB or 900MB.`);
}

/** How the run fits. Errors: `NotEnoughMemory`, `BadSpec`. */
export const planRun = (run: CostedRun): MemoryPlan => planMemory(run.model, trainingOf(run), budgetOf(run.spec));

/** Bytes of disk that the run's trainings will leave at most: those that train only some layers leave less. Errors: `BadTrainable`. */
export function keptBytes({ spec, model, work }: Pick<CostedRun, 'spec' | 'model' | 'work'>): number {
  const { outline, names } = parametersTrained(model, spec.trainable as Trainable);
  const bytes = outline.parameters.all.reduce((sum, { name, shape }) => sum + (names.has(name) ? 4 * elementCount(shape) : 0), 0);
  // An experiment without the setting keeps nothing
  const isKept = spec.keep !== undefined && isKeptChoice(spec.keep as KeepChoice, bytes);
  return isKept ? bytes * (work.keptTrainings ?? seedsOf(spec).length) : 0;
}

/** Errors: `BadSpec`, `BadTrainable`. */
export async function estimateRun(run: CostedRun, threads: number, scratch: string): Promise<WorkEstimate> {
  const { spec, model, sets, work } = run;
  const budget = budgetOf(spec);
  const planned = trainingOf(run);
  const training = await estimate(model, { work: planned, passes: work.steps, scratch, threads, budget });
  let { seconds } = training;
  for (const { examples } of sets) {
    const batch = Math.min(examples.length, itemsPerPass);
    const measuring: PlannedWork = { ...planned, kind: 'forward', batch, rows: batch };
    const passes = (work.evaluations * examples.length) / batch;
    const plan = { ...bestPlan(model, measuring, budget), residency: training.residency };
    seconds += (await estimate(model, { work: measuring, passes, scratch, threads, budget, plan })).seconds;
  }
  return { ...training, seconds: Number(seconds.toPrecision(3)) };
}
