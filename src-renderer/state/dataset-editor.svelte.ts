/**
 * One data set being edited: what its grids hold, whether that is saved, and the draft kept meanwhile. The grids are editor-grids.svelte.ts's,
 * what the host has and other windows do to it stored-dataset.svelte.ts's, how a model reads it dataset-reading.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type {
  DatasetContent,
  DatasetDetail,
  DatasetDraft,
  DatasetVersion,
  LinkedFacts,
} from '../../src-main/shared/contract-datasets.ts';
import { errorRecord } from '../../src-main/shared/errors.ts';
import type { Daxwug } from '../../src-main/shared/records.ts';
import { DraftKeeper } from '../datasets/draft-keeper.ts';
import { type EditorTexts, noTexts, sameTexts, textsOf } from '../datasets/editor-texts.ts';
import type { Keeper } from '../datasets/kept-locally.ts';
import { EditorGrids, type OptionList } from './editor-grids.svelte.ts';
import { isDisconnected } from './follow.ts';
import { Request } from './request.svelte.ts';
import { StoredDataset } from './stored-dataset.svelte.ts';

/** Milliseconds after the last change until what the rows hold is read, and after that until the draft is kept, which takes longer. */
const settling = 250;
const keeping = 1000;

const noContent: LinkedFacts = { train: [], test: [], options: { train: [], test: [] } };

export class DatasetEditor {
  readonly saving = new Request<{ version: number; added: boolean }>();
  readonly dataset: number;
  readonly #stored: StoredDataset;
  readonly grids: EditorGrids;
  #drafts: DraftKeeper;
  #service: Service | null = null;
  /** What the latest version holds, as the grids would say it. */
  #saved = $state.raw<EditorTexts>(noTexts);
  /** Number of the version that the grids were made from; 0: none. */
  #base = $state(0);
  /** When the draft that was found was written; null: there was none. */
  #restored = $state<string | null>(null);
  /** The draft of a data set that is deleted already when it is asked for, and what that was called. */
  #lost = $state.raw<{ name: string; draft: DatasetDraft } | null>(null);
  #kept = $state(true);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loaded = $state(false);

  constructor(dataset: number, keeper: Keeper) {
    this.dataset = dataset;
    this.#stored = new StoredDataset(dataset);
    this.#drafts = new DraftKeeper(dataset, keeper);
    this.grids = new EditorGrids(keeper);
  }

  get detail(): Request<DatasetDetail> {
    return this.#stored.detail;
  }

  get latest(): Request<DatasetVersion | null> {
    return this.#stored.latest;
  }

  /** What is in a version, an earlier one too. Errors: those of `datasetVersion`. */
  contentOf(service: Service, number: number): Promise<DatasetContent> {
    return this.#stored.contentOf(service, number);
  }

  get isLoaded(): boolean {
    return this.#loaded;
  }

  get isChanged(): boolean {
    return this.#loaded && this.#differs;
  }

  readonly #differs: boolean = $derived.by(() => !sameTexts(this.grids.texts, this.#saved));

  get restored(): string | null {
    return this.#restored;
  }

  /** Number of the version that the grids were made from; 0: none. */
  get base(): number {
    return this.#base;
  }

  /** The latest version, where it was saved elsewhere since what is changed here was begun; null: there is none. */
  get conflict(): number | null {
    const versions = this.detail.value?.versions ?? 0;
    return this.isChanged && versions > this.#base ? versions : null;
  }

  /** Whether it was deleted, elsewhere, while it is open here. */
  get isGone(): boolean {
    return this.#stored.isGone;
  }

  get lost(): { name: string; draft: DatasetDraft } | null {
    return this.#lost;
  }

  /** Names it among the data sets of all data folders; null until it is loaded. */
  get owner(): string | null {
    return this.#loaded ? this.#drafts.owner : null;
  }

  /** False: neither the host nor the browser could keep the draft. */
  get isKept(): boolean {
    return this.#kept;
  }

  get kind(): 'facts' | 'daxwug' | null {
    return this.detail.value?.kind ?? null;
  }

  /** Reads the data set and its latest version; a draft takes its place. Once that is done, it only follows what changed. */
  async load(service: Service): Promise<void> {
    this.#service = service;
    if (this.#loaded) {
      await this.refresh();
      if (this.isChanged) this.#keep();
      return;
    }
    const read = await this.#stored.read(service);
    if (read === null) {
      if (this.detail.error?.code === 'DatasetNotFound') await this.#findLost(service);
      return;
    }
    const { detail, version } = read;
    const draft = detail.kind === 'facts' ? await this.#readDraft(service) : null;
    if (draft === 'cut off' || this.#loaded) return;
    const content = version?.content ?? noContent;
    if ('train' in content) this.grids.fill(textsOf(content));
    this.#saved = this.grids.texts;
    this.#base = detail.versions;
    this.#loaded = true;
    if (draft === null) return;
    this.grids.fill(draft);
    if (!this.isChanged) return;
    this.#restored = draft.written;
    this.#base = Math.min(draft.base, detail.versions);
  }

  /** Follows what another window did: a version that was saved, another name, that it was deleted. */
  async refresh(): Promise<void> {
    const service = this.#service;
    if (service === null || !this.#loaded || this.saving.waiting) return;
    const version = await this.#stored.follow(service);
    if (version === null) return;
    this.grids.read();
    const isMine = this.isChanged || this.grids.all.some(({ draft }) => draft !== null);
    if ('train' in version.content) this.#saved = textsOf(version.content);
    if (!isMine) this.grids.fill(this.#saved, `version ${version.number}`);
    if (!isMine || !this.isChanged) this.#base = version.number;
    else this.#keep();
  }

  /** Follows changes; call it in an effect that reads the `revision` of the grids. */
  changed(): void {
    clearTimeout(this.#timer);
    if (!this.#loaded || this.kind !== 'facts') return;
    this.#timer = setTimeout(() => {
      this.grids.read();
      this.#timer = setTimeout(() => this.#keep(), keeping);
    }, settling);
  }

  /** Reads the rows and keeps the draft now. */
  settle(): void {
    clearTimeout(this.#timer);
    if (!this.#loaded || this.kind !== 'facts') return;
    this.grids.read();
    this.#keep();
  }

  #keep(): void {
    const service = this.#service;
    if (service === null) return;
    if (!this.isChanged) {
      void this.#drafts.remove(service);
      return;
    }
    const { rows, options } = this.grids.texts;
    const draft: DatasetDraft = { base: this.#base, written: new Date().toISOString(), rows, options };
    void this.#drafts.write(service, draft).then((kept) => {
      this.#kept = kept;
    });
  }

  /**
   * Makes a version of what is there; false where it was refused or something is incomplete. An empty list of options becomes the
   * different answers.
   */
  async save(service: Service, note: string): Promise<boolean> {
    this.grids.commit();
    this.settle();
    const { grids } = this;
    if (grids.found.problems.length > 0 || grids.gap !== '' || this.conflict !== null) return false;
    for (const list of ['train', 'test'] as const) if (grids.found.content.options[list].length === 0) grids.addMissing(list);
    // What is typed meanwhile is not in it.
    const { texts, found } = grids;
    return await this.#store(service, found.content, note, this.#base, () => {
      this.#saved = texts;
    });
  }

  /** Makes a version of what is there although another one was saved elsewhere meanwhile. */
  async saveOnTop(service: Service, note: string): Promise<boolean> {
    this.#base = this.conflict ?? this.#base;
    return await this.save(service, note);
  }

  /**
   * Makes a version of a content that was written as JSON, or of an earlier version. `base`: the version that it is made from, else the
   * latest that is known here.
   */
  async saveContent(service: Service, content: DatasetContent, note: string, base?: number): Promise<boolean> {
    return await this.#store(service, content, note, base ?? this.detail.value?.versions ?? 0, () => {
      if (!('train' in content)) return;
      this.grids.fill(textsOf(content), 'restore version');
      this.#saved = this.grids.texts;
    });
  }

  /** The latest version again, in place of what is here; one edit that can be undone. */
  discard(label = 'discard changes'): void {
    const content = this.latest.value?.content ?? noContent;
    if ('train' in content) this.grids.fill(textsOf(content), label);
    this.#restored = null;
    this.#base = this.latest.value?.number ?? 0;
    this.settle();
  }

  /** What was in the grids before, as one edit. */
  put(texts: EditorTexts, label: string): void {
    this.grids.fill(texts, label);
    this.settle();
  }

  /** Takes other rows and options in place of all, or behind the rows that are there; undone in the grids. */
  take(rows: readonly (readonly string[])[], options: Record<OptionList, readonly string[]>, where: 'replace' | 'append'): void {
    if (where === 'replace') this.grids.fill({ rows, options }, 'import');
    else this.grids.append({ rows, options });
    this.settle();
  }

  /** The nonce words of a data set of that kind. */
  get daxwug(): Daxwug | null {
    const content = this.latest.value?.content;
    return content && 'variant_1' in content ? content : null;
  }

  async #store(service: Service, content: DatasetContent, note: string, base: number, stored: () => void): Promise<boolean> {
    const answer = await this.saving.ask(() => service.saveDatasetVersion(this.dataset, content, note, base));
    if (answer === null) {
      // What stood in the way may be seen now: another version, or that it is deleted.
      await this.refresh();
      if (this.conflict !== null || this.isGone) this.saving.clear();
      return false;
    }
    stored();
    this.#base = answer.version;
    this.#restored = null;
    await this.#drafts.remove(service);
    await this.#stored.readSaved(service, answer.version);
    this.settle();
    await this.refresh();
    return true;
  }

  /** Null where there is none, or the host refuses it. Cut off, it may be there: then nothing may be kept in its place. */
  async #readDraft(service: Service): Promise<DatasetDraft | null | 'cut off'> {
    try {
      return (await this.#drafts.read(service)).draft;
    } catch (error) {
      return isDisconnected(errorRecord(error).code) ? 'cut off' : null;
    }
  }

  async #findLost(service: Service): Promise<void> {
    const { name, draft } = await this.#drafts.read(service).catch(() => ({ name: '', draft: null }));
    this.#lost = draft === null ? null : { name, draft };
  }
}
