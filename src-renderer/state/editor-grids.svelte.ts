/**
 * The three grids of a data set of facts: its rows and both lists of options, with one history, and what was found in them when they were
 * last read. Whether that is saved, or kept as a draft, is dataset-editor.svelte.ts's.
 */
import { appended, type EditorTexts, noTexts } from '../datasets/editor-texts.ts';
import { type FactsOfRows, factColumns, factsOf, gapOf, missingOptions } from '../datasets/facts-table.ts';
import { GridHistory } from '../datasets/grid-history.ts';
import type { Keeper } from '../datasets/kept-locally.ts';
import { GridState } from './grid.svelte.ts';

export type OptionList = 'train' | 'test';

const lists = ['train', 'test'] as const;

/** Texts to be put into the grids. */
export interface ReadonlyTexts {
  readonly rows: readonly (readonly string[])[];
  readonly options: Record<OptionList, readonly string[]>;
}

export class EditorGrids {
  readonly rows: GridState;
  readonly options: Record<OptionList, GridState>;
  readonly #history = new GridHistory();
  /** `revision` when they were last read. */
  #readAt = 0;
  #texts = $state.raw<EditorTexts>(noTexts);
  #found = $state.raw<FactsOfRows>(factsOf([], noTexts.options));

  constructor(keeper: Keeper) {
    const history = this.#history;
    const columns = factColumns.map((title, index) => ({ title, width: index % 2 === 0 ? 212 : 114 }));
    this.rows = new GridState('facts', columns, [], keeper, { history, headColumns: 2 });
    this.options = {
      train: new GridState('fact-options', [{ title: 'Fact option', width: 180 }], [], keeper, { history }),
      test: new GridState('implication-options', [{ title: 'Implication option', width: 180 }], [], keeper, { history }),
    };
  }

  get all(): GridState[] {
    return [this.rows, this.options.train, this.options.test];
  }

  /** Takes what is being written into a cell. */
  commit(): void {
    for (const grid of this.all) grid.commit();
  }

  /** Counts changes of all three. */
  get revision(): number {
    return this.all.reduce((sum, { revision }) => sum + revision, 0);
  }

  /** Reads what the grids hold, which takes a while where they are large: no more than once after each change. */
  read(): void {
    if (this.revision === this.#readAt) return;
    this.#readAt = this.revision;
    this.#texts = { rows: this.rows.model.cells(), options: this.#optionTexts() };
    this.#found = factsOf(this.#texts.rows, this.#texts.options);
  }

  /** What the grids held when they were last read. */
  get texts(): EditorTexts {
    return this.#texts;
  }

  /** What that says. */
  get found(): FactsOfRows {
    return this.#found;
  }

  /** Whether both lists of options hold something. */
  get hasOptions(): boolean {
    const { train, test } = this.#found.content.options;
    return train.length > 0 && test.length > 0;
  }

  /** What a data set must have and this one does not, yet; '' where nothing is missing. */
  get gap(): string {
    return gapOf(this.#found.content);
  }

  /** Answers that are not among the options. */
  missing(list: OptionList): string[] {
    const { train, test, options } = this.#found.content;
    return missingOptions(list === 'train' ? train : test, options[list]);
  }

  #optionTexts(): Record<OptionList, string[]> {
    const texts = (grid: GridState) => grid.model.rows.map(({ cells }) => cells[0]!).filter((text) => text.trim() !== '');
    return { train: texts(this.options.train), test: texts(this.options.test) };
  }

  /** Puts texts in place of all; with a label it is one edit that can be undone. */
  fill({ rows, options }: ReadonlyTexts, label?: string): void {
    const put = (grid: GridState, cells: readonly (readonly string[])[]) =>
      label === undefined ? grid.load(cells) : grid.model.replaceAllRows(cells, label);
    this.#history.together(label ?? '', () => {
      put(this.rows, rows);
      for (const list of lists)
        put(
          this.options[list],
          options[list].map((text) => [text]),
        );
    });
    for (const grid of this.all) grid.selected.clamp();
    this.read();
  }

  /** Puts rows behind those that are there, and options that are not there yet; one edit. */
  append({ rows, options }: ReadonlyTexts): void {
    const old = this.#optionTexts();
    const held = this.rows.model.cells().filter((cells) => cells.some(Boolean));
    const joined = (list: OptionList) => [...new Set([...old[list], ...options[list]])];
    this.fill({ rows: appended(held, rows), options: { train: joined('train'), test: joined('test') } }, 'append');
  }

  /** Puts answers that are no options behind them. */
  addMissing(list: OptionList): void {
    this.read();
    const texts = [...this.#optionTexts()[list], ...this.missing(list)];
    this.options[list].model.replaceAllRows(
      texts.map((text) => [text]),
      'add answers',
    );
    this.read();
  }
}
