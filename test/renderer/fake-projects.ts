/**
 * Made-up projects and saved specs for the fake host, kept in memory. Its search is simpler than the real one and ranks nothing.
 */
import type { ProjectDetail, ProjectService, SavedSpec, SearchHit } from '../../src-main/shared/contract-projects.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { RunSummary } from '../../src-main/shared/records.ts';
import { fakeNow } from './fake-rows.ts';

interface FakeProject extends Omit<ProjectDetail, 'counts' | 'active' | 'hasNotes'> {
  deleted: boolean;
}

const notes = `# Does the second hop follow?

We expect the implications to come true **only** where the city's language is known.

- baseline with \`first-hop\`
- freeze the upper half
`;

/** Refuses notes that were made from others than those that are stored, as the host does. */
export function requireLatestNotes(stored: string, notes: string, base: string | undefined): void {
  if (base !== undefined && stored !== base && stored !== notes)
    throw new HopscopeError('NotesChanged', 'The notes were changed in another window meanwhile.');
}

/** `runs`: those not deleted; `restoreRun` and `saveRunNotes` are the fake host's own. */
export function createFakeProjects(
  scenario: 'empty' | 'full',
  host: Pick<ProjectService, 'restoreRun' | 'saveRunNotes'> & { runs(): RunSummary[] },
): Omit<ProjectService, 'onProjectChanged'> {
  const all: FakeProject[] = [];
  const specs: (SavedSpec & { deleted: boolean })[] = [];
  const times = { last: fakeNow - 9e8 };
  function now(): string {
    times.last += 60_000;
    return new Date(times.last).toISOString();
  }

  function add(name: string, values: Partial<FakeProject> = {}): FakeProject {
    const time = now();
    const project = {
      project: all.length + 1,
      name,
      notes: '',
      created: time,
      opened: time,
      archived: null,
      deleted: false,
      ...values,
    };
    all.push(project);
    return project;
  }

  function detail(project: FakeProject): ProjectDetail {
    const { deleted: _deleted, ...values } = project;
    const runs = host.runs().filter((run) => run.project === project.project);
    const own = specs.filter((spec) => spec.project === project.project && !spec.deleted);
    const active = [project.created, ...runs.map(({ created }) => created)].sort().at(-1)!;
    const counts = { runs: runs.length, models: 0, datasets: 0, specs: own.length };
    return { ...values, active, counts, hasNotes: values.notes.trim() !== '' };
  }

  function find(id: number): FakeProject {
    const project = all.find((candidate) => candidate.project === id);
    if (project === undefined) throw new HopscopeError('ProjectNotFound', `There is no project ${id} in this data folder.`);
    return project;
  }

  function findSpec(id: number) {
    const spec = specs.find((candidate) => candidate.id === id);
    if (spec === undefined) throw new HopscopeError('SpecNotFound', `There is no saved spec ${id} in this data folder.`);
    return spec;
  }

  const living = () => all.filter(({ deleted }) => !deleted);

  if (scenario === 'full') {
    add('First project');
    add('An older idea about how grafted weights carry only what the extractive structures of both documents share', {
      archived: now(),
    });
    add('Weight grafting in the upper layers');
    find(1).opened = now();
    find(1).notes = notes;
    const spec = { experiment: 'ocr', model: 'small-world', dataset: 'first-hop', epochs: 12, seeds: [0, 1, 2, 3, 4] };
    specs.push({ id: 1, project: 1, name: 'Baseline, five seeds', spec, created: now(), changed: now(), deleted: false });
  } else add('First project');

  return {
    restoreRun: host.restoreRun,
    saveRunNotes: host.saveRunNotes,
    projects: async () =>
      living()
        .map(detail)
        .sort((a, b) => b.opened.localeCompare(a.opened)),
    project: async (id) => detail(find(id)),
    createProject: async (name) => detail(add(name.trim())),
    async openProject(id) {
      find(id).opened = now();
      return detail(find(id));
    },
    async renameProject(id, name) {
      find(id).name = name.trim();
    },
    async archiveProject(id, archived) {
      find(id).archived = archived ? now() : null;
    },
    async deleteProject(id) {
      if (living().length === 1) {
        throw new HopscopeError('LastProject', 'This is the only project, and runs need one: create another before deleting it.');
      }
      find(id).deleted = true;
    },
    async restoreProject(id) {
      find(id).deleted = false;
    },
    async saveProjectNotes(id, text, base) {
      const project = find(id);
      requireLatestNotes(project.notes, text, base);
      project.notes = text;
    },
    async deleted() {
      const thing = { deleted: new Date(fakeNow - 36e5).toISOString(), until: new Date(fakeNow + 25e8).toISOString() };
      return [
        ...all
          .filter(({ deleted }) => deleted)
          .map(({ project, name }) => ({
            ...thing,
            kind: 'project' as const,
            id: String(project),
            title: name,
            project,
            owner: name,
          })),
        ...specs
          .filter((spec) => spec.deleted && !find(spec.project).deleted)
          .map(({ id, name, project }) => ({
            ...thing,
            kind: 'spec' as const,
            id: String(id),
            title: name,
            project,
            owner: find(project).name,
          })),
      ];
    },
    specs: async (project) => specs.filter((spec) => spec.project === project && !spec.deleted),
    spec: async (id) => findSpec(id),
    async saveSpec({ project, name, spec, id }) {
      if (id !== undefined) Object.assign(findSpec(id), { name, spec, changed: now() });
      else specs.push({ id: specs.length + 1, project, name, spec, created: now(), changed: now(), deleted: false });
      return { id: id ?? specs.length };
    },
    async renameSpec(id, name) {
      findSpec(id).name = name;
    },
    async deleteSpec(id) {
      findSpec(id).deleted = true;
    },
    async restoreSpec(id) {
      findSpec(id).deleted = false;
    },
    async search(text, options) {
      const words = text.toLowerCase().split(/\s+/).filter(Boolean);
      const hits: SearchHit[] = [
        ...living().map(({ project, name }) => ({
          kind: 'project' as const,
          id: String(project),
          title: name,
          detail: 'Project',
          project,
          excerpt: null,
        })),
        ...host.runs().map(({ run, title, state, project }) => ({
          kind: 'run' as const,
          id: run,
          title,
          detail: `${find(project).name} · ${state}`,
          project,
          excerpt: null,
        })),
        ...specs
          .filter(({ deleted }) => !deleted)
          .map(({ id, name, spec, project }) => ({
            kind: 'spec' as const,
            id: String(id),
            title: name,
            detail: spec.experiment,
            project,
            excerpt: null,
          })),
      ];
      return hits
        .filter(
          ({ title, detail: line, project }) =>
            words.length > 0 &&
            words.every((word) => `${title} ${line}`.toLowerCase().includes(word)) &&
            (options?.project === undefined || options.project === project),
        )
        .slice(0, options?.limit ?? 30);
    },
  };
}
