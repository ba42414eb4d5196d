/**
 * One data set being edited: its rows and options as grids, what they hold, whether that is saved, and the draft kept meanwhile.
 * How a model reads it is dataset-reading.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { DatasetContent, DatasetDetail, DatasetVersion, LinkedFacts } from '../../src-main/shared/contract-datasets.ts';
import type { Daxwug } from '../../src-main/shared/records.ts';
import { type EditorTexts, noTexts, sameTexts } from '../datasets/editor-texts.ts';
import { type FactsOfRows, factColumns, factsOf, gapOf, missingOptions, rowsOf } from '../datasets/facts-table.ts';
import { type Keeper, readDraft, removeDraft, writeDraft } from '../datasets/kept-locally.ts';
import { GridState } from './grid.svelte.ts';
import { Request } from './request.svelte.ts';

/** Milliseconds after the last change until what the rows hold is read, and after that until the draft is kept, which takes longer. */
const settling = 250;
const keeping = 1000;

export type OptionList = 'train' | 'test';

export class DatasetEditor {
  readonly detail = new Request<DatasetDetail>();
  readonly latest = new Request<DatasetVersion | null>();
  readonly saving = new Request<{ version: number; added: boolean }>();
  readonly rows: GridState;
  readonly options: Record<OptionList, GridState>;
  readonly dataset: number;
  #keeper: Keeper;
  #found = $state.raw<FactsOfRows>(factsOf([], { train: [], test: [] }));
  /** What the latest version holds, as the grids would say it, and what they hold. */
  #saved = $state.raw<EditorTexts>(noTexts);
  #texts = $state.raw<EditorTexts>(noTexts);
  /** When the draft that was found was written; null: there was none. */
  #restored = $state<string | null>(null);
  #kept = $state(true);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loaded = $state(false);

  constructor(dataset: number, keeper: Keeper) {
    this.dataset = dataset;
    this.#keeper = keeper;
    const columns = factColumns.map((title, index) => ({ title, width: index % 2 === 0 ? 212 : 114 }));
    this.rows = new GridState('facts', columns, [], keeper);
    this.options = {
      train: new GridState('fact-options', [{ title: 'Fact option', width: 180 }], [], keeper),
      test: new GridState('implication-options', [{ title: 'Implication option', width: 180 }], [], keeper),
    };
  }

  /** What the rows held when they were last read. */
  get found(): FactsOfRows {
    return this.#found;
  }

  get isLoaded(): boolean {
    return this.#loaded;
  }

  get isChanged(): boolean {
    return this.#loaded && this.#differs;
  }

  readonly #differs: boolean = $derived.by(() => !sameTexts(this.#texts, this.#saved));

  get restored(): string | null {
    return this.#restored;
  }

  /** False: the browser has no room for the draft. */
  get isKept(): boolean {
    return this.#kept;
  }

  get kind(): 'facts' | 'daxwug' | null {
    return this.detail.value?.kind ?? null;
  }

  /** Whether both lists of options hold something. */
  get hasOptions(): boolean {
    const { train, test } = this.#found.content.options;
    return train.length > 0 && test.length > 0;
  }

  /** Answers that are not among the options. */
  missing(list: OptionList): string[] {
    const { train, test, options } = this.#found.content;
    return missingOptions(list === 'train' ? train : test, options[list]);
  }

  /** Reads the data set and its latest version; a draft takes its place. */
  async load(service: Service): Promise<void> {
    const detail = await this.detail.ask(() => service.dataset(this.dataset));
    if (detail === null) return;
    const version = await this.latest.ask(async () =>
      detail.versions === 0 ? null : await service.datasetVersion(this.dataset, detail.versions),
    );
    if (this.latest.error !== null || this.#loaded) return;
    const content = version?.content ?? { train: [], test: [], options: { train: [], test: [] } };
    if ('train' in content) this.#show(content);
    this.#read();
    this.#saved = this.#texts;
    this.#loaded = true;
    const draft = detail.kind === 'facts' ? readDraft(this.#keeper, this.dataset) : null;
    if (draft === null) return;
    this.#fill(draft.rows, draft.options);
    this.#read();
    if (this.isChanged) this.#restored = draft.written;
  }

  /** Follows changes; call it in an effect that reads `revision`. */
  changed(): void {
    clearTimeout(this.#timer);
    if (!this.#loaded || this.kind !== 'facts') return;
    this.#timer = setTimeout(() => {
      this.#read();
      this.#timer = setTimeout(() => this.#keep(), keeping);
    }, settling);
  }

  /** Counts changes of all three grids. */
  get revision(): number {
    return this.rows.revision + this.options.train.revision + this.options.test.revision;
  }

  /** Reads the rows and keeps the draft now. */
  settle(): void {
    clearTimeout(this.#timer);
    if (!this.#loaded || this.kind !== 'facts') return;
    this.#read();
    this.#keep();
  }

  #keep(): void {
    if (!this.isChanged) {
      removeDraft(this.#keeper, this.dataset);
      return;
    }
    const draft = {
      base: this.detail.value?.versions ?? 0,
      written: new Date().toISOString(),
      ...this.#texts,
    };
    this.#kept = writeDraft(this.#keeper, this.dataset, draft);
  }

  /** What a data set must have and this one does not, yet; '' where nothing is missing. */
  get gap(): string {
    return gapOf(this.#found.content);
  }

  /**
   * Makes a version of what is there; false where it was refused or something is incomplete. An empty list of options becomes the
   * different answers.
   */
  async save(service: Service, note: string): Promise<boolean> {
    for (const grid of [this.rows, this.options.train, this.options.test]) grid.commit();
    this.settle();
    if (this.#found.problems.length > 0 || this.gap !== '') return false;
    for (const list of ['train', 'test'] as const) if (this.#found.content.options[list].length === 0) this.#addAnswers(list);
    this.#read();
    // What is typed meanwhile is not in it.
    const texts = this.#texts;
    return await this.#store(service, this.#found.content, note, () => {
      this.#saved = texts;
    });
  }

  /** Makes a version of a content that was written as JSON, or of an earlier version. */
  async saveContent(service: Service, content: DatasetContent, note: string): Promise<boolean> {
    return await this.#store(service, content, note, () => {
      if (!('train' in content)) return;
      this.#show(content, 'restore version');
      this.#read();
      this.#saved = this.#texts;
    });
  }

  /** Forgets the draft: the latest version again, which can be undone in the grid. */
  discard(): void {
    const content = this.latest.value?.content ?? { train: [], test: [], options: { train: [], test: [] } };
    if ('train' in content) this.#show(content, 'discard changes');
    this.#restored = null;
    this.settle();
  }

  /** Takes other rows and options in place of all, or behind the rows that are there; undone in the grids. */
  take(rows: readonly (readonly string[])[], options: Record<OptionList, readonly string[]>, where: 'replace' | 'append'): void {
    const all = where === 'replace' ? rows : [...this.rows.model.cells().filter((cells) => cells.some(Boolean)), ...rows];
    this.rows.model.replaceAllRows(all, where === 'replace' ? 'import' : 'append');
    const old = this.#optionTexts();
    for (const list of ['train', 'test'] as const) {
      const texts = where === 'replace' ? options[list] : [...new Set([...old[list], ...options[list]])];
      this.options[list].model.replaceAllRows(
        texts.map((text) => [text]),
        'import',
      );
    }
    this.settle();
  }

  /** Puts answers that are no options among them. */
  addMissing(list: OptionList): void {
    this.settle();
    this.#addAnswers(list);
    this.settle();
  }

  /** The nonce words of a data set of that kind. */
  get daxwug(): Daxwug | null {
    const content = this.latest.value?.content;
    return content && 'variant_1' in content ? content : null;
  }

  #addAnswers(list: OptionList): void {
    const texts = [...this.#optionTexts()[list], ...this.missing(list)];
    this.options[list].model.replaceAllRows(
      texts.map((text) => [text]),
      'add answers',
    );
  }

  async #store(service: Service, content: DatasetContent, note: string, stored: () => void): Promise<boolean> {
    const answer = await this.saving.ask(() => service.saveDatasetVersion(this.dataset, content, note));
    if (answer === null) return false;
    stored();
    this.#restored = null;
    removeDraft(this.#keeper, this.dataset);
    const detail = await this.detail.ask(() => service.dataset(this.dataset));
    if (detail !== null) await this.latest.ask(() => service.datasetVersion(this.dataset, detail.versions));
    return true;
  }

  #show(content: LinkedFacts, label?: string): void {
    this.#fill(rowsOf(content), content.options, label);
  }

  /** With a label it is an edit that can be undone. */
  #fill(rows: string[][], options: Record<OptionList, string[]>, label?: string): void {
    const put = (grid: GridState, cells: string[][]) =>
      label === undefined ? grid.load(cells) : grid.model.replaceAllRows(cells, label);
    put(this.rows, rows);
    for (const list of ['train', 'test'] as const)
      put(
        this.options[list],
        options[list].map((text) => [text]),
      );
  }

  #read(): void {
    const rows = this.rows.model.cells();
    const options = this.#optionTexts();
    this.#found = factsOf(rows, options);
    this.#texts = { rows, options };
  }

  #optionTexts(): Record<OptionList, string[]> {
    const texts = (grid: GridState) => grid.model.rows.map(({ cells }) => cells[0]!).filter((text) => text.trim() !== '');
    return { train: texts(this.options.train), test: texts(this.options.test) };
  }
}
