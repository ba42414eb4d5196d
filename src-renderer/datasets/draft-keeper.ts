/**
 * Where the draft of one data set is kept: in the host, and in the browser for as long as the host has not answered; that it ended, likewise.
 * When it is kept and what is in it is dataset-editor.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { DatasetDraft } from '../../src-main/shared/contract-datasets.ts';
import { type Keeper, readDraft, readDraftEnd, removeDraft, writeDraft, writeDraftEnd } from './kept-locally.ts';

export class DraftKeeper {
  #keeper: Keeper;
  #dataset: number;
  #owner: string | null = null;
  #writes = 0;
  /** Whether somebody keeps a draft, as far as is known here. */
  #isHeld = false;

  constructor(dataset: number, keeper: Keeper) {
    this.#dataset = dataset;
    this.#keeper = keeper;
  }

  /** Names the data set among those of all data folders; null until the draft was read. */
  get owner(): string | null {
    return this.#owner;
  }

  /** The draft written last, by whom it is kept; of deleted data sets too. Errors: `DatasetNotFound`. */
  async read(service: Service): Promise<{ name: string; draft: DatasetDraft | null }> {
    const { name, folder, draft } = await service.datasetDraft(this.#dataset);
    this.#owner = `${folder}.${this.#dataset}`;
    const local = readDraft(this.#keeper, this.#owner);
    const isNewer = local !== null && (draft === null || local.written > draft.written);
    const newest = isNewer ? local : draft;
    this.#isHeld = newest !== null;
    const ended = readDraftEnd(this.#keeper, this.#owner);
    if (newest === null || ended === null || newest.written > ended) return { name, draft: newest };
    // The host was not told before the page went.
    void this.remove(service);
    return { name, draft: null };
  }

  /** False where nobody could keep it. */
  async write(service: Service, draft: DatasetDraft): Promise<boolean> {
    const write = ++this.#writes;
    this.#isHeld = true;
    // At once, as the page may be about to go: the host's answer would come too late.
    const isLocal = this.#owner !== null && writeDraft(this.#keeper, this.#owner, draft);
    try {
      await service.saveDatasetDraft(this.#dataset, draft);
    } catch {
      return isLocal;
    }
    if (write === this.#writes && this.#owner !== null) removeDraft(this.#keeper, this.#owner);
    return true;
  }

  /** Asks nobody where nobody keeps one. */
  async remove(service: Service): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const write = ++this.#writes;
    if (this.#owner !== null) writeDraftEnd(this.#keeper, this.#owner, new Date().toISOString());
    try {
      await service.saveDatasetDraft(this.#dataset, null);
    } catch {
      return;
    }
    if (write === this.#writes && this.#owner !== null) removeDraft(this.#keeper, this.#owner);
  }
}
