/**
 * A file on its way into a data set: how it is read, which column or field becomes what, the rows that follow and every problem.
 * Reading is done in datasets/; what happens to the rows is up to whoever asked.
 */
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import { type Delimiter, detectDelimiter } from '../datasets/csv.ts';
import { checkSize, decodeText, isParquet, mostFileBytes } from '../datasets/decode.ts';
import { areEdits, type EditTable, type EditUse, editRows, readEdits, unknownRecords } from '../datasets/edit-records.ts';
import { textsOf } from '../datasets/editor-texts.ts';
import { guessMapping, type ImportedRows, importRows, type Mapping, type Target } from '../datasets/import-rows.ts';
import { type ImportProblem, type ImportTable, type RecordList, tableOf } from '../datasets/import-table.ts';
import { formatOf, readCsv, readJson, readJsonLines, type TextFormat } from '../datasets/import-text.ts';

type Opened =
  | { name: string; kind: 'text'; text: string; hadMark: boolean }
  | { name: string; kind: 'parquet'; records: RecordList };

const nothing: ImportTable = { columns: [], rows: [], problems: [], notes: [], unit: 'row', content: null };

export class FileImport {
  #file = $state.raw<Opened | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #waiting = $state(false);
  #format = $state<TextFormat>('csv');
  #delimiter = $state<Delimiter>(',');
  #header = $state(true);
  #columns = $state.raw<Mapping | null>(null);
  #uses = $state.raw<ReadonlyMap<string, EditUse>>(new Map());
  #asked = 0;

  get file(): Opened | null {
    return this.#file;
  }

  /** Why the file cannot be read at all. */
  get error(): ErrorRecord | null {
    return this.#error;
  }

  get waiting(): boolean {
    return this.#waiting;
  }

  get format(): TextFormat {
    return this.#format;
  }

  set format(format: TextFormat) {
    this.#format = format;
    this.#forget();
  }

  get delimiter(): Delimiter {
    return this.#delimiter;
  }

  set delimiter(delimiter: Delimiter) {
    this.#delimiter = delimiter;
    this.#forget();
  }

  /** Whether the first line of a CSV names the columns. */
  get header(): boolean {
    return this.#header;
  }

  set header(header: boolean) {
    this.#header = header;
    this.#forget();
  }

  readonly #source: RecordList | ImportTable | null = $derived.by(() => {
    const file = this.#file;
    if (file === null) return null;
    if (file.kind === 'parquet') return file.records;
    if (this.#format === 'csv') return readCsv(file.text, { delimiter: this.#delimiter, header: this.#header });
    if (this.#format === 'jsonl') return readJsonLines(file.text);
    return readJson(file.text);
  });

  /** Records of an editing benchmark; null where the file holds something else. */
  readonly edits: EditTable | null = $derived.by(() => {
    const source = this.#source;
    return source !== null && 'records' in source && areEdits(source) ? readEdits(source) : null;
  });

  readonly table: ImportTable = $derived.by(() => {
    const source = this.#source;
    if (source === null || this.edits !== null) return nothing;
    return 'records' in source ? tableOf(source) : source;
  });

  /** What `ImportProblem.line` counts. */
  readonly unit: 'line' | 'row' = $derived.by(() => this.#source?.unit ?? 'row');

  readonly mapping: Mapping = $derived.by(() => this.#columns ?? guessMapping(this.table.columns));

  /** Null where the file is a data set of nonce words, or none is open. */
  readonly result: ImportedRows | null = $derived.by(() => {
    if (this.#source === null) return null;
    if (this.edits !== null) return editRows(this.edits, this.#uses);
    const whole = this.table.content?.content;
    // A table without columns is what could not be read: there is nothing to choose, and its problems say why.
    if (whole === undefined) return this.table.columns.length === 0 ? null : importRows(this.table, this.mapping);
    return 'train' in whole ? { ...textsOf(whole), problems: [] } : null;
  });

  readonly problems: ImportProblem[] = $derived.by(() => {
    if (this.edits !== null) return [...this.edits.problems, ...(this.result?.problems ?? [])];
    const source = this.#source;
    if (source !== null && 'records' in source && this.#isNoTable()) return [unknownRecords(source)];
    return [...this.table.problems, ...(this.result?.problems ?? [])];
  });

  /** What was chosen for fields of an editing benchmark. */
  get uses(): ReadonlyMap<string, EditUse> {
    return this.#uses;
  }

  setUse(field: string, use: EditUse): void {
    this.#uses = new Map(this.#uses).set(field, use);
  }

  setColumn(target: Target, column: number): void {
    this.#columns = { ...this.mapping, [target]: column };
  }

  async open(given: File | undefined): Promise<void> {
    if (given === undefined) return;
    const asked = ++this.#asked;
    this.#file = null;
    this.#error = null;
    this.#header = true;
    this.#waiting = true;
    this.#forget();
    try {
      const file = await this.#read(given);
      if (asked !== this.#asked) return;
      if (file.kind === 'text') {
        this.#format = formatOf(file.name, file.text);
        this.#delimiter = detectDelimiter(file.text);
      }
      this.#file = file;
    } catch (thrown) {
      if (asked === this.#asked) this.#error = errorRecord(thrown);
    } finally {
      if (asked === this.#asked) this.#waiting = false;
    }
  }

  async #read(given: File): Promise<Opened> {
    const { name } = given;
    checkSize(name, given.size);
    const bytes = new Uint8Array(await given.slice(0, mostFileBytes).arrayBuffer());
    if (!isParquet(name, bytes)) return { name, kind: 'text', ...decodeText(name, bytes) };
    const { readParquet } = await import('../datasets/parquet.ts');
    return { name, kind: 'parquet', records: await readParquet(name, bytes) };
  }

  /** Objects in objects, and no column that says what it is. */
  #isNoTable(): boolean {
    const named = Object.values(this.mapping).some((column) => column >= 0);
    const nested = this.table.rows.some(({ cells }) => cells.some((cell) => typeof cell === 'object' && 'unreadable' in cell));
    return !named && nested;
  }

  #forget(): void {
    this.#columns = null;
    this.#uses = new Map();
  }
}
