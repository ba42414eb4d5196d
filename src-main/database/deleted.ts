/**
 * What was deleted and is still kept, over all tables that mark deletion. It lists only: each table's own file brings its rows back,
 * and purge.ts removes them in the end.
 */
import type { DeletedThing } from '../shared/contract-projects.ts';
import { type Database, reading } from './open.ts';
import { keptMilliseconds } from './purge.ts';

const mostListed = 500;

const living = 'JOIN projects ON projects.id = project AND projects.deleted IS NULL';

/** What a deleted project or run owns is left out: it comes back with that. So is a folder that the project has again. */
const query = `
  SELECT 'project' AS kind, CAST(id AS TEXT) AS id, name AS title, id AS project, name AS owner, deleted FROM projects WHERE deleted IS NOT NULL
  UNION ALL SELECT 'run', run, title, project, projects.name, runs.deleted FROM runs ${living} WHERE runs.deleted IS NOT NULL
  UNION ALL SELECT 'model', CAST(models.id AS TEXT), path, project, projects.name, models.deleted FROM models ${living}
    WHERE models.deleted IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM models AS other WHERE other.project = models.project AND other.path = models.path
        AND (other.deleted IS NULL OR other.id > models.id))
  UNION ALL SELECT 'dataset', CAST(datasets.id AS TEXT), datasets.name, project, projects.name, datasets.deleted FROM datasets ${living}
    WHERE datasets.deleted IS NOT NULL
  UNION ALL SELECT 'spec', CAST(specs.id AS TEXT), specs.name, project, projects.name, specs.deleted FROM specs ${living}
    WHERE specs.deleted IS NOT NULL
  UNION ALL SELECT 'circuit', CAST(circuits.id AS TEXT), circuits.name, project, projects.name, circuits.deleted
    FROM circuits JOIN runs ON runs.id = circuits.run AND runs.deleted IS NULL ${living} WHERE circuits.deleted IS NOT NULL
  ORDER BY deleted DESC, kind, id LIMIT ${mostListed}`;

/** The last deleted first. */
export function listDeleted(database: Database): DeletedThing[] {
  const rows = reading(database, () => database.prepare(query).all()) as Omit<DeletedThing, 'until'>[];
  return rows.map((row) => ({
    ...row,
    until: new Date(Date.parse(row.deleted) + keptMilliseconds).toISOString(),
  }));
}
