/**
 * Saving what is in the data editor as a version: whether that can be done now, with what note, and why it did not work. What it does to
 * the rows and their draft is dataset-editor.svelte.ts's.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import { plural } from '../text/format.ts';
import type { DatasetEditor } from './dataset-editor.svelte.ts';
import type { Workbench } from './workbench.ts';

export class DatasetSaving {
  /** On the version that is saved next. */
  note = $state('');
  /** Whether saving was tried while something was missing. */
  #tried = $state(false);
  readonly #editor: DatasetEditor;
  readonly #workbench: Pick<Workbench, 'service' | 'toasts'>;

  constructor(editor: DatasetEditor, workbench: Pick<Workbench, 'service' | 'toasts'>) {
    this.#editor = editor;
    this.#workbench = workbench;
  }

  /** Where what is in the editor is kept; '' before it is loaded. */
  get standing(): string {
    const { isLoaded, isChanged, isKept, detail } = this.#editor;
    if (detail.value === null || !isLoaded) return '';
    if (!isChanged) return detail.value.versions === 0 ? 'No version yet.' : `Saved as version ${detail.value.versions}.`;
    return isKept ? 'Not saved yet; kept as a draft.' : 'Not saved, and it could not be kept as a draft: save it, or export it.';
  }

  /** Whether there is something to save, and nothing under way or in the way of it. */
  get isPossible(): boolean {
    const { isLoaded, isChanged, isGone, conflict, saving, detail } = this.#editor;
    const isOpen = isLoaded && !isGone && conflict === null && !saving.waiting;
    return isOpen && (isChanged || detail.value?.versions === 0);
  }

  /** Why no version was made the last time that it was tried; '' where nothing is missing any more. */
  get refusal(): string {
    const { gap, found } = this.#editor.grids;
    const [first, ...others] = found.problems;
    if (!this.#tried || (gap === '' && first === undefined)) return '';
    if (gap !== '' || first === undefined) return gap;
    const more =
      others.length === 0 ? '' : ` ${plural(others.length, 'more cell')} ${others.length === 1 ? 'is' : 'are'} missing.`;
    return `${first.message}${more}`;
  }

  async save(): Promise<void> {
    // What is being written into a cell, and what was written in the last moment, is not read yet.
    this.#editor.grids.commit();
    this.#editor.grids.read();
    if (this.isPossible) await this.#attempt((service) => this.#editor.save(service, this.note));
  }

  /** Although another version was saved elsewhere meanwhile. */
  async saveOnTop(): Promise<void> {
    await this.#attempt((service) => this.#editor.saveOnTop(service, this.note));
  }

  async #attempt(save: (service: Service) => Promise<boolean>): Promise<void> {
    const { grids, detail } = this.#editor;
    const { service, toasts } = this.#workbench;
    const { hasOptions } = grids;
    this.#tried = true;
    if (!(await save(service))) return;
    this.#tried = false;
    this.note = '';
    toasts.show({
      text: `Saved as version ${detail.value?.versions}.${hasOptions ? '' : ' The answers are the options now.'}`,
    });
  }
}
