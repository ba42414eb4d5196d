/**
 * How a model reads the data being edited: what its preflight finds, by cell of the grid, and the tokens of every cell in view.
 * It asks the host and changes no data.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { Finding, Json } from '../../src-main/shared/records.ts';
import type { DatasetEditor } from './dataset-editor.svelte.ts';
import { Request } from './request.svelte.ts';

/** Texts asked for at once. */
const batch = 200;

/** What is said about a cell. */
export interface CellFinding {
  text: string;
  isError: boolean;
}

export class DatasetReading {
  readonly findings = new Request<Finding[]>();
  #editor: DatasetEditor;
  #service: () => Service;
  #model = $state('small-world');
  #showTokens = $state(false);
  /** Tokens by text; null while they are asked for. */
  #tokens = new Map<string, string[] | null>();
  #answered = $state(0);
  #waiting = new Set<string>();
  #problem = $state('');
  /** Rows of the grid when the findings were made, to tell old findings from new rows. */
  #checkedRevision = $state(-1);

  constructor(editor: DatasetEditor, service: () => Service) {
    this.#editor = editor;
    this.#service = service;
  }

  get model(): string {
    return this.#model;
  }

  set model(path: string) {
    this.#model = path;
    this.#tokens.clear();
    this.#problem = '';
    this.findings.clear();
  }

  get showTokens(): boolean {
    return this.#showTokens;
  }

  set showTokens(shown: boolean) {
    this.#showTokens = shown;
  }

  /** Why tokens cannot be shown. */
  get problem(): string {
    return this.#problem;
  }

  /** Whether the data have changed since they were checked. */
  get isStale(): boolean {
    return this.#checkedRevision !== this.#editor.revision;
  }

  /** Asks the model's tokenizer about all complete rows. */
  async check(): Promise<void> {
    this.#editor.settle();
    const { links: _links, ...content } = this.#editor.found.content;
    this.#checkedRevision = this.#editor.revision;
    const spec = { experiment: 'ocr', model: this.#model, dataset: content as unknown as Json };
    await this.findings.ask(() => this.#service().preflight(spec));
  }

  /** Findings by `row.column` of the grid, errors over warnings; what is incomplete comes first. */
  readonly cells: ReadonlyMap<string, CellFinding> = $derived.by(() => {
    const found = new Map<string, CellFinding>();
    const { problems, factRows, implicationRows } = this.#editor.found;
    for (const { row, column, message } of problems) found.set(`${row}.${column}`, { text: message, isError: true });
    if (this.isStale) return found;
    for (const finding of this.findings.value ?? []) {
      if (finding.severity === 'note') continue;
      const isFacts = finding.set === 'facts';
      const column = (isFacts ? 0 : 2) + (aboutAnswers.has(finding.code) ? 1 : 0);
      for (const item of finding.items) {
        const row = (isFacts ? factRows : implicationRows)[item];
        const key = `${row}.${column}`;
        if (row !== undefined && !found.get(key)?.isError)
          found.set(key, { text: finding.message, isError: finding.severity === 'error' });
      }
    }
    return found;
  });

  /** The tokens of a cell, null until they are known. A continuation is read with the blank in front of it. */
  tokensOf(text: string, column: number): string[] | null {
    void this.#answered;
    if (text.trim() === '' || this.#problem !== '') return null;
    const read = column % 2 === 1 ? ` ${text}` : text;
    const known = this.#tokens.get(read);
    if (known === undefined && !this.#waiting.has(read)) {
      if (this.#waiting.size === 0) setTimeout(() => void this.#ask(), 30);
      this.#waiting.add(read);
    }
    return known ?? null;
  }

  async #ask(): Promise<void> {
    const texts = [...this.#waiting].slice(0, batch);
    const model = this.#model;
    try {
      const read = await this.#service().tokenize(model, texts);
      if (model !== this.#model) return;
      for (const [index, text] of texts.entries()) {
        const { tokens, special } = read.texts[index]!;
        this.#tokens.set(
          text,
          tokens.filter((_, place) => !special[place]),
        );
      }
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    } finally {
      for (const text of texts) this.#waiting.delete(text);
      this.#answered++;
      if (this.#waiting.size > 0) void this.#ask();
    }
  }
}

/** Findings that concern the continuation rather than the prompt. */
const aboutAnswers = new Set(['OptionsShareFirstToken', 'AnswerNotAnOption', 'AnswerReadAsOption', 'Contradiction']);
