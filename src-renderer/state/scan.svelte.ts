/**
 * One scan for model folders as state: how far it is, what it found, what is wrong with that, which of it is chosen. The host looks;
 * nothing is added here.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ModelScan } from '../../src-main/shared/contract-models.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import { isDisconnected } from './follow.ts';
import { Request } from './request.svelte.ts';

export class FolderScan {
  readonly request = new Request<ModelScan>();
  #progress = $state.raw<{ folders: number; found: number; path: string } | null>(null);
  #chosen = $state.raw<ReadonlySet<string>>(new Set());
  #problems = $state.raw<ReadonlyMap<string, ErrorRecord>>(new Map());
  #unread = $state(0);
  #abort: AbortController | null = null;
  #number = 0;

  get progress(): { folders: number; found: number; path: string } | null {
    return this.#progress;
  }

  /** Paths that are to be added. */
  get chosen(): ReadonlySet<string> {
    return this.#chosen;
  }

  /** Why folders that were found cannot be used, by path, as far as they were read. */
  get problems(): ReadonlyMap<string, ErrorRecord> {
    return this.#problems;
  }

  /** Folders that were found and are still to be read. */
  get unread(): number {
    return this.#unread;
  }

  /**
   * Looks below `path`; what it finds is chosen but for `known`, which the project has already. Then each folder is read in turn, and one
   * that cannot be used is chosen no more. Ends with that.
   */
  async start(service: Service, path: string, known: ReadonlySet<string>): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.#progress = null;
    const name = `scan-${++this.#number}`;
    const unsubscribe = service.onModelScan(({ scan, ...progress }) => {
      if (scan === name && this.#abort === abort) this.#progress = progress;
    });
    const found = await this.request.ask(() => service.scanModels(path, name, abort.signal));
    unsubscribe();
    if (found === null) return;
    const fresh = found.models.filter((model) => !known.has(model.path));
    this.#chosen = new Set(fresh.filter(({ bytes }) => bytes > 0).map((model) => model.path));
    this.#unread = fresh.length;
    for (const model of fresh) {
      const problem = await problemOf(service, model.path);
      if (this.#abort !== abort) return;
      this.#unread--;
      if (problem === null) continue;
      this.#problems = new Map(this.#problems).set(model.path, problem);
      this.choose(model.path, false);
    }
  }

  /** Ends a scan under way and forgets what one found. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#progress = null;
    this.#chosen = new Set();
    this.#problems = new Map();
    this.#unread = 0;
    this.request.clear();
  }

  choose(path: string, isChosen: boolean): void {
    const chosen = new Set(this.#chosen);
    if (isChosen) chosen.add(path);
    else chosen.delete(path);
    this.#chosen = chosen;
  }
}

/** Null where the folder can be used, or nobody is there to say. */
async function problemOf(service: Service, path: string): Promise<ErrorRecord | null> {
  try {
    await service.describeModel(path);
    return null;
  } catch (error) {
    const record = errorRecord(error);
    return isDisconnected(record.code) ? null : record;
  }
}
