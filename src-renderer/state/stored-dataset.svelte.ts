/**
 * A data set as the host has it: its name and versions, what is in them, and what other windows do to it. What is changed here and not
 * saved is dataset-editor.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { DatasetContent, DatasetDetail, DatasetVersion } from '../../src-main/shared/contract-datasets.ts';
import { errorRecord } from '../../src-main/shared/errors.ts';
import { Request } from './request.svelte.ts';

/** Contents of versions that are held at most: each may have megabytes. */
const mostContents = 8;

export class StoredDataset {
  readonly detail = new Request<DatasetDetail>();
  readonly latest = new Request<DatasetVersion | null>();
  readonly dataset: number;
  #isGone = $state(false);
  /** By number, the one asked for last at the end; a version never changes, but another host may have others. */
  #contents = new Map<number, Promise<DatasetContent>>();
  #contentsFrom: Service | null = null;

  constructor(dataset: number) {
    this.dataset = dataset;
  }

  /** Whether it was deleted, elsewhere, after it was read here. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Reads it and its latest version; null where one of them was refused, overtaken by another question, or cut off. */
  async read(service: Service): Promise<{ detail: DatasetDetail; version: DatasetVersion | null } | null> {
    const detail = await this.detail.ask(() => service.dataset(this.dataset));
    if (detail === null) return null;
    const number = detail.versions;
    const version = await this.latest.ask(async () => (number === 0 ? null : await service.datasetVersion(this.dataset, number)));
    return (version?.number ?? 0) === number ? { detail, version } : null;
  }

  /** Reads what other windows did; the latest version where that is another one than before. */
  async follow(service: Service): Promise<DatasetVersion | null> {
    const known = this.detail.value;
    if (known === null) return null;
    const detail = await this.detail.ask(async () => {
      try {
        const found = await service.dataset(this.dataset);
        this.#isGone = false;
        return found;
      } catch (error) {
        if (errorRecord(error).code === 'DatasetNotFound') this.#isGone = true;
        return known;
      }
    });
    if (detail === null || detail.versions === (this.latest.value?.number ?? 0)) return null;
    return await this.latest.ask(() => service.datasetVersion(this.dataset, detail.versions));
  }

  /** Reads it again after a version was saved here. */
  async readSaved(service: Service, number: number): Promise<void> {
    const detail = await this.detail.ask(() => service.dataset(this.dataset));
    if (detail !== null) await this.latest.ask(() => service.datasetVersion(this.dataset, number));
  }

  /** What is in a version; one that was asked for lately is not asked for again. Errors: those of `datasetVersion`. */
  async contentOf(service: Service, number: number): Promise<DatasetContent> {
    const latest = this.latest.value;
    if (latest?.number === number) return latest.content;
    if (service !== this.#contentsFrom) this.#contents.clear();
    this.#contentsFrom = service;
    const held = this.#contents.get(number) ?? service.datasetVersion(this.dataset, number).then(({ content }) => content);
    this.#contents.delete(number);
    this.#contents.set(number, held);
    const [oldest] = this.#contents.keys();
    if (this.#contents.size > mostContents) this.#contents.delete(oldest!);
    held.catch(() => this.#contents.get(number) === held && this.#contents.delete(number));
    return await held;
  }
}
