/**
 * Questions to the scores table that are not about one item: which scores a run has, which runs have any, and one component over all items.
 * Whole tables of one item are read by scores.ts.
 */
import type { ComponentQuery, ComponentScores, ScoredRun, ScoreListing } from '../shared/contract-circuits.ts';
import { type Database, reading } from './open.ts';
import { scoreValues } from './scores.ts';

/** Runs with scores, newest first, deleted ones left out; `project` null: of every project. */
export function listScoredRuns(database: Database, project: number | null): ScoredRun[] {
  return reading(
    database,
    () =>
      database
        .prepare(
          `SELECT run, title, experiment, model, dataset, created,
             (SELECT count(*) FROM circuits WHERE circuits.run = runs.id AND circuits.deleted IS NULL) AS circuits
           FROM runs
           WHERE deleted IS NULL AND (@project IS NULL OR coalesce(project, 1) = @project)
             AND EXISTS (SELECT 1 FROM scores WHERE scores.run = runs.id)
           ORDER BY id DESC`,
        )
        .all({ project }) as ScoredRun[],
  );
}

/** By stage and seed, in the order in which they were stored. Empty for an unknown run. */
export function listScores(database: Database, run: string): ScoreListing[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT seed, stage, min(item_set) AS "set", json_group_array(DISTINCT point) AS points,
             json_group_array(DISTINCT name) AS names
           FROM scores WHERE run = (SELECT id FROM runs WHERE run = ?)
           GROUP BY seed, stage ORDER BY min(id)`,
        )
        .all(run) as (Omit<ScoreListing, 'points' | 'names'> & { points: string; names: string })[],
  );
  return rows.map(({ points, names, ...row }) => ({
    ...row,
    points: (JSON.parse(points) as number[]).sort((a, b) => a - b),
    names: JSON.parse(names) as string[],
  }));
}

/** Every seed and item of one component at one stage, by name in the order of seeds and items. */
export function getComponentScores(database: Database, run: string, query: ComponentQuery): ComponentScores[] {
  const rows = reading(
    database,
    () =>
      database
        .prepare(
          `SELECT seed, point, name, shape, data FROM scores
           WHERE run = (SELECT id FROM runs WHERE run = @run) AND stage = @stage
             AND name IN (SELECT value FROM json_each(@names))
           ORDER BY seed, point, id`,
        )
        .all({ run, stage: query.stage, names: JSON.stringify(query.names) }) as {
        seed: number;
        point: number;
        name: string;
        shape: string;
        data: Buffer;
      }[],
  );
  return rows.flatMap(({ seed, point, name, shape, data }) => {
    const values = componentOf(JSON.parse(shape) as number[], scoreValues(data), query);
    return values === null ? [] : [{ seed, point, name, values }];
  });
}

/** One component's row of a table [layers, tokens] or [layers, heads, tokens]; null where the table has no such component. */
function componentOf(
  shape: readonly number[],
  values: readonly number[],
  { layer, head }: Pick<ComponentQuery, 'layer' | 'head'>,
): number[] | null {
  const tokens = shape.at(-1)!;
  const heads = shape.length === 3 ? shape[1]! : null;
  if (layer >= shape[0]! || (head !== null && (heads === null || head >= heads))) return null;
  const row = (index: number) => values.slice(index * tokens, (index + 1) * tokens);
  if (heads === null) return row(layer);
  if (head !== null) return row(layer * heads + head);
  const sum = new Array<number>(tokens).fill(0);
  for (let each = 0; each < heads; each++) {
    for (const [token, value] of row(layer * heads + each).entries()) sum[token]! += value;
  }
  return sum;
}
