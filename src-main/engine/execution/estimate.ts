/**
 * What a piece of work takes on this machine, before it begins: memory, where weights and what trains are kept, disk and seconds.
 * It puts memory-plan.ts and time-plan.ts together and starts nothing.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { WorkEstimate } from '../../shared/records.ts';
import type { Model } from '../models/model.ts';
import { machineSpeed, readSpeed, writeSpeed } from '../runtime/machine-speed.ts';
import { bestPlan, defaultBudget, type MemoryPlan, type PlannedWork } from './memory-plan.ts';
import { firstPassSeconds, passSeconds } from './time-plan.ts';

/** The work, how often it is done, and where it may keep what memory does not hold. */
export interface EstimatedWork {
  work: PlannedWork;
  passes: number;
  /** A folder on the disk that a scratch folder would be on; it need not exist. */
  scratch: string;
  threads: number;
  budget?: number | undefined;
  /** What was planned already. */
  plan?: MemoryPlan;
}

/** Errors: `BadTrainable`. */
export async function estimate(
  model: Model,
  { work, passes, scratch, threads, budget, plan }: EstimatedWork,
): Promise<WorkEstimate> {
  const best = plan ?? bestPlan(model, work, budget ?? defaultBudget());
  const read = readSpeed(model.checkpoint.folder);
  // A disk is asked how fast it writes only where something is to be written
  const write = best.state === 'scratch' ? await writeSpeed(existingFolder(scratch)) : read;
  const seconds =
    firstPassSeconds(model, best, work) +
    passes * passSeconds(model, work, best, await machineSpeed(threads), { read, write }) +
    model.checkpoint.bytes / read;
  return {
    memory: best.peak,
    residency: best.residency,
    state: best.state,
    disk: best.scratchBytes,
    seconds: Number(seconds.toPrecision(3)),
    fits: best.peak <= best.budget,
  };
}

function existingFolder(path: string): string {
  let folder = resolve(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
