/**
 * Which projects a list shows for what was typed, and what of each was found, from names and the host's answer. It asks nobody.
 */
import type { ProjectSummary, SearchHit } from '../../../src-main/shared/contract-projects.ts';
import { hasWords, searchWords } from '../../text/search-words.ts';

export type ProjectOrder = 'opened' | 'name' | 'active';

export interface FoundProject {
  project: ProjectSummary;
  /** What is in it, and the project itself where its notes were found; the best first. */
  hits: SearchHit[];
}

/**
 * The projects whose name has all words, then those in which something was found, each in the given order. `hits`: the host's answer to
 * the same words, empty until it comes. Without words all projects are shown.
 */
export function findProjects(
  list: readonly ProjectSummary[],
  text: string,
  hits: readonly SearchHit[],
  order: ProjectOrder,
): FoundProject[] {
  const words = searchWords(text);
  const sorted = [...list].sort((a, b) =>
    order === 'name'
      ? a.name.localeCompare(b.name, 'en', { numeric: true, sensitivity: 'base' })
      : b[order].localeCompare(a[order]),
  );
  if (words.length === 0) return sorted.map((project) => ({ project, hits: [] }));
  const isNamed = ({ name }: ProjectSummary) => hasWords(name, words);
  const found = sorted.map((project) => ({
    project,
    hits: hits.filter((hit) => hit.project === project.project && (hit.kind !== 'project' || hit.excerpt !== null)),
  }));
  return [
    ...found.filter(({ project }) => isNamed(project)),
    ...found.filter(({ project, hits: own }) => !isNamed(project) && own.length > 0),
  ];
}

const kindNames: { [Kind in SearchHit['kind']]: string } = {
  project: 'notes',
  run: 'run',
  model: 'model',
  dataset: 'data set',
  spec: 'spec',
  circuit: 'circuit',
};

export const kindName = (kind: SearchHit['kind']): string => kindNames[kind];
