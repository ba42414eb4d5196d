/**
 * The projects of the data folder and the one that is looked at: what is started, added and listed on any screen is of that one.
 * What a project owns is fetched by the screens that show it.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ProjectDetail, ProjectSummary } from '../../src-main/shared/contract-projects.ts';
import { type ErrorRecord, errorRecord } from '../../src-main/shared/errors.ts';
import { isDisconnected } from './follow.ts';
import type { Toasts } from './toasts.svelte.ts';

export class Projects {
  #service: () => Service;
  #toasts: Toasts;
  #list = $state.raw<ProjectSummary[] | null>(null);
  #currentId = $state<number | null>(null);
  #error = $state.raw<ErrorRecord | null>(null);
  /** The project that another window deleted while it was looked at here, until another one is opened or it is back. */
  #lost: { project: number; name: string; instead: number | null } | null = null;
  /** The project that is being deleted here. */
  #deleting: number | null = null;

  #currentSummary = $derived(this.#list?.find(({ project }) => project === this.#currentId) ?? null);

  constructor(service: () => Service, toasts: Toasts) {
    this.#service = service;
    this.#toasts = toasts;
  }

  /** The one looked at last comes first; archived ones too. Null until the first answer. */
  get list(): ProjectSummary[] | null {
    return this.#list;
  }

  /** Not archived ones, the one looked at last first. */
  get recent(): ProjectSummary[] {
    return (this.#list ?? []).filter(({ archived }) => archived === null);
  }

  get archived(): ProjectSummary[] {
    return (this.#list ?? []).filter(({ archived }) => archived !== null);
  }

  /** Whether `current` can be asked for: screens are shown only then. */
  get ready(): boolean {
    return this.#currentSummary !== null;
  }

  /** Why the list could not be read. */
  get error(): ErrorRecord | null {
    return this.#error;
  }

  /** The project that is looked at. */
  get current(): { id: number; name: string; summary: ProjectSummary } {
    const summary = this.#currentSummary;
    if (summary === null) throw new Error('A screen was shown before the projects were read.');
    return { id: summary.project, name: summary.name, summary };
  }

  /** Reads the list; the first time, the project looked at last becomes the current one. */
  async refresh(): Promise<void> {
    try {
      const list = await this.#service().projects();
      const left = this.#currentSummary;
      this.#list = list;
      this.#error = null;
      if (!list.some(({ project }) => project === this.#currentId)) {
        const next = list.find(({ archived }) => archived === null) ?? list[0];
        this.#currentId = next?.project ?? null;
        if (left !== null && left.project !== this.#deleting) this.#leave(left, next);
      } else if (this.#lost !== null) this.#returnTo(this.#lost, list);
    } catch (error) {
      const record = errorRecord(error);
      if (!isDisconnected(record.code)) this.#error = record;
    }
  }

  /** Makes a project the current one. False where that failed, which is said in a notice. */
  open(project: number): Promise<boolean> {
    return this.#attempt('The project could not be opened.', async () => {
      await this.#service().openProject(project);
      this.#lost = null;
      this.#currentId = project;
    });
  }

  /** Makes a project and opens it. */
  async create(name: string): Promise<boolean> {
    let created: number | null = null;
    const done = await this.#attempt('The project could not be created.', async () => {
      created = (await this.#service().createProject(name)).project;
    });
    // Only now is it on the list: before, there would be no current project for a moment.
    if (done) {
      this.#lost = null;
      this.#currentId = created;
      this.#sayName(created, name);
    }
    return done;
  }

  /** Gives a project another name with a way to undo it. */
  async rename(project: number, name: string): Promise<boolean> {
    const before = this.#nameOf(project);
    const change = (to: string) => () => this.#service().renameProject(project, to);
    if (!(await this.#attempt('The project could not be renamed.', change(name)))) return false;
    const after = this.#nameOf(project);
    if (before === null || after === null || before === after) return true;
    const run = () => void this.#attempt('Undo did not work.', change(before));
    this.#toasts.show({ text: `“${before}” is named “${after}” now.`, action: { label: 'Undo', run } });
    return true;
  }

  /** Puts a project away, or brings it back, with a way to undo it. */
  async archive({ project, name }: ProjectSummary, archived: boolean): Promise<void> {
    const done = await this.#attempt('The project could not be moved.', () => this.#service().archiveProject(project, archived));
    if (!done) return;
    const run = () => void this.#attempt('Undo did not work.', () => this.#service().archiveProject(project, !archived));
    this.#toasts.show({ text: `${archived ? 'Archived' : 'Brought back'} “${name}”.`, action: { label: 'Undo', run } });
  }

  /** Deletes a project with a way to undo it; where it is the current one, the one looked at before it is opened. */
  async delete({ project, name }: ProjectSummary): Promise<void> {
    const wasCurrent = this.#currentId === project;
    this.#deleting = project;
    const done = await this.#attempt('The project could not be deleted.', () => this.#service().deleteProject(project));
    this.#deleting = null;
    if (!done) return;
    const run = async () => {
      const restored = await this.#attempt('Undo did not work.', () => this.#service().restoreProject(project));
      if (restored && wasCurrent) await this.open(project);
    };
    this.#toasts.show({ text: `Deleted “${name}”.`, action: { label: 'Undo', run } });
  }

  /** The current project with its notes. */
  detail(): Promise<ProjectDetail> {
    return this.#service().project(this.current.id);
  }

  /** Another window has deleted the project that was looked at: say where this one is now. */
  #leave({ project, name }: ProjectSummary, next: ProjectSummary | undefined): void {
    this.#lost = { project, name, instead: next?.project ?? null };
    const run = async () => {
      if (await this.#attempt('It could not be brought back.', () => this.#service().restoreProject(project)))
        await this.open(project);
    };
    this.#toasts.show({
      text: `“${name}” was deleted in another window.${next === undefined ? '' : ` This is “${next.name}”.`}`,
      action: { label: 'Bring it back', run },
    });
  }

  /** Goes back to it once it is there again, unless this window has moved on. */
  #returnTo({ project, name, instead }: { project: number; name: string; instead: number | null }, list: ProjectSummary[]): void {
    if (this.#currentId !== instead) this.#lost = null;
    else if (list.some((each) => each.project === project)) {
      this.#lost = null;
      this.#currentId = project;
      this.#toasts.show({ text: `“${name}” is back.` });
    }
  }

  /** Says so where the host gave another name than was asked for, since a project has that one. */
  #sayName(project: number | null, asked: string): void {
    const name = this.#nameOf(project);
    if (name?.startsWith(`${asked.trim()} (`))
      this.#toasts.show({ text: `There is a project “${asked.trim()}” already: this one is “${name}”.` });
  }

  #nameOf(project: number | null): string | null {
    return this.#list?.find((each) => each.project === project)?.name ?? null;
  }

  /** Does something and reads the list again. */
  async #attempt(title: string, action: () => Promise<void>): Promise<boolean> {
    if ((await this.#toasts.attempt(title, action)) === null) return false;
    await this.refresh();
    return true;
  }
}
