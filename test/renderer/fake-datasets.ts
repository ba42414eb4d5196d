/**
 * Made-up data sets for the fake host, kept in memory. It checks nothing and makes sentences simply; the real ones are tested elsewhere.
 */
import type {
  DatasetContent,
  DatasetDetail,
  DatasetDraft,
  DatasetKindName,
  DatasetService,
  DatasetSummary,
  DatasetVersion,
  LinkedFacts,
} from '../../src-main/shared/contract-datasets.ts';
import { HopscopeError } from '../../src-main/shared/errors.ts';
import type { Pair } from '../../src-main/shared/records.ts';
import { fakeNow } from './fake-rows.ts';

interface FakeDataset {
  dataset: number;
  project: number;
  name: string;
  kind: DatasetKindName;
  created: string;
  isDeleted: boolean;
  versions: DatasetVersion[];
}

/** `people` facts with two implications each for every third of them. */
export function fakeFacts(people: number): LinkedFacts {
  const cities = ['Oslo', 'Rome', 'Lima', 'Kyoto', 'Cairo'];
  const languages = ['Norwegian', 'Italian', 'Spanish', 'Japanese', 'Arabic'];
  const train: Pair[] = Array.from({ length: people }, (_, index) => [`Person ${index + 1} lives in`, cities[index % 5]!]);
  const links = train.flatMap((_, index) => (index % 3 === 0 ? [index, index] : [index]));
  const test = links.map((fact, index): Pair => {
    const asked = links[index - 1] === fact ? 'says good morning in' : 'comes from a city that speaks';
    return [`Person ${fact + 1} ${asked}`, languages[fact % 5]!];
  });
  return { train, test, options: { train: cities, test: languages }, links };
}

export function createFakeDatasets(scenario: 'empty' | 'full'): DatasetService {
  const all: FakeDataset[] = [];
  const drafts = new Map<number, DatasetDraft>();
  let versions = 0;

  function addVersion(entry: FakeDataset, content: DatasetContent, note: string): number {
    versions++;
    const { dataset, name, kind } = entry;
    const number = entry.versions.length + 1;
    const created = new Date(fakeNow - 6e8 + versions * 6e7).toISOString();
    const rows = 'train' in content ? Math.max(content.train.length, content.test.length) : content.variant_1.left.length;
    const hash = `${versions}`.padStart(64, '3f6c1a54');
    entry.versions.push({
      id: versions,
      number,
      created,
      note,
      rows,
      hash,
      runs: number === 1 ? 2 : 0,
      dataset,
      name,
      kind,
      content,
    });
    return number;
  }
  function add(name: string, kind: DatasetKindName, project = 1): FakeDataset {
    const created = new Date(fakeNow - 7e8).toISOString();
    const entry = { dataset: all.length + 1, project, name, kind, created, isDeleted: false, versions: [] };
    all.push(entry);
    return entry;
  }
  function find(dataset: number): FakeDataset {
    const entry = all.find((candidate) => candidate.dataset === dataset && !candidate.isDeleted);
    if (entry === undefined) throw new HopscopeError('DatasetNotFound', `There is no data set ${dataset} in this data folder.`);
    return entry;
  }
  function summary({ dataset, project, name, kind, created, versions }: FakeDataset): DatasetSummary {
    const last = versions.at(-1);
    const runs = versions.reduce((sum, version) => sum + version.runs, 0);
    return {
      dataset,
      project,
      name,
      kind,
      created,
      changed: last?.created ?? created,
      rows: last?.rows ?? 0,
      versions: versions.length,
      runs,
    };
  }

  if (scenario === 'full') {
    const cities = add('Cities and languages', 'facts');
    const first = fakeFacts(40);
    addVersion(cities, first, 'From the table of people');
    const changed = { ...first, train: first.train.map((pair, index): Pair => (index === 4 ? [pair[0], 'Giza'] : pair)) };
    addVersion(cities, { ...changed, options: { ...first.options, train: [...first.options.train, 'Giza'] } }, '');
    addVersion(
      add('Five thousand people, made from templates with a very long name that does not fit anywhere', 'facts'),
      fakeFacts(5000),
      '',
    );
    add('Nothing yet', 'facts');
  }

  return {
    datasets: async (project) =>
      all
        .filter((entry) => entry.project === project && !entry.isDeleted)
        .map(summary)
        .reverse(),
    async dataset(dataset): Promise<DatasetDetail> {
      const entry = find(dataset);
      return { ...summary(entry), history: [...entry.versions].reverse() };
    },
    async datasetVersion(dataset, version) {
      const found = find(dataset).versions[version - 1];
      if (found === undefined) throw new HopscopeError('VersionNotFound', `There is no version ${version}.`);
      return found;
    },
    async datasetVersionOfRun(id) {
      const found = all.flatMap((entry) => entry.versions).find((version) => version.id === id);
      if (found === undefined) throw new HopscopeError('VersionNotFound', `There is no version with the row ${id}.`);
      return { ...found, isDeleted: all.some(({ dataset, isDeleted }) => dataset === found.dataset && isDeleted) };
    },
    async datasetRuns(dataset) {
      return find(dataset).versions.flatMap(({ number, runs, created }) =>
        Array.from({ length: runs }, (_, index) => ({
          run: `fake-${dataset}-${number}-${index + 1}`,
          title: `OCR · ${find(dataset).name} (version ${number}) · small-world`,
          state: index === 0 ? ('finished' as const) : ('stopped' as const),
          created,
          version: number,
        })),
      );
    },
    async createDataset({ project, name, kind, content, note = '' }) {
      const entry = add(name, kind, project);
      if (content !== undefined) addVersion(entry, content, note);
      return { dataset: entry.dataset };
    },
    async renameDataset(dataset, name) {
      find(dataset).name = name;
    },
    async duplicateDataset(dataset) {
      const { name, kind, project, versions: old } = find(dataset);
      const copy = add(`${name} (copy)`, kind, project);
      if (old.length > 0) addVersion(copy, old.at(-1)!.content, `Copy of ${name}`);
      return { dataset: copy.dataset };
    },
    async deleteDataset(dataset) {
      find(dataset).isDeleted = true;
    },
    async restoreDataset(dataset) {
      for (const entry of all) if (entry.dataset === dataset) entry.isDeleted = false;
    },
    async datasetDraft(dataset) {
      const entry = all.find((candidate) => candidate.dataset === dataset);
      if (entry === undefined) throw new HopscopeError('DatasetNotFound', `There is no data set ${dataset} in this data folder.`);
      const deleted = entry.isDeleted ? new Date(fakeNow).toISOString() : null;
      return { name: entry.name, deleted, folder: 'fake', draft: drafts.get(dataset) ?? null };
    },
    async saveDatasetDraft(dataset, draft) {
      if (draft === null) drafts.delete(dataset);
      else drafts.set(dataset, structuredClone(draft));
    },
    async saveDatasetVersion(dataset, content, note, base) {
      const entry = find(dataset);
      const isSame = JSON.stringify(entry.versions.at(-1)?.content) === JSON.stringify(content);
      if (!isSame && base !== entry.versions.length)
        throw new HopscopeError('VersionConflict', `Version ${entry.versions.length} was saved meanwhile.`);
      return isSame
        ? { version: entry.versions.length, added: false }
        : { version: addVersion(entry, content, note), added: true };
    },
    builtinDataset: async (_model, name) => {
      if (name === 'daxwug') throw new HopscopeError('UnknownDataset', 'The fake host has no nonce words.');
      return { kind: 'facts', content: fakeFacts(20) };
    },
    async generateDataset({ columns, rows, facts, implications }) {
      const unknown = [...implications, ...facts]
        .flatMap(({ prompt }) => [...prompt.matchAll(/\{([^{}]+)\}/g)].map(([, slot]) => slot!))
        .find((slot) => !columns.includes(slot));
      if (unknown !== undefined) {
        const message = `{${unknown}} is no column of the table; there are ${columns.join(', ')}.`;
        return {
          content: null,
          problems: [{ code: 'UnknownColumn', list: 'facts', template: 0, row: null, slot: unknown, message }],
        };
      }
      const fill = (text: string, cells: readonly string[]) =>
        text.replaceAll(/\{([^{}]+)\}/g, (_, slot: string) => cells[columns.indexOf(slot)] ?? '');
      const pairs = (templates: typeof facts) =>
        rows.flatMap((cells) => templates.map(({ prompt, answer }): Pair => [fill(prompt, cells), fill(`{${answer}}`, cells)]));
      const [train, test] = [pairs(facts), pairs(implications)];
      const options = (list: Pair[]) => [...new Set(list.map(([, answer]) => answer))];
      return { content: { train, test, options: { train: options(train), test: options(test) } }, problems: [] };
    },
    makeWords: async ({ count }) => Array.from({ length: count }, (_, index) => `Zorib ${index}`),
  };
}
