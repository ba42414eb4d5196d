/**
 * A search for words over everything people named or wrote: projects, runs, models, data sets, specs, circuits and all their notes.
 * What a run measured and the rows of data sets are not looked through.
 */
import type { SearchHit, SearchKind } from '../shared/contract-projects.ts';
import { type Database, reading } from './open.ts';
import { wordCondition, wordsOf } from './words.ts';

/** Of each kind the newest so many that fit are ranked. */
const mostRanked = 200;

/** Letters of notes that are shown around the words found in them. */
const excerptLength = 90;

/** A row of any kind: `name` is searched first and shown, `detail` is shown, `text` and `notes` are searched besides. */
interface Found {
  id: string;
  name: string;
  detail: string;
  project: number;
  notes: string;
}

interface Source {
  kind: SearchKind;
  /** A query of the columns of `Found` with `text` and `recent`; what is newest has the greatest `recent`. */
  query: string;
}

const living = 'JOIN projects ON projects.id = project AND projects.deleted IS NULL';

/** In the order in which equals are listed. */
const sources: Source[] = [
  {
    kind: 'project',
    query: `SELECT id, name, CASE WHEN archived IS NULL THEN 'Project' ELSE 'Archived project' END AS detail, id AS project,
      '' AS text, notes, opened AS recent FROM projects WHERE deleted IS NULL`,
  },
  {
    kind: 'run',
    query: `SELECT run AS id, title AS name, projects.name || ' · ' || runs.state || ' · ' || substr(runs.created, 1, 10) AS detail, project,
      experiment || ' ' || model || ' ' || dataset || ' ' || run || ' ' || settings AS text, runs.notes AS notes, runs.created AS recent
      FROM runs ${living} WHERE runs.deleted IS NULL`,
  },
  {
    kind: 'model',
    query: `SELECT models.id AS id, path AS name, projects.name || ' · ' || path AS detail, project, '' AS text, '' AS notes, added AS recent
      FROM models ${living} WHERE models.deleted IS NULL`,
  },
  {
    kind: 'dataset',
    query: `SELECT datasets.id AS id, datasets.name AS name, projects.name || ' · ' || kind AS detail, project, '' AS text,
      coalesce((SELECT group_concat(note, ' ') FROM dataset_versions WHERE dataset = datasets.id AND note <> ''), '') AS notes,
      datasets.created AS recent FROM datasets ${living} WHERE datasets.deleted IS NULL`,
  },
  {
    kind: 'spec',
    query: `SELECT specs.id AS id, specs.name AS name, projects.name || ' · ' || json_extract(spec, '$.experiment') AS detail, project,
      spec AS text, '' AS notes, changed AS recent FROM specs ${living} WHERE specs.deleted IS NULL`,
  },
  {
    kind: 'circuit',
    // Its own texts: names of groups, annotations, components
    query: `SELECT runs.run || '/' || circuits.id AS id, circuits.name AS name, projects.name || ' · ' || title AS detail, project,
      coalesce((SELECT group_concat(value, ' ') FROM json_tree(circuits.view) WHERE type = 'text'), '') AS text, '' AS notes,
      circuits.changed AS recent
      FROM circuits JOIN runs ON runs.id = circuits.run AND runs.deleted IS NULL ${living} WHERE circuits.deleted IS NULL`,
  },
];

/** Best first: those whose name begins with the words, then those with a word that does, then by kind and the newest first. */
export function search(database: Database, text: string, options: { project?: number; limit: number }): SearchHit[] {
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const condition = wordCondition(`name || ' ' || detail || ' ' || text || ' ' || notes`, text);
  const inProject = options.project === undefined ? '' : 'AND project = ?';
  const hits = sources.flatMap(({ kind, query }) => {
    const rows = reading(database, () =>
      database
        .prepare(`SELECT * FROM (${query}) WHERE ${condition.sql} ${inProject} ORDER BY recent DESC LIMIT ${mostRanked}`)
        .all(...condition.values, ...(options.project === undefined ? [] : [options.project])),
    ) as Found[];
    return rows.map(({ id, name, detail, project, notes }) => {
      const title = kind === 'model' ? lastPart(name) : name;
      const excerpt = excerptOf(notes, words, `${title} ${detail}`);
      return { hit: { kind, id: String(id), title, detail, project, excerpt }, grade: gradeOf(title.toLowerCase(), words) };
    });
  });
  // A stable sort: equals stay in the order of kinds, newest first.
  return hits
    .sort((one, other) => one.grade - other.grade)
    .slice(0, options.limit)
    .map(({ hit }) => hit);
}

/** 0 is best. */
function gradeOf(title: string, words: string[]): number {
  const parts = title.split(/[^\p{L}\p{N}]+/u);
  if (title.startsWith(words.join(' '))) return 0;
  if (words.every((word) => parts.some((part) => part.startsWith(word)))) return 1;
  return words.every((word) => title.includes(word)) ? 2 : 3;
}

/** Notes around the first word that is in them and not in what is shown anyway. */
function excerptOf(notes: string, words: string[], shown: string): string | null {
  const line = notes.replaceAll(/[\s#*`>|_~]+/g, ' ').trim();
  const word = words.find((each) => !shown.toLowerCase().includes(each) && line.toLowerCase().includes(each));
  if (word === undefined) return null;
  const place = line.toLowerCase().indexOf(word);
  const start = Math.max(0, Math.min(place - excerptLength / 2, line.length - excerptLength));
  const end = start + excerptLength;
  return `${start > 0 ? '… ' : ''}${line.slice(start, end).trim()}${end < line.length ? ' …' : ''}`;
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path;
}
