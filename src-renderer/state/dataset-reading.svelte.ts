/**
 * How the chosen models read the data being edited: what the preflight of each finds, by cell of the grid, and one's tokens of every
 * cell in view. It asks the host and changes no data.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { Finding, Json } from '../../src-main/shared/records.ts';
import { baseName } from '../text/format.ts';
import type { DatasetEditor } from './dataset-editor.svelte.ts';
import { Request } from './request.svelte.ts';

/** Texts asked for at once. */
const batch = 200;

/** What is said about a cell. */
export interface CellFinding {
  text: string;
  isError: boolean;
}

/** What a model's preflight says; an error where it could not be asked. */
export interface ModelFindings {
  model: string;
  findings: Finding[];
  error: ErrorRecord | null;
}

export class DatasetReading {
  readonly findings = new Request<ModelFindings[]>();
  #editor: DatasetEditor;
  #service: () => Service;
  /** At least one. */
  #models = $state.raw<readonly string[]>(['small-world']);
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

  /** The models that are asked, as specs name them; the first one's tokens are shown. */
  get models(): readonly string[] {
    return this.#models;
  }

  set models(paths: readonly string[]) {
    if (paths.length === 0) return;
    if (paths[0] !== this.#models[0]) {
      this.#tokens.clear();
      this.#problem = '';
    }
    this.#models = paths;
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

  /** Asks the tokenizer of each model about all complete rows. */
  async check(): Promise<void> {
    this.#editor.settle();
    const { links: _links, ...content } = this.#editor.found.content;
    this.#checkedRevision = this.#editor.revision;
    const dataset = content as unknown as Json;
    await this.findings.ask(async () => {
      const answers: ModelFindings[] = [];
      // One after the other: the host reads one model at a time.
      for (const model of this.#models) {
        try {
          const findings = await this.#service().preflight({ experiment: 'ocr', model, dataset });
          answers.push({ model, findings, error: null });
        } catch (error) {
          answers.push({ model, findings: [], error: errorRecord(error) });
        }
      }
      return answers;
    });
  }

  /** Findings by `row.column` of the grid, errors over warnings; what is incomplete comes first. */
  readonly cells: ReadonlyMap<string, CellFinding> = $derived.by(() => {
    const found = new Map<string, CellFinding>();
    const { problems, factRows, implicationRows } = this.#editor.found;
    for (const { row, column, message } of problems) found.set(`${row}.${column}`, { text: message, isError: true });
    if (this.isStale) return found;
    const all = (this.findings.value ?? []).flatMap(({ model, findings }) =>
      findings.map((finding) => ({ ...finding, by: this.#models.length > 1 ? `${baseName(model)}: ` : '' })),
    );
    for (const finding of all) {
      if (finding.severity === 'note') continue;
      const isFacts = finding.set === 'facts';
      const column = (isFacts ? 0 : 2) + (aboutAnswers.has(finding.code) ? 1 : 0);
      for (const item of finding.items) {
        const row = (isFacts ? factRows : implicationRows)[item];
        const key = `${row}.${column}`;
        const isError = finding.severity === 'error';
        const other = found.get(key);
        if (row === undefined || (other?.isError && !isError)) continue;
        const text = `${finding.by}${finding.message}`;
        found.set(key, {
          text: other && other.isError === isError && finding.by ? `${other.text} ${text}` : other?.isError ? other.text : text,
          isError,
        });
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
    const model = this.#models[0]!;
    try {
      const read = await this.#service().tokenize(model, texts);
      if (model !== this.#models[0]) return;
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
