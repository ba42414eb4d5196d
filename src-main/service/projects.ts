/**
 * The members of `Service` about projects, their specs and the search: over the database, with what arrives checked.
 * Runs are started and stopped in service.ts.
 */

import { listDeleted } from '../database/deleted.ts';
import type { Database } from '../database/open.ts';
import * as projects from '../database/projects.ts';
import { restoreRun, saveRunNotes, stateOf } from '../database/runs.ts';
import { search } from '../database/search.ts';
import { changeSpec, createSpec, deleteSpec, getSpec, listSpecs } from '../database/specs.ts';
import type { ProjectService } from '../shared/contract-projects.ts';
import type { RunState } from '../shared/records.ts';
import { fieldsOf, requireName, requireNumber, requireSpec, requireText, requireWhole } from './require.ts';

const longestNotes = 1_000_000;
const mostHits = 100;

/** `changed` is told of runs that were brought back. */
export function projectMembers(
  database: Database,
  changed: (run: string, state: RunState) => void,
): Omit<ProjectService, 'onProjectChanged'> {
  const now = () => new Date().toISOString();
  const detail = (project: number) => projects.getProject(database, project);

  return {
    projects: async () => projects.listProjects(database),
    project: async (project) => detail(requireNumber(project, 'project')),
    createProject: async (name) => detail(projects.createProject(database, requireName(name), now())),

    async openProject(project) {
      projects.markOpened(database, requireNumber(project, 'project'), now());
      return detail(project);
    },

    async renameProject(project, name) {
      projects.renameProject(database, requireNumber(project, 'project'), requireName(name));
    },

    async archiveProject(project, archived) {
      projects.archiveProject(database, requireNumber(project, 'project'), archived === true ? now() : null);
    },

    async deleteProject(project) {
      projects.deleteProject(database, requireNumber(project, 'project'), now());
    },

    async restoreProject(project) {
      projects.restoreProject(database, requireNumber(project, 'project'));
    },

    async saveProjectNotes(project, notes, base) {
      projects.saveProjectNotes(database, requireNumber(project, 'project'), ...requireNotes(notes, base));
    },

    deleted: async () => listDeleted(database),

    async restoreRun(run) {
      restoreRun(database, requireText(run, 'run'));
      changed(run, stateOf(database, run));
    },

    async saveRunNotes(run, notes, base) {
      saveRunNotes(database, requireText(run, 'run'), ...requireNotes(notes, base));
      changed(run, stateOf(database, run));
    },

    specs: async (project) => listSpecs(database, requireNumber(project, 'project')),

    spec: async (id) => getSpec(database, requireNumber(id, 'id')),

    async saveSpec(given) {
      const { project, name, spec, id } = fieldsOf<typeof given>(given);
      const named = requireName(name);
      const checked = requireSpec(spec);
      if (id !== undefined) {
        changeSpec(database, requireNumber(id, 'id'), { name: named, spec: checked, now: now() });
        return { id };
      }
      const owner = requireNumber(project, 'project');
      projects.requireProject(database, owner);
      return { id: createSpec(database, { project: owner, name: named, spec: checked, now: now() }) };
    },

    async renameSpec(id, name) {
      changeSpec(database, requireNumber(id, 'id'), { name: requireName(name), spec: null, now: now() });
    },

    async deleteSpec(id) {
      deleteSpec(database, requireNumber(id, 'id'), now());
    },

    async restoreSpec(id) {
      deleteSpec(database, requireNumber(id, 'id'), null);
    },

    async search(text, options) {
      const { project, limit } = options ?? {};
      return search(database, requireText(text, 'text'), {
        ...(project === undefined ? {} : { project: requireNumber(project, 'project') }),
        limit: requireWhole(limit, 30, mostHits),
      });
    },
  };
}

/** Notes, and those that they are to take the place of; null: whatever is stored. */
function requireNotes(notes: unknown, base: unknown): [notes: string, base: string | null] {
  return [requireText(notes, 'notes', longestNotes), base === undefined ? null : requireText(base, 'base', longestNotes)];
}
