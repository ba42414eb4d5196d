/**
 * The data sets of a project as a list: fetched, made, renamed, copied, and deleted with a way back.
 * What is in one is dataset-editor.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { DatasetContent, DatasetKindName, DatasetSummary } from '../../src-main/shared/contract-datasets.ts';
import type { EditorTexts } from '../datasets/editor-texts.ts';
import { factsOf, gapOf } from '../datasets/facts-table.ts';
import { Request } from './request.svelte.ts';
import type { Workbench } from './workbench.ts';

/** The address of a data set's screen, with a version where one is to be shown. */
export function datasetAddress(dataset: number, version?: number): string {
  return `/datasets/${dataset}${version === undefined ? '' : `?version=${version}`}`;
}

/** Where an experiment is chosen for a version of a data set. */
export function useAddress(dataset: number, version: number): string {
  return `/new?dataset=${dataset}&version=${version}`;
}

/** A data set of texts, with a version where they are complete, else with a draft that waits for the rest. Returns its number. */
async function createOfTexts(
  service: Service,
  given: { project: number; name: string; note: string },
  { rows, options }: EditorTexts,
): Promise<number> {
  const { content, problems } = factsOf(rows, options);
  const { train, test } = content.options;
  if (problems.length === 0 && gapOf(content) === '' && train.length > 0 && test.length > 0)
    return (await service.createDataset({ ...given, kind: 'facts', content })).dataset;
  const { project, name } = given;
  const { dataset } = await service.createDataset({ project, name, kind: 'facts' });
  await service.saveDatasetDraft(dataset, { base: 0, written: new Date().toISOString(), rows, options });
  return dataset;
}

export class DatasetList {
  readonly list = new Request<DatasetSummary[]>();
  #workbench: Pick<Workbench, 'service' | 'toasts' | 'projects'>;

  constructor(workbench: Pick<Workbench, 'service' | 'toasts' | 'projects'>) {
    this.#workbench = workbench;
  }

  get shown(): DatasetSummary[] | null {
    return this.list.value;
  }

  async refresh(): Promise<void> {
    const { service, projects } = this.#workbench;
    const project = projects.current.id;
    await this.list.ask(() => service.datasets(project));
  }

  /** The new data set's number, null where it was refused, which is said in a notice. */
  async create(name: string, kind: DatasetKindName, content?: DatasetContent, note = ''): Promise<number | null> {
    const { service, projects, toasts } = this.#workbench;
    const given = { project: projects.current.id, name, kind, note, ...(content === undefined ? {} : { content }) };
    const created = await toasts.attempt('The data set could not be created.', () => service.createDataset(given));
    return created?.dataset ?? null;
  }

  /** The number of a data set of rows and options, complete or not; null where it was refused, which is said in a notice. */
  createOf(name: string, texts: EditorTexts, note = ''): Promise<number | null> {
    const { service, projects, toasts } = this.#workbench;
    return toasts.attempt('The data set could not be created.', () =>
      createOfTexts(service, { project: projects.current.id, name, note }, texts),
    );
  }

  /** A copy of a model's built-in set. */
  async copyBuiltin(model: string, name: string): Promise<number | null> {
    const { service, toasts } = this.#workbench;
    const builtin = await toasts.attempt('The built-in set could not be read.', () => service.builtinDataset(model, name));
    return builtin === null ? null : await this.create(name, builtin.kind, builtin.content, `The built-in set ${name}`);
  }

  rename(dataset: number, name: string): Promise<boolean> {
    return this.#attempt('The data set could not be renamed.', (service) => service.renameDataset(dataset, name));
  }

  duplicate(dataset: number): Promise<boolean> {
    return this.#attempt('The data set could not be copied.', (service) => service.duplicateDataset(dataset));
  }

  async delete({ dataset, name }: DatasetSummary): Promise<void> {
    const done = await this.#attempt('The data set could not be deleted.', (service) => service.deleteDataset(dataset));
    if (!done) return;
    const run = async () => {
      await this.#attempt('Undo did not work.', (service) => service.restoreDataset(dataset));
    };
    this.#workbench.toasts.show({ text: `Deleted “${name}”.`, action: { label: 'Undo', run } });
  }

  async #attempt(title: string, action: (service: Service) => Promise<unknown>): Promise<boolean> {
    const done = await this.#workbench.toasts.attempt(title, async () => {
      await action(this.#workbench.service);
    });
    if (done === null) return false;
    await this.refresh();
    return true;
  }
}
