/**
 * A table of entities and sentence templates being put together, kept by the browser for each data set, and what compute makes of them.
 * The rows it makes are taken into a data set by whoever asked.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { Generated, GenerationRequest, SentenceTemplate } from '../../src-main/shared/contract-datasets.ts';
import type { Row } from '../datasets/grid-history.ts';
import { type Keeper, readKept, writeKept } from '../datasets/kept-locally.ts';
import { GridState } from './grid.svelte.ts';
import { Request } from './request.svelte.ts';

interface Kept {
  columns: string[];
  rows: string[][];
  facts: SentenceTemplate[];
  implications: SentenceTemplate[];
}

const first: Kept = {
  columns: ['name', 'city', 'language'],
  rows: [
    ['Ada Moss', 'Oslo', 'Norwegian'],
    ['Cleo Finch', 'Rome', 'Italian'],
  ],
  facts: [{ prompt: '{name} lives in', answer: 'city' }],
  implications: [{ prompt: 'The people in the city {name} is from speak', answer: 'language' }],
};

/** Milliseconds after the last change of the table until it is kept. */
const keeping = 500;

const keyOf = (owner: string) => `hopscope.dataset-templates.${owner}`;

export class Generator {
  readonly generated = new Request<Generated>();
  readonly words = new Request<string[]>();
  #keeper: Keeper;
  #key: string;
  #table = $state.raw<GridState>() as GridState;
  /** The rows that are kept: every edit makes others. */
  #keptRows: readonly Row[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  facts = $state<SentenceTemplate[]>([]);
  implications = $state<SentenceTemplate[]>([]);
  /** Columns whose values move together to other rows; empty: none do. */
  moving = $state<string[]>([]);
  seed = $state(0);

  /** `owner` names the data set among those of all data folders. */
  constructor(owner: string, keeper: Keeper) {
    this.#keeper = keeper;
    this.#key = keyOf(owner);
    const { columns, rows, facts, implications } = this.#read() ?? first;
    this.facts = facts;
    this.implications = implications;
    this.#setTable(columns, rows);
    this.#keptRows = this.#table.model.rows;
  }

  get table(): GridState {
    return this.#table;
  }

  get columns(): string[] {
    return this.#table.columns.map(({ title }) => title);
  }

  /** Follows edits of the table; call it in an effect that reads its `revision`. */
  changed(): void {
    clearTimeout(this.#timer);
    if (this.#table.model.rows !== this.#keptRows) this.#timer = setTimeout(() => this.keep(), keeping);
  }

  /** Keeps the table now, with what is being written into a cell, unless it is kept already: another window may have kept its own since. */
  settle(): void {
    this.#table.commit();
    if (this.#table.model.rows !== this.#keptRows) this.keep();
  }

  /** Columns, rows and templates are kept for the next visit; without room for them, they are there until the screen is left. */
  keep(): void {
    clearTimeout(this.#timer);
    const kept: Kept = {
      columns: this.columns,
      rows: this.#table.model.cells(),
      facts: $state.snapshot(this.facts),
      implications: $state.snapshot(this.implications),
    };
    writeKept(this.#keeper, this.#key, kept);
    this.#keptRows = this.#table.model.rows;
  }

  /** Other columns, by name: what has the same name keeps its cells, one at the place of a name that is gone takes that one's. */
  setColumns(names: readonly string[]): void {
    const old = this.columns;
    const cells = this.#table.model.cells();
    const source = names.map((name, index) => {
      const same = old.indexOf(name);
      return same >= 0 ? same : names.length === old.length && !names.includes(old[index]!) ? index : -1;
    });
    this.#setTable(
      names,
      cells.map((row) => source.map((place) => row[place] ?? '')),
    );
    this.moving = this.moving.filter((column) => names.includes(column));
  }

  /** Asks for the sentences of what is there. */
  async generate(service: Service): Promise<Generated | null> {
    this.#table.commit();
    this.keep();
    const rows = this.#table.model.cells().filter((cells) => cells.some((cell) => cell.trim() !== ''));
    const request: GenerationRequest = {
      columns: this.columns,
      rows,
      facts: $state.snapshot(this.facts),
      implications: $state.snapshot(this.implications),
      ...(this.moving.length > 0 ? { counterfactual: { columns: $state.snapshot(this.moving), seed: this.seed } } : {}),
    };
    return await this.generated.ask(() => service.generateDataset(request));
  }

  /** Fills a column with nonce names or words that the models read alike, for as many rows as there are. */
  async fillWords(service: Service, column: number, kind: 'word' | 'name', models: readonly string[]): Promise<void> {
    const { model } = this.#table;
    const count = model.rows.length;
    const without = model.rows.flatMap(({ cells }) => cells);
    const words = await this.words.ask(() => service.makeWords({ models: [...models], count, seed: this.seed, kind, without }));
    if (words === null) return;
    this.#table.setCells(
      words.map((text, row) => ({ row, column, text })),
      'nonce words',
    );
    this.changed();
  }

  #setTable(columns: readonly string[], rows: readonly (readonly string[])[]): void {
    this.#table = new GridState(
      `entities-${columns.length}`,
      columns.map((title) => ({ title, width: 170 })),
      rows,
      this.#keeper,
    );
  }

  #read(): Kept | null {
    const value = readKept(this.#keeper, this.#key) as Partial<Kept> | null;
    const lists = [value?.columns, value?.rows, value?.facts, value?.implications];
    return lists.every(Array.isArray) ? (value as Kept) : null;
  }
}
