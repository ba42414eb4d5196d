/**
 * Which built-in data sets a model has: a small-world model gets the sets of its own world, every other model those of public facts.
 * Names with -2 are the counterfactual assignments: the same questions, other answers. The sets themselves are elsewhere.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../engine/files/strict-json.ts';
import { daxwug, firstHop, secondHop } from '../world/datasets.ts';
import { recordName } from '../world/record.ts';
import { createWorld, type WorldSize } from '../world/world.ts';
import type { BuiltinDatasets } from './dataset.ts';
import { daxwug as publicDaxwug, firstHop as publicFirstHop, secondHop as publicSecondHop } from './public-facts.ts';

const maximumRecordBytes = 16 * 2 ** 20;

/** The world that a model folder's record says it was trained on, and for how many steps, or null. */
export function worldOf(folder: string): { seed: number; size: WorldSize; steps: number } | null {
  const path = join(folder, recordName);
  if (!existsSync(path)) return null;
  const record = readJson(path, { maximumBytes: maximumRecordBytes }) as {
    format?: string;
    recipe?: { worldSeed: number; world: WorldSize; steps: number };
  };
  if (record.format !== 'hopscope small world' || !record.recipe) return null;
  return { seed: record.recipe.worldSeed, size: record.recipe.world, steps: record.recipe.steps };
}

export function builtinDatasets(folder: string): BuiltinDatasets {
  const world = worldOf(folder);
  if (!world) {
    return {
      'first-hop': { kind: 'facts', make: () => publicFirstHop() },
      'second-hop': { kind: 'facts', make: () => publicSecondHop() },
      'first-hop-2': { kind: 'facts', make: () => publicFirstHop(2) },
      'second-hop-2': { kind: 'facts', make: () => publicSecondHop(2) },
      daxwug: { kind: 'daxwug', make: publicDaxwug },
    };
  }
  const made = createWorld(world.seed, world.size);
  return {
    'first-hop': { kind: 'facts', make: () => firstHop(made) },
    'second-hop': { kind: 'facts', make: () => secondHop(made) },
    'first-hop-2': { kind: 'facts', make: () => firstHop(made, { assignment: 2 }) },
    'second-hop-2': { kind: 'facts', make: () => secondHop(made, { assignment: 2 }) },
    daxwug: { kind: 'daxwug', make: () => daxwug(made) },
  };
}
