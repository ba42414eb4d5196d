/**
 * How the chosen models read the data being edited: what the preflight of each finds, by cell of the grid, and one's tokens of every
 * cell in view. It asks the host and changes no data.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { Finding, Json } from '../../src-main/shared/records.ts';
import { baseName } from '../text/format.ts';
import type { EditorGrids } from './editor-grids.svelte.ts';
import { isDisconnected } from './follow.ts';
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

/** Texts whose tokens are asked for, and those that were refused, which are not asked for again before another round begins. */
interface Round {
  waiting: Set<string>;
  refused: Set<string>;
}
const newRound = (): Round => ({ waiting: new Set(), refused: new Set() });

export class DatasetReading {
  readonly findings = new Request<ModelFindings[]>();
  #grids: EditorGrids;
  #service: () => Service;
  /** At least one. */
  #models = $state.raw<readonly string[]>(['small-world']);
  #showTokens = $state(false);
  /** Tokens by text, as the first model reads it. */
  #tokens = new Map<string, string[]>();
  #answered = $state(0);
  /** What arrives for an earlier round is void. */
  #round = newRound();
  #problem = $state('');
  /** Rows of the grid when the findings were made, to tell old findings from new rows. */
  #checkedRevision = $state(-1);

  constructor(grids: EditorGrids, service: () => Service) {
    this.#grids = grids;
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
      this.askAgain();
    }
    this.#models = paths;
    this.findings.clear();
  }

  get showTokens(): boolean {
    return this.#showTokens;
  }

  set showTokens(shown: boolean) {
    this.#showTokens = shown;
    if (shown && this.#round.refused.size > 0) this.askAgain();
  }

  /** Tokens that were refused, or not answered yet, are asked for once more where they are shown; after another connection, for example. */
  askAgain(): void {
    this.#round = newRound();
    this.#problem = '';
    this.#answered++;
  }

  /** Why some tokens cannot be shown. */
  get problem(): string {
    return this.#problem;
  }

  /** Whether the data have changed since they were checked. */
  get isStale(): boolean {
    return this.#checkedRevision !== this.#grids.revision;
  }

  /** Asks the tokenizer of each model about all complete rows. */
  async check(): Promise<void> {
    this.#grids.read();
    const { links: _links, ...content } = this.#grids.found.content;
    this.#checkedRevision = this.#grids.revision;
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
    const { problems, factRows, implicationRows } = this.#grids.found;
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
    if (text.trim() === '') return null;
    const read = column % 2 === 1 ? ` ${text}` : text;
    const round = this.#round;
    const known = this.#tokens.get(read);
    if (known === undefined && !round.waiting.has(read) && !round.refused.has(read)) {
      if (round.waiting.size === 0) setTimeout(() => void this.#ask(round), 30);
      round.waiting.add(read);
    }
    return known ?? null;
  }

  async #ask(round: Round): Promise<void> {
    while (round === this.#round && round.waiting.size > 0) {
      const texts = [...round.waiting].slice(0, batch);
      const answer = await this.#tokenize(texts);
      if (round !== this.#round) return;
      if (Array.isArray(answer)) for (const [index, text] of texts.entries()) this.#tokens.set(text, answer[index]!);
      else {
        for (const text of texts) round.refused.add(text);
        // Where the line is down, the banner says so.
        if (!isDisconnected(answer.code)) this.#problem = answer.message;
      }
      for (const text of texts) round.waiting.delete(text);
      this.#answered++;
    }
  }

  async #tokenize(texts: string[]): Promise<string[][] | ErrorRecord> {
    try {
      const read = await this.#service().tokenize(this.#models[0]!, texts);
      return read.texts.map(({ tokens, special }) => tokens.filter((_, place) => !special[place]));
    } catch (error) {
      return errorRecord(error);
    }
  }
}

/** Findings that concern the continuation rather than the prompt. */
const aboutAnswers = new Set(['OptionsShareFirstToken', 'AnswerNotAnOption', 'AnswerReadAsOption', 'Contradiction']);
