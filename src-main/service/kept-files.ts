/**
 * The folder of kept weights, beside the database: `RUN/NAME.safetensors`, written by compute. When the data folder is opened, files that no run
 * names any more are removed: those of runs that are gone for good, and what killed processes left half written.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '../database/open.ts';
import { listKeptFiles } from '../database/weights.ts';

export const keptWeightsPath = (dataFolder: string): string => join(dataFolder, 'weights');

/** Removes what no run names. Runs that wait or run are left alone: some living process may be writing for them. */
export function sweepKeptFiles(database: Database, dataFolder: string): void {
  const folder = keptWeightsPath(dataFolder);
  const present = namesIn(folder);
  if (present.length === 0) return;
  const runs = listKeptFiles(database);
  for (const run of present) {
    const known = runs.get(run);
    if (known?.active) continue;
    const named = new Set(known?.files);
    for (const name of namesIn(join(folder, run)))
      if (!named.has(`${run}/${name}`)) rmSync(join(folder, run, name), { recursive: true, force: true });
    if (namesIn(join(folder, run)).length === 0) rmSync(join(folder, run), { recursive: true, force: true });
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
