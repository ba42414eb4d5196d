/**
 * One scan for model folders as state: how far it is, what it found, which of that is chosen. The host looks; nothing is added here.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ModelScan } from '../../src-main/shared/contract-models.ts';
import { Request } from './request.svelte.ts';

export class FolderScan {
  readonly request = new Request<ModelScan>();
  #progress = $state.raw<{ folders: number; found: number; path: string } | null>(null);
  #chosen = $state.raw<ReadonlySet<string>>(new Set());
  #abort: AbortController | null = null;
  #number = 0;

  get progress(): { folders: number; found: number; path: string } | null {
    return this.#progress;
  }

  /** Paths that are to be added. */
  get chosen(): ReadonlySet<string> {
    return this.#chosen;
  }

  /** Looks below `path`; what it finds is chosen but for `known`, which the project has already. */
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
    if (found !== null) this.#chosen = new Set(found.models.map((model) => model.path).filter((each) => !known.has(each)));
  }

  /** Ends a scan under way and forgets what one found. */
  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#progress = null;
    this.#chosen = new Set();
    this.request.clear();
  }

  choose(path: string, isChosen: boolean): void {
    const chosen = new Set(this.#chosen);
    if (isChosen) chosen.add(path);
    else chosen.delete(path);
    this.#chosen = chosen;
  }
}
