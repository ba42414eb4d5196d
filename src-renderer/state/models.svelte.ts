/**
 * The models of a project as its screens show them: the list, each folder's description and files, adding and removing with undo.
 * What a folder holds is the host's to say; what was said is kept until it is asked again, over reconnections too.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ModelFile, ProjectModel } from '../../src-main/shared/contract-models.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import type { ModelDescription } from '../../src-main/shared/records.ts';
import { isDisconnected } from './follow.ts';
import { Request } from './request.svelte.ts';
import type { Workbench } from './workbench.ts';

/** What the host says of one folder. */
export class FolderFacts {
  readonly description = new Request<ModelDescription>();
  readonly files = new Request<ModelFile[]>();

  /** Bytes on disk, null until they are known. */
  get bytes(): number | null {
    return this.files.value?.reduce((sum, file) => sum + file.bytes, 0) ?? null;
  }

  /** Whether the host has said everything, or is about to; a line that broke leaves some of it unsaid. */
  get isAsked(): boolean {
    return [this.description, this.files].every(({ value, error, waiting }) => waiting || value !== null || error !== null);
  }

  async ask(service: Service, path: string): Promise<void> {
    void this.files.ask(() => service.modelFiles(path));
    await this.description.ask(() => service.describeModel(path));
  }
}

/** What a screen of models needs of the workbench. */
type Surroundings = Pick<Workbench, 'service' | 'toasts' | 'projects'>;

/** Facts by path, while a window is open: large tokenizers take seconds to read, so a screen that is opened again shows what is known. */
const known = new WeakMap<Surroundings, Map<string, FolderFacts>>();

function factsOf(workbench: Surroundings, path: string): FolderFacts {
  const facts = known.get(workbench) ?? new Map<string, FolderFacts>();
  known.set(workbench, facts);
  const found = facts.get(path) ?? new FolderFacts();
  facts.set(path, found);
  return found;
}

/** Paths that could not be added, each with why. */
export interface Refusal {
  path: string;
  error: ErrorRecord;
}

export class ProjectModels {
  #workbench: Surroundings;
  #isDescribed: boolean;
  #list = $state.raw<readonly ProjectModel[] | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  #loads = 0;
  /** Folders asked about in this screen's life: a change of the list says nothing new of them. */
  readonly #described = new Set<string>();

  /** `described` false: the list only, whose folders are asked about one by one (`retry`) or not at all. */
  constructor(workbench: Surroundings, { described = true }: { described?: boolean } = {}) {
    this.#workbench = workbench;
    this.#isDescribed = described;
  }

  /** The one that ships first; null until the first answer. */
  get list(): readonly ProjectModel[] | null {
    return this.#list;
  }

  get error(): ErrorRecord | null {
    return this.#error;
  }

  /** The model of an address, `small-world` or a number; null where the project has none such. */
  find(id: string): ProjectModel | null {
    const number = id === 'small-world' ? 0 : Number(id);
    return this.#list?.find((model) => model.id === number) ?? null;
  }

  facts(model: ProjectModel): FolderFacts {
    return factsOf(this.#workbench, model.path);
  }

  /** Reads the list, then each folder in turn: compute reads one at a time anyway. */
  async load(): Promise<void> {
    const load = ++this.#loads;
    const { service, projects } = this.#workbench;
    try {
      const list = await service.models(projects.current.id);
      if (load !== this.#loads) return;
      this.#list = list;
      this.#error = null;
    } catch (error) {
      const record = errorRecord(error);
      if (load === this.#loads && !isDisconnected(record.code)) this.#error = record;
      return;
    }
    if (!this.#isDescribed) return;
    const isKnown = (path: string) => factsOf(this.#workbench, path).description.value !== null;
    // Those of which nothing is known yet come first; the others are read again, since folders change
    for (const path of this.#list.map((model) => model.path).sort((a, b) => Number(isKnown(a)) - Number(isKnown(b)))) {
      if (load !== this.#loads) return;
      const facts = factsOf(this.#workbench, path);
      if (this.#described.has(path) && facts.isAsked) continue;
      this.#described.add(path);
      await facts.ask(service, path);
    }
  }

  /** No more folders are asked about. */
  end(): void {
    this.#loads++;
  }

  /** Asks about one folder again, after something in it was put right. */
  retry({ path }: ProjectModel): Promise<void> {
    return factsOf(this.#workbench, path).ask(this.#workbench.service, path);
  }

  /** Adds folders one after the other and returns those that were refused. */
  async add(paths: readonly string[]): Promise<Refusal[]> {
    const { service, toasts, projects } = this.#workbench;
    const refused: Refusal[] = [];
    const added: ProjectModel[] = [];
    const there: ProjectModel[] = [];
    for (const path of paths) {
      try {
        const { model, isNew } = await service.addModel(projects.current.id, path);
        (isNew ? added : there).push(model);
      } catch (error) {
        refused.push({ path, error: errorRecord(error) });
      }
    }
    const undo = async () => {
      // The line may be another one by then
      for (const { id } of added) await this.#workbench.service.removeModel(id);
      await this.load();
    };
    if (added.length > 0) {
      const what = added.length === 1 ? `“${added[0]!.name}”` : `${added.length} models`;
      toasts.show({ text: `Added ${what}.`, action: { label: 'Undo', run: undo } });
    } else if (there.length > 0) {
      toasts.show({
        text: there.length === 1 ? `“${there[0]!.name}” is in this project already.` : 'They are in this project already.',
      });
    }
    if (added.length > 0) void this.load();
    return refused;
  }

  /** Tells where a model's folder is now; `anyway`: whatever its runs used. Returns why it was refused. */
  async locate({ id }: ProjectModel, path: string, anyway: boolean): Promise<ErrorRecord | null> {
    const { service, toasts } = this.#workbench;
    try {
      const model = await service.locateModel(id, path, anyway);
      toasts.show({ text: `“${model.name}” is in ${model.path} now.` });
    } catch (error) {
      return errorRecord(error);
    }
    void this.load();
    return null;
  }

  /** Takes a model out of the project, with a notice that offers to bring it back. Returns whether it went. */
  async remove({ id, name }: ProjectModel): Promise<boolean> {
    const { toasts } = this.#workbench;
    const isGone = await toasts.attempt('The model could not be removed.', () => this.#workbench.service.removeModel(id));
    if (isGone === null) return false;
    this.#list = this.#list?.filter((model) => model.id !== id) ?? null;
    const run = async () => {
      await this.#workbench.service.restoreModel(id);
      await this.load();
    };
    toasts.show({ text: `Removed “${name}” from the project; its folder stays.`, action: { label: 'Undo', run } });
    return true;
  }
}

/** The address of a model's screen. */
export function modelAddress({ id }: Pick<ProjectModel, 'id'>): string {
  return `/models/${id === 0 ? 'small-world' : id}`;
}
