/**
 * The projects table: names, notes, what was last looked at, and how much each project owns. Deleting keeps the row; purge.ts
 * removes it later. What a project owns is stored by runs.ts, specs.ts and their like.
 */
import type { ProjectDetail, ProjectSummary } from '../shared/contract-projects.ts';
import { HopscopeError } from '../shared/errors.ts';
import { changeRow, markDeleted } from './changes.ts';
import { requireLatestNotes } from './notes.ts';
import { type Database, inTransaction, reading } from './open.ts';

interface Row {
  project: number;
  name: string;
  notes: string;
  created: string;
  opened: string;
  archived: string | null;
  active: string;
  runs: number;
  models: number;
  datasets: number;
  specs: number;
}

const owned = (table: string) => `(SELECT count(*) FROM ${table} WHERE project = projects.id AND deleted IS NULL)`;

/** The latest `time` of the rows of `table` that are of the project; '' where there are none. */
const latest = (table: string, time: string) =>
  `coalesce((SELECT max(${time}) FROM ${table} WHERE project = projects.id AND deleted IS NULL), '')`;

const columns = `projects.id AS project, name, notes, created, opened, archived,
  ${owned('runs')} AS runs, ${owned('models')} AS models, ${owned('datasets')} AS datasets, ${owned('specs')} AS specs,
  max(created, ${latest('runs', 'coalesce(finished, started, created)')}, ${latest('models', 'added')},
    ${latest('datasets', 'created')}, ${latest('specs', 'changed')},
    coalesce((SELECT max(dataset_versions.created) FROM datasets JOIN dataset_versions ON dataset = datasets.id
      WHERE project = projects.id AND deleted IS NULL), '')) AS active`;

/** The one looked at last comes first; archived ones too, deleted ones not. */
export function listProjects(database: Database): ProjectSummary[] {
  return reading(database, () => {
    const rows = database
      .prepare(`SELECT ${columns} FROM projects WHERE deleted IS NULL ORDER BY opened DESC, id DESC`)
      .all() as Row[];
    return rows.map(summaryOf);
  });
}

/** Errors: `ProjectNotFound`. */
export function getProject(database: Database, project: number): ProjectDetail {
  const row = reading(
    database,
    () => database.prepare(`SELECT ${columns} FROM projects WHERE id = ? AND deleted IS NULL`).get(project) as Row | undefined,
  );
  if (row === undefined) throw notFound(project);
  return { ...summaryOf(row), notes: row.notes };
}

/** Errors: `ProjectNotFound`. */
export function requireProject(database: Database, project: number): void {
  const found = reading(database, () =>
    database.prepare('SELECT 1 FROM projects WHERE id = ? AND deleted IS NULL').pluck().get(project),
  );
  if (found === undefined) throw notFound(project);
}

/** The project looked at last: what is not said to belong elsewhere belongs there. */
export function recentProject(database: Database): number {
  return reading(
    database,
    () =>
      database
        .prepare('SELECT id FROM projects WHERE deleted IS NULL ORDER BY archived IS NOT NULL, opened DESC, id DESC LIMIT 1')
        .pluck()
        .get() as number,
  );
}

/** Returns its number. */
export function createProject(database: Database, name: string, created: string): number {
  return inTransaction(database, () =>
    Number(
      database
        .prepare('INSERT INTO projects (name, created, opened) VALUES (?, ?, ?)')
        .run(freeName(database, name, null), created, created).lastInsertRowid,
    ),
  );
}

/** Errors here and below: `ProjectNotFound`. */
export function markOpened(database: Database, project: number, opened: string): void {
  change(database, project, 'opened', opened);
}

export function renameProject(database: Database, project: number, name: string): void {
  inTransaction(database, () => change(database, project, 'name', freeName(database, name, project)));
}

/** `archived`: since when; null brings it back. */
export function archiveProject(database: Database, project: number, archived: string | null): void {
  change(database, project, 'archived', archived);
}

/** `base`: the notes that were changed; null: whatever is stored. Errors: also `NotesChanged`. */
export function saveProjectNotes(database: Database, project: number, notes: string, base: string | null = null): void {
  inTransaction(database, () => {
    requireLatestNotes(getProject(database, project).notes, notes, base);
    change(database, project, 'notes', notes);
  });
}

/** Errors: `LastProject`, `RunActive`. */
export function deleteProject(database: Database, project: number, deleted: string): void {
  inTransaction(database, () => {
    const projects = database.prepare('SELECT count(*) FROM projects WHERE deleted IS NULL').pluck().get() as number;
    if (projects === 1) {
      throw new HopscopeError('LastProject', 'This is the only project, and runs need one: create another before deleting it.');
    }
    const active = database
      .prepare(`SELECT count(*) FROM runs WHERE project = ? AND deleted IS NULL AND state IN ('queued', 'running')`)
      .pluck()
      .get(project) as number;
    if (active > 0) {
      throw new HopscopeError(
        'RunActive',
        `${active === 1 ? 'A run' : `${active} runs`} of this project ${active === 1 ? 'is' : 'are'} under way: stop ${active === 1 ? 'it' : 'them'} before deleting the project.`,
      );
    }
    markDeleted(database, 'projects', project, deleted, () => notFound(project));
  });
}

/** Brings a deleted project back with all that it owns. */
export function restoreProject(database: Database, project: number): void {
  inTransaction(database, () => {
    const name = database.prepare('SELECT name FROM projects WHERE id = ?').pluck().get(project) as string | undefined;
    if (name === undefined) throw notFound(project);
    markDeleted(database, 'projects', project, null, () => notFound(project));
    change(database, project, 'name', freeName(database, name, project));
  });
}

/** The name, or where another project has it (whatever the case) the name with the first free number. `own`: whose it is to be. */
function freeName(database: Database, name: string, own: number | null): string {
  const others = database.prepare('SELECT name FROM projects WHERE deleted IS NULL AND id IS NOT ?').pluck().all(own) as string[];
  const taken = new Set(others.map((other) => other.toLowerCase()));
  let free = name;
  for (let number = 2; taken.has(free.toLowerCase()); number++) free = `${name} (${number})`;
  return free;
}

function change(
  database: Database,
  project: number,
  column: 'opened' | 'name' | 'archived' | 'notes',
  value: string | null,
): void {
  changeRow(database, `UPDATE projects SET ${column} = @value WHERE id = @project AND deleted IS NULL`, { project, value }, () =>
    notFound(project),
  );
}

function summaryOf({ runs, models, datasets, specs, notes, ...row }: Row): ProjectSummary {
  return { ...row, counts: { runs, models, datasets, specs }, hasNotes: notes.trim() !== '' };
}

function notFound(project: number): HopscopeError {
  return new HopscopeError('ProjectNotFound', `There is no project ${project} in this data folder; it may have been deleted.`);
}
