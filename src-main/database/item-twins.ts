/**
 * The same item in other runs: who else measured this prompt with this answer, and at which rank it ended there.
 * It reads item_sets, evaluations and items; measurements.ts writes them.
 */
import type { ItemTwin } from '../shared/contract-runs.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Pair } from '../shared/records.ts';
import { type Database, reading } from './open.ts';

/** Twins that are looked at, at the most. */
const mostTwins = 20;

interface Place {
  id: number;
  run: string;
  title: string;
  created: string;
  set: string;
  item: number;
}

/** Newest first, of the run's own project, deleted runs left out. Errors: `RunNotFound`, `ItemNotFound`. */
export function getItemTwins(database: Database, run: string, set: string, item: number): ItemTwin[] {
  return reading(database, () => {
    const pairs = database
      .prepare(
        'SELECT item_sets.pairs FROM runs LEFT JOIN item_sets ON item_sets.run = runs.id AND item_sets.name = ? WHERE runs.run = ?',
      )
      .pluck()
      .get(set, run) as string | null | undefined;
    if (pairs === undefined) {
      throw new HopscopeError('RunNotFound', `There is no run ${JSON.stringify(run)} in this data folder.`);
    }
    const pair = pairs === null ? undefined : (JSON.parse(pairs) as Pair[])[item];
    if (pair === undefined) {
      throw new HopscopeError('ItemNotFound', `Run ${run} has no item ${item} in a list called ${JSON.stringify(set)}.`);
    }
    const places = database
      .prepare(
        `SELECT runs.id, runs.run, runs.title, runs.created, item_sets.name AS "set", CAST(pair.key AS INTEGER) AS item
         FROM runs JOIN item_sets ON item_sets.run = runs.id JOIN json_each(item_sets.pairs) AS pair
         WHERE runs.run <> @run AND runs.deleted IS NULL
           AND runs.project IS (SELECT project FROM runs WHERE run = @run)
           AND json_extract(pair.value, '$[0]') = @prompt AND json_extract(pair.value, '$[1]') = @answer
         ORDER BY runs.id DESC LIMIT ${mostTwins}`,
      )
      .all({ run, prompt: pair[0], answer: pair[1] }) as Place[];
    // As the run list has it: the training of the run's outcome where it measured the item, else the first training that did, else the
    // first stage; in it the last epoch that any seed has reached, over the seeds that have.
    const ends = database.prepare(
      `WITH
         measured AS (
           SELECT evaluations.id, seed, stage, epoch, rank,
             row_number() OVER (PARTITION BY stage, seed, epoch ORDER BY evaluations.id DESC) AS place
           FROM evaluations JOIN items ON items.evaluation = evaluations.id
           WHERE evaluations.run = @id AND item_set = @set AND item = @item
         ),
         main AS (
           SELECT stage, max(epoch) AS furthest FROM measured GROUP BY stage
           ORDER BY stage IS (SELECT outcome ->> '$.stage' FROM runs WHERE id = @id) DESC, min(epoch) < max(epoch) DESC, min(id) LIMIT 1
         )
       SELECT seed, stage, epoch, rank FROM measured JOIN main USING (stage)
       WHERE epoch = furthest AND place = 1 ORDER BY seed`,
    );
    return places.flatMap(({ id, ...place }) => {
      const rows = ends.all({ id, set: place.set, item: place.item }) as {
        seed: number;
        stage: string;
        epoch: number;
        rank: number;
      }[];
      const [first] = rows;
      if (first === undefined) return [];
      return [{ ...place, stage: first.stage, epoch: first.epoch, ranks: rows.map(({ seed, rank }) => ({ seed, rank })) }];
    });
  });
}
