/**
 * Reads a run's stored scores as tables, each asked for once and kept, and subtracts another run's from them.
 * What is chosen, and what is on the screen, is in circuit.svelte.ts.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ScoreListing } from '../../src-main/shared/contract-circuits.ts';
import type { ItemSet, RunDetail } from '../../src-main/shared/records.ts';
import { differenceOf, meanOf, promptTokens, type ScoreTables, shownNames, tablesOf } from '../circuit/scores.ts';
import { accumulationTokens } from '../circuit/tokens.ts';
import { seedsOf } from '../measures/curves.ts';

/** A run with what it says of its scores. */
export interface ScoreSource {
  detail: RunDetail;
  sets: ItemSet[];
  listings: ScoreListing[];
}

/** `seed` null: the mean over seeds; `point` -1: the average over items. */
export interface ScoreChoice {
  stage: string;
  seed: number | null;
  point: number;
}

/** Every stage together, for runs whose stages store different scores. */
export const allStages = '';

/** Errors: `RunNotFound`. */
export async function sourceOf(service: Service, run: string): Promise<ScoreSource> {
  const [detail, sets, listings] = await Promise.all([service.run(run), service.itemSets(run), service.scoreListing(run)]);
  return { detail, sets, listings };
}

export function listingsOf(listings: readonly ScoreListing[], stage: string): ScoreListing[] {
  return listings.filter((listing) => stage === allStages || listing.stage === stage);
}

/** Whether no score is stored at two stages. */
function isSplit(listings: readonly ScoreListing[]): boolean {
  const byStage = new Map<string, Set<string>>();
  for (const { stage, names } of listings) byStage.set(stage, new Set([...(byStage.get(stage) ?? []), ...names]));
  const all = [...byStage.values()].flatMap((names) => [...names]);
  return new Set(all).size === all.length;
}

/** Names of scorings in the order in which they were stored; `allStages` first where each stores other scores. */
export function stagesOf(listings: readonly ScoreListing[]): string[] {
  const stages = [...new Set(listings.map(({ stage }) => stage))];
  return stages.length > 1 && isSplit(listings) ? [allStages, ...stages] : stages;
}

/** Which of another run's stages is subtracted from `stage`: the chosen one, else the one of the same name, else the last. */
export function otherStage(stages: readonly string[], stage: string, chosen: string | null): string {
  if (chosen !== null && stages.includes(chosen)) return chosen;
  return stages.includes(stage) ? stage : (stages.at(-1) ?? allStages);
}

/** What was subtracted of another run. */
interface Subtracted {
  stage: string;
  /** One seed, or those whose mean it is. */
  seeds: number[];
  /** The chosen seed, where the other run has none of this number. */
  missingSeed: number | null;
}

export class ScoreReader {
  readonly #known = new Map<string, Promise<ScoreTables>>();

  /** The tables of one item, as the mean over `seeds`; a failed answer is asked for again. */
  load(
    service: Service,
    { detail, listings }: ScoreSource,
    stage: string,
    seeds: readonly number[],
    point: number,
  ): Promise<ScoreTables> {
    const key = JSON.stringify([detail.run, stage, seeds, point]);
    let loading = this.#known.get(key);
    if (loading === undefined) {
      loading = loadTables(service, detail, { stage, seeds, point, names: listings.flatMap(({ names }) => names) });
      loading.catch(() => this.#known.delete(key));
      this.#known.set(key, loading);
    }
    return loading;
  }

  /**
   * `own` minus what `other` stored of the same item and seed at its stage `theirs`, with what that was, or why that makes no sense. Where the
   * seed is not there, or none is chosen, the mean over its seeds is subtracted. `set`: the items of `own`.
   */
  async minus(
    service: Service,
    own: ScoreTables,
    other: ScoreSource,
    { theirs, seed, point, set }: Omit<ScoreChoice, 'stage'> & { theirs: string; set: ItemSet | null },
  ): Promise<{ tables: ScoreTables; subtracted: Subtracted } | { problem: string }> {
    const listings = listingsOf(other.listings, theirs);
    if (!listings.some(({ points }) => points.includes(point)))
      return { problem: 'The other run stored no scores of this item: choose the average.' };
    const otherSet = other.sets.find((candidate) => candidate.set === listings[0]?.set);
    if (point >= 0 && otherSet?.pairs[point]?.[0] !== set?.pairs[point]?.[0])
      return { problem: 'The other run’s item of this number is another prompt: choose the average.' };
    const known = seedsOf(listings);
    const missing = seed !== null && !known.includes(seed);
    const seeds = seed === null || missing ? known : [seed];
    const difference = differenceOf(own, await this.load(service, other, theirs, seeds, point));
    if ('problem' in difference) return difference;
    return { ...difference, subtracted: { stage: theirs, seeds, missingSeed: missing ? seed : null } };
  }
}

async function loadTables(
  service: Service,
  detail: RunDetail,
  { stage, seeds, point, names }: { stage: string; seeds: readonly number[]; point: number; names: readonly string[] },
): Promise<ScoreTables> {
  const known = new Set(names);
  const asked = shownNames.filter((name) => known.has(name));
  const query = { point, names: asked, ...(stage === allStages ? {} : { stage }) };
  const rows = await Promise.all(seeds.map((seed) => service.scores(detail.run, { ...query, seed })));
  const tokens = (point < 0 ? accumulationTokens(detail.results) : undefined) ?? promptTokens(rows.flat());
  return meanOf(rows.filter((ofSeed) => ofSeed.length > 0).map((ofSeed) => tablesOf(ofSeed, tokens)));
}
